import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { labInventory, labNameOf, labSpecOf, shareOf } from '../../src/cli/rehearsal.js';
import { parseInventory, type Cluster } from '../../src/inventory/index.js';
import type { Lab } from '../../src/lab/index.js';

const GIB = 1024 ** 3;
const MACHINE = { memory: 16 * GIB, cores: 4 };

const TEXT = `
cluster: acme
ssh: { user: deploy, jump: gate.example.org, port: 2222 }
odoo: { domain: erp.acme.example, users: 300, settings: { limit_request: 32768 } }
edge: { tls: { certificate: tls/cert.pem, key: tls/key.pem }, balance: sticky }
filestore: { type: posix }
hosts:
  web: { address: 198.51.100.11, roles: [edge], memory: 64GB, ssh: { user: other } }
  app1: { address: 198.51.100.21, roles: [app, gevent], weight: 2 }
  db: { address: 198.51.100.31, roles: [cron, pg-primary, pgbouncer, redis], disk: hdd }
`;

/** Parses a text as if it were the file of that path; the files that it names are there. */
function clusterOf(text: string, file: string): Cluster {
  const read = (path: string): { text: string } => ({ text: contentOf(path) });
  const inventory = parseInventory(text, file, { file, home: '/home/me', read });
  if (!inventory.ok) throw new Error(inventory.text);
  return inventory.cluster;
}

function contentOf(path: string): string {
  const type = path.endsWith('.asc')
    ? 'PGP PUBLIC KEY BLOCK'
    : path.endsWith('key.pem')
      ? 'PRIVATE KEY'
      : 'CERTIFICATE';
  return `-----BEGIN ${type}-----\n\nMA==\n-----END ${type}-----\n`;
}

const LAB: Lab = {
  name: 'acme-123456',
  directory: '/labs/acme-123456',
  key: '/labs/acme-123456/id_ed25519',
  knownHosts: '/labs/acme-123456/known_hosts',
  subnet: '203.0.113.0/27',
  gateway: '203.0.113.30',
  freeAddresses: [],
  hosts: ['web', 'app1', 'db'].map((name, i) => ({
    name,
    address: `203.0.113.${String(i + 1)}`,
    port: 22,
  })),
};

describe('the lab of an inventory', () => {
  it('has a name that stays with the file and differs in another checkout', () => {
    const one = labNameOf(clusterOf(TEXT, '/one/acme.yaml'));
    expect(one).toMatch(/^acme-[0-9a-f]{6}$/);
    expect(labNameOf(clusterOf(TEXT, '/one/acme.yaml'))).toBe(one);
    expect(labNameOf(clusterOf(TEXT, '/two/acme.yaml'))).not.toBe(one);
  });

  it('is also found by the inventory that leads to its hosts, and by no other file beside that', () => {
    vi.stubEnv('ODOO_PROV_LAB_DIR', '/labs');
    try {
      const nameOf = (file: string): string => labNameOf(clusterOf(TEXT, file));
      expect(nameOf('/labs/acme-123456/inventory.yaml')).toBe('acme-123456');
      expect(nameOf('/labs/acme-123456/acme.yaml')).not.toBe('acme-123456');
      expect(nameOf('/labs/inventory.yaml')).toMatch(/^acme-/);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('shares the machine, keeping a fifth of its memory', () => {
    expect(shareOf(MACHINE, 3)).toEqual({ memory: 4352 * 1024 ** 2, cores: 1 });
    expect(shareOf(MACHINE, 1).cores).toBe(4);
    expect(shareOf({ memory: 4 * GIB, cores: 2 }, 12)).toEqual({ memory: GIB / 2, cores: 1 });
  });

  it('has the same hosts, with one filestore that an edge may only read', () => {
    const { hosts } = labSpecOf(clusterOf(TEXT, '/one/acme.yaml'), MACHINE);
    const bind = { source: 'filestore', target: '/srv/odoo' };
    expect(hosts).toEqual([
      { name: 'web', memory: '4352M', cores: 1, binds: [{ ...bind, readOnly: true }] },
      { name: 'app1', memory: '4352M', cores: 1, binds: [{ ...bind, readOnly: false }] },
      { name: 'db', memory: '4352M', cores: 1, binds: [{ ...bind, readOnly: false }] },
    ]);
  });

  it('gets an inventory of its own that is right and leads to it', () => {
    const cluster = clusterOf(TEXT, '/one/acme.yaml');
    const data = parse(TEXT) as Record<string, unknown>;
    const text = labInventory(data, cluster, LAB, MACHINE);
    const derived = clusterOf(text, '/labs/acme-123456/inventory.yaml');
    expect(text.split('\n')[0]).toBe(
      '# Made from /one/acme.yaml for the lab acme-123456: the next run writes it anew.',
    );
    const ssh = { user: 'root', key: LAB.key, knownHosts: LAB.knownHosts, hostKey: 'strict' };
    expect(derived.hosts).toMatchObject([
      { name: 'web', address: '203.0.113.1', memory: 4352 * 1024 ** 2, cores: 1, roles: ['edge'] },
      { name: 'app1', address: '203.0.113.2', weight: 2, roles: ['app', 'gevent'] },
      { name: 'db', address: '203.0.113.3', disk: 'hdd' },
    ]);
    for (const host of derived.hosts) {
      expect(host.ssh).toMatchObject({ ...ssh, port: 22, become: false });
      expect(host.ssh.jump).toBeUndefined();
    }
    expect(derived.odoo).toEqual({ ...cluster.odoo, source: { type: 'debian' } });
    expect(derived.edge).toEqual({
      ...cluster.edge,
      tls: { certificate: '/one/tls/cert.pem', key: '/one/tls/key.pem' },
    });
    expect(derived.filestore).toEqual(cluster.filestore);
  });

  it('keeps a repository of one’s own, with its key', () => {
    const apt = "{ apt: { uri: 'https://apt.example.org/', key: keys/apt.asc } }";
    const own = TEXT.replace('odoo: {', `odoo: { source: ${apt}, `);
    const data = parse(own) as Record<string, unknown>;
    const text = labInventory(data, clusterOf(own, '/one/acme.yaml'), LAB, MACHINE);
    expect(parse(text)).toMatchObject({
      odoo: { source: { apt: { uri: 'https://apt.example.org/', key: '/one/keys/apt.asc' } } },
    });
  });
});
