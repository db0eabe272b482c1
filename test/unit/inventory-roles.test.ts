import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROLE_DEFINITIONS } from '../../roles/index.js';
import { ROLES, SERVICES, SUPPORTED_ROLES } from '../../src/inventory/roles.js';
import type { Resource } from '../../src/resource/kind.js';
import { PACKAGE_ROOT } from '../../src/template/package-files.js';
import { testCluster, testHost, testSite } from '../support/site.js';

/** Roles that follow from the others and are not written in inventories. */
const IMPLIED = ['archive', 'backup', 'base', 'filestore-backup', 'odoo', 'odoo-database'];

const docs = readFileSync(join(PACKAGE_ROOT, 'docs/inventory.md'), 'utf8');

/** The words in backquotes of the first line of the documentation that holds a text. */
function namedIn(text: string): readonly string[] {
  const line = docs.split('\n').find((row) => row.includes(text)) ?? '';
  return [...line.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name);
}

describe('the table of roles', () => {
  it('has a definition for each role that is supported, and none that is not', () => {
    const defined = ROLE_DEFINITIONS.map(({ name }) => name as string);
    expect(defined.filter((name) => !IMPLIED.includes(name)).sort()).toEqual(
      [...SUPPORTED_ROLES].sort(),
    );
  });

  it('is the one that the documentation of the inventory has', () => {
    const [key, ...row] = namedIn('| `roles`');
    expect(key).toBe('roles');
    expect([...row].sort()).toEqual([...SUPPORTED_ROLES].sort());
    const [, counted = ''] = /^(`edge`.*?)\n\n/ms.exec(docs.slice(docs.indexOf('| `ssh`'))) ?? [];
    for (const role of SUPPORTED_ROLES) expect(counted).toContain(`\`${role}\``);
    const refused = namedIn('What the format knows and this version cannot do yet');
    for (const role of ROLES.filter((name) => !SUPPORTED_ROLES.includes(name))) {
      expect(refused).toContain(role);
    }
  });

  it('keeps updates of the system away from every service that a role runs', () => {
    const host = testHost('one', 1, SUPPORTED_ROLES);
    const backup = {
      host: host.name,
      full: 'Sun 02:00',
      filestore: 'hourly',
      keep: 2,
      path: '/var/lib/pgbackrest',
    };
    const { postgres } = testCluster([host]);
    const cluster = testCluster([host], { postgres: { ...postgres, backup } });
    const site = testSite(cluster, host);
    const runs = (resource: Resource): boolean =>
      resource.kind === 'unit' && 'running' in resource && resource.running === true;
    const unguarded = ROLE_DEFINITIONS.filter(({ name }) => name !== 'base').flatMap((role) =>
      role
        .configure(site)
        .filter(runs)
        .filter(({ id }) => !SERVICES.some((service) => id.startsWith(service)))
        .map(({ id }) => `${role.name}: ${id}`),
    );
    expect(unguarded).toEqual([]);
  });
});
