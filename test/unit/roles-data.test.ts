import { describe, expect, it } from 'vitest';
import { base } from '../../roles/base/index.js';
import { pgPrimary } from '../../roles/pg-primary/index.js';
import { settingsOf } from '../../src/postgres/settings.js';
import { pgbouncer } from '../../roles/pgbouncer/index.js';
import { redis } from '../../roles/redis/index.js';
import type { Cluster, Host } from '../../src/inventory/cluster.js';
import { sessionModuleFiles } from '../../src/odoo/session-module.js';
import { keyOf, type Resource } from '../../src/resource/kind.js';
import type { PresentFile } from '../../src/resource/file.js';
import type { RoleDefinition } from '../../src/role/role.js';
import { reveal, Secret } from '../../src/shell/index.js';
import { testCluster, testHost, testSite } from '../support/site.js';

const db = testHost('db1', 31, ['pg-primary']);
const pool = testHost('pool1', 41, ['pgbouncer']);
const app = testHost('app1', 21, ['app', 'cron', 'gevent']);
const store = testHost('redis1', 51, ['redis']);
const spread = testCluster([app, db, pool, store]);
const one = testHost('one', 1, ['app', 'cron', 'gevent', 'pg-primary', 'pgbouncer', 'redis']);
const single = testCluster([one]);

function resources(role: RoleDefinition, cluster: Cluster, host: Host): readonly Resource[] {
  const site = testSite(cluster, host);
  return [...role.install(site), ...role.configure(site)];
}

function fileAt(all: readonly Resource[], path: string): PresentFile {
  const found = all.find((r) => keyOf(r) === `file:${path}`);
  if (found === undefined) throw new Error(`no file ${path}`);
  return found as PresentFile;
}

function text(all: readonly Resource[], path: string): string {
  return reveal(fileAt(all, path).content);
}

const HBA = '/etc/postgresql/17/main/pg_hba.conf';

describe('pg-primary', () => {
  it('opens its door to PgBouncer and the initialising host, and to nobody else', () => {
    const lines = text(resources(pgPrimary, spread, db), HBA)
      .split('\n')
      .filter((line) => !line.startsWith('#') && line !== '')
      .map((line) => line.split(/ +/));
    expect(lines).toEqual([
      ['local', 'all', 'postgres', 'peer'],
      ['hostssl', 'acme,postgres', 'odoo', '198.51.100.41/32', 'scram-sha-256'],
      ['hostssl', 'acme,postgres', 'odoo', '198.51.100.21/32', 'scram-sha-256'],
    ]);
  });

  it('lets a PgBouncer on its own host in over loopback', () => {
    expect(text(resources(pgPrimary, single, one), HBA)).toContain('odoo  127.0.0.1/32');
  });

  it('takes the PostgreSQL that the Debian has', () => {
    const site = testSite(spread, db, { debian: 12 });
    expect(pgPrimary.install(site).map(keyOf)).toContain('package:postgresql-15');
    expect(pgPrimary.configure(site).map(keyOf)).toContain('postgresCluster:15/main');
  });

  it('keeps the package from making a cluster of its own, before it is installed', () => {
    const keys = pgPrimary.install(testSite(spread, db)).map(keyOf);
    const preseed = keys.indexOf('file:/etc/postgresql-common/createcluster.d/50-odoo-prov.conf');
    expect(preseed).toBeGreaterThanOrEqual(0);
    expect(preseed).toBeLessThan(keys.indexOf('package:postgresql-17'));
  });

  it('lets the inventory win, but never loses pg_stat_statements', () => {
    const settings = { work_mem: '77MB', shared_preload_libraries: 'auto_explain' };
    const cluster = { ...spread, postgres: { ...spread.postgres, settings } };
    expect(settingsOf(testSite(cluster, db))).toMatchObject({
      work_mem: '77MB',
      shared_preload_libraries: 'pg_stat_statements,auto_explain',
      autovacuum: 'on',
      listen_addresses: 'localhost,198.51.100.31',
    });
  });
});

