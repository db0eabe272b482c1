import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  hostsWith,
  inventoryJsonSchema,
  lintCluster,
  readInventory,
  type Cluster,
} from '../../src/inventory/index.js';
import { Failure } from '../../src/failure/failure.js';
import { clusterOf, parseText } from './inventory-text.js';

const folder = join(import.meta.dirname, '../../inventory');

function load(name: string): Cluster {
  const inventory = readInventory(join(folder, name));
  if (!inventory.ok) throw new Error(inventory.text);
  expect(inventory.warnings).toEqual([]);
  return inventory.cluster;
}

describe('the examples', () => {
  test('all of them load without a warning, and lint finds nothing that hurts', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(names).toEqual(
      expect.arrayContaining(['full.yaml', 'one-host.yaml', 'three-hosts.yaml']),
    );
    for (const name of names) {
      const bad = lintCluster(load(name)).filter(
        // Where backups go is for the operator to say: the examples show it as a comment.
        ({ severity, subject }) =>
          severity === 'error' || (severity === 'warning' && subject !== 'backup'),
      );
      expect(bad, name).toEqual([]);
    }
  });

  test('one host has every role', () => {
    const cluster = load('one-host.yaml');
    expect(cluster.hosts.map(({ roles }) => roles)).toEqual([
      ['edge', 'app', 'cron', 'gevent', 'pgbouncer', 'redis', 'pg-primary'],
    ]);
    expect(cluster.filestore).toEqual({ type: 'local', path: '/var/lib/odoo' });
  });

  test('three hosts: two Odoo servers that are alike behind one front', () => {
    const cluster = load('three-hosts.yaml');
    expect(cluster.hosts).toHaveLength(3);
    expect(hostsWith(cluster, 'app').map(({ name }) => name)).toEqual(['odoo1', 'odoo2']);
    expect(cluster.odoo.sessions).toBe('redis');
    expect(cluster.hosts.every(({ ssh }) => ssh.user === 'deploy' && ssh.become)).toBe(true);
  });

  test('the full cluster has twelve hosts with one role each', () => {
    const cluster = load('full.yaml');
    expect(cluster.hosts).toHaveLength(12);
    expect(cluster.hosts.every(({ roles }) => roles.length === 1)).toBe(true);
  });

  test('what full.yaml calls a default is the default', () => {
    const text = readFileSync(join(folder, 'full.yaml'), 'utf8');
    const without = text
      .split('\n')
      .filter((line) => !/^ {2}[a-z_]+: .*# default(;|:|$| when a host has)/.test(line))
      .join('\n');
    expect(without.split('\n').length).toBeLessThan(text.split('\n').length - 9);
    expect(clusterOf(without)).toEqual({ ...load('full.yaml'), file: '/srv/acme.yaml' });
  });

  test('the JSON Schema that they name is the one that the program prints', () => {
    const written: unknown = JSON.parse(readFileSync(join(folder, 'schema.json'), 'utf8'));
    expect(written).toEqual(inventoryJsonSchema());
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml'))) {
      const [first] = readFileSync(join(folder, name), 'utf8').split('\n');
      expect(first).toBe('# yaml-language-server: $schema=schema.json');
    }
  });

  test('docs/inventory.md names every key of the schema', () => {
    const text = readFileSync(join(folder, '../docs/inventory.md'), 'utf8');
    const missing = keysOf(inventoryJsonSchema()).filter((key) => !text.includes(`\`${key}\``));
    expect(missing).toEqual([]);
  });
});

/** Every key that a JSON Schema gives a name to, at any depth. */
function keysOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(keysOf);
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) =>
    key === 'properties' && typeof value === 'object' && value !== null
      ? [...Object.keys(value), ...keysOf(Object.values(value))]
      : keysOf(value),
  );
}

describe('reading', () => {
  test('a file that is not there is a failure with what to do next', () => {
    expect(() => readInventory(join(folder, 'none.yaml'))).toThrow(Failure);
    expect(() => readInventory(join(folder, 'none.yaml'))).toThrow('there is no such file');
  });

  test('everything but hosts has a default, also when a section is there and empty', () => {
    const cluster = clusterOf(`
odoo:
postgres:
  settings:
hosts:
  one: { address: 198.51.100.11, roles: [edge, app, cron, gevent, pgbouncer, pg-primary] }
`);
    expect(cluster).toEqual({
      name: 'acme',
      file: '/srv/acme.yaml',
      odoo: {
        version: '19.0',
        source: { type: 'nightly' },
        database: 'odoo',
        domain: 'acme.example',
        users: 50,
        sessions: 'files',
        languages: [],
        settings: {},
      },
      postgres: {
        replication: { synchronous: 'off', onStandbyLoss: 'block', maxLag: 16 * 1024 ** 2 },
        loneStart: 'wait',
        settings: {},
      },
      pgbouncer: { poolMode: 'session', maxClientConn: 10_000, settings: {} },
      redis: { settings: {} },
      edge: { balancer: 'nginx', balance: 'round-robin', tls: 'self-signed', maxBody: '128m' },
      filestore: { type: 'local', path: '/var/lib/odoo' },
      failoverTest: { rto: 60, rpo: 5, gap: 5, failedRequests: 3 },
      hosts: [
        {
          name: 'one',
          address: '198.51.100.11',
          roles: ['edge', 'app', 'cron', 'gevent', 'pgbouncer', 'pg-primary'],
          weight: 1,
          ssh: { become: false, hostKey: 'strict' },
        },
      ],
    });
  });

  test('a host takes the shared ssh keys and its own over them; paths become absolute', () => {
    const cluster = clusterOf(`
ssh: { user: deploy, port: 2222, key: ~/.ssh/acme, known_hosts: known_hosts, jump: "admin@198.51.100.1:22" }
hosts:
  one:
    address: 198.51.100.11
    roles: [edge, app, cron, gevent, pgbouncer, pg-primary]
    memory: 1.5GB
    cores: 4
    disk: hdd
    ssh: { user: root, port: 22, key: keys/one, host_key: accept-new }
`);
    expect(cluster.hosts[0]).toMatchObject({ memory: 1.5 * 1024 ** 3, cores: 4, disk: 'hdd' });
    expect(cluster.hosts[0]?.ssh).toEqual({
      user: 'root',
      port: 22,
      key: '/srv/keys/one',
      knownHosts: '/srv/known_hosts',
      jump: 'admin@198.51.100.1:22',
      become: false,
      hostKey: 'accept-new',
    });
  });

  test('warnings do not refuse', () => {
    const inventory = parseText(`
odoo: { sessions: files }
hosts:
  one: { address: 198.51.100.11, roles: [edge, app, cron, gevent, pgbouncer, pg-primary, redis] }
`);
    expect(inventory.ok).toBe(true);
    expect(inventory.text)
      .toBe(`acme.yaml:4:90 warning: nothing uses this redis: sessions are in files
      one: { address: 198.51.100.11, roles: [edge, app, cron, gevent, pgbouncer, pg-primary, redis] }
                                                                                             ~~~~~
    expected sessions: redis
`);
  });
});
