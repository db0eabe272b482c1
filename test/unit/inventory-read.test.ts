import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readInventory } from '../../src/inventory/index.js';

it('means the file itself, by whatever link it is reached: secrets and state lie beside it', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'odoo-prov-read-')));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const roles = '[edge, app, cron, gevent, pgbouncer, redis, pg-primary]';
  writeFileSync(
    join(folder, 'acme.yaml'),
    `hosts: { one: { address: 198.51.100.11, roles: ${roles} } }\n`,
  );
  symlinkSync('acme.yaml', join(folder, 'prod.yaml'));
  const read = readInventory(join(folder, 'prod.yaml'));
  expect(read.ok && [read.cluster.file, read.cluster.name]).toEqual([
    join(folder, 'acme.yaml'),
    'acme',
  ]);
});