describe('pgbouncer', () => {
  const all = resources(pgbouncer, spread, pool);

  it('pools both databases that Odoo uses, in session mode', () => {
    const ini = text(all, '/etc/pgbouncer/pgbouncer.ini');
    expect(ini).toMatch(/^acme = host=198\.51\.100\.31 port=5432 pool_size=\d+$/m);
    expect(ini).toMatch(/^postgres = .* pool_mode=session$/m);
    expect(ini).toMatch(/^ignore_startup_parameters = extra_float_digits$/m);
  });

  it('has the verifier that the server has, and no plain password', () => {
    const users = text(all, '/etc/pgbouncer/userlist.txt');
    expect(users).toMatch(/^"odoo" "SCRAM-SHA-256\$4096:/);
    expect(users).not.toContain('secret-odoo-db-password');
  });

  it('puts what needs a restart in a file of its own', () => {
    const settings = { listen_backlog: 256, stats_period: 30 };
    const cluster = { ...spread, pgbouncer: { ...spread.pgbouncer, settings } };
    const given = resources(pgbouncer, cluster, pool);
    expect(text(given, '/etc/pgbouncer/start.ini')).toContain('listen_backlog = 256');
    expect(text(given, '/etc/pgbouncer/pgbouncer.ini')).toContain('stats_period = 30');
    expect(text(given, '/etc/pgbouncer/pgbouncer.ini')).not.toContain('listen_backlog');
  });

  it('shares the connections among several, and has descriptors for all clients', () => {
    const two = testCluster([app, db, pool, testHost('pool2', 42, ['pgbouncer']), store]);
    const size = (c: Cluster): number =>
      Number(
        /pool_size=(\d+)/.exec(
          text(resources(pgbouncer, c, pool), '/etc/pgbouncer/pgbouncer.ini'),
        )?.[1],
      );
    expect(size(two)).toBe(Math.ceil(size(spread) / 2));
    const dropIn = text(all, '/etc/systemd/system/pgbouncer.service.d/odoo-prov.conf');
    expect(Number(/LimitNOFILE=(\d+)/.exec(dropIn)?.[1])).toBeGreaterThan(10000);
  });
});

describe('redis', () => {
  it('asks for a password and keeps sessions through a restart', () => {
    const config = fileAt(resources(redis, spread, store), '/etc/redis/redis.conf');
    expect(config).toMatchObject({ owner: 'redis', group: 'redis', mode: '0640' });
    const lines = reveal(config.content).split('\n');
    expect(lines).toContain('requirepass secret-redis-password');
    expect(lines).toContain('bind 198.51.100.51 127.0.0.1');
    expect(lines).toContain('appendonly yes');
    expect(lines).toContain('maxmemory-policy volatile-lru');
  });

  it('leaves the kernel to PostgreSQL where they share a host', () => {
    const overcommit = 'sysctl:vm.overcommit_memory';
    expect(resources(redis, spread, store).map(keyOf)).toContain(overcommit);
    expect(resources(redis, single, one).map(keyOf)).not.toContain(overcommit);
  });
});

describe('base', () => {
  it('never lets an update restart a service of the cluster', () => {
    const all = resources(base, spread, db);
    const apt = text(all, '/etc/apt/apt.conf.d/52odoo-prov');
    for (const name of ['postgresql', 'pgbouncer', 'redis', 'odoo', 'nginx']) {
      expect(apt).toContain(`"^${name}";`);
      expect(text(all, '/etc/needrestart/conf.d/50-odoo-prov.conf')).toContain(name);
    }
    expect(apt.indexOf('#clear')).toBeLessThan(apt.indexOf('Origins-Pattern {'));
  });

  it('sets the clock, except in a container', () => {
    const clock = (container: boolean): boolean =>
      base
        .configure(testSite(spread, db, { container }))
        .some((r) => r.id === 'systemd-timesyncd.service');
    expect([clock(false), clock(true)]).toEqual([true, false]);
  });
});

describe('data roles', () => {
  it('carry every password as a secret', () => {
    for (const [role, cluster, host] of [
      [pgPrimary, spread, db],
      [pgbouncer, spread, pool],
      [redis, spread, store],
    ] as const) {
      expect(JSON.stringify(resources(role, cluster, host))).not.toMatch(/secret-|SCRAM-SHA-256\$/);
    }
  });

  it('install the session module with its licence', () => {
    const all = sessionModuleFiles(testSite(spread, app));
    const folder = '/usr/lib/odoo-prov/addons/odoo_prov_session_redis';
    expect(text(all, `${folder}/__manifest__.py`)).toContain("'license': 'LGPL-3'");
    expect(text(all, `${folder}/LICENSE`)).toContain('GNU LESSER GENERAL PUBLIC LICENSE');
    expect(fileAt(all, `${folder}/store.py`).content).not.toBeInstanceOf(Secret);
  });
});
