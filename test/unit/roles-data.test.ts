import { describe, expect, it } from 'vitest';
import { base } from '../../roles/base/index.js';
import { pgPrimary } from '../../roles/pg-primary/index.js';
import { pgStandby } from '../../roles/pg-standby/index.js';
import type { CheckResource } from '../../src/resource/check.js';
import { settingsOf } from '../../src/postgres/settings.js';
import { pgbouncer } from '../../roles/pgbouncer/index.js';
import { redis } from '../../roles/redis/index.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { sessionModuleFiles } from '../../src/odoo/session-module.js';
import { keyOf } from '../../src/resource/kind.js';
import { reveal, Secret } from '../../src/shell/index.js';
import { testCluster, testHost, testSite } from '../support/site.js';
import { fileAt, textAt, wantedBy } from '../support/wanted.js';

const db = testHost('db1', 31, ['pg-primary']);
const pool = testHost('pool1', 41, ['pgbouncer']);
const app = testHost('app1', 21, ['app', 'cron', 'gevent']);
const store = testHost('redis1', 51, ['redis']);
const spread = testCluster([app, db, pool, store]);
const one = testHost('one', 1, ['app', 'cron', 'gevent', 'pg-primary', 'pgbouncer', 'redis']);
const single = testCluster([one]);

/** The lines that say something. */
function lines(config: string): readonly string[] {
  return config.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
}

const HBA = '/etc/postgresql/17/main/pg_hba.conf';

describe('a standby', () => {
  it('that cannot follow is told with what to do about it', () => {
    const standby = testHost('db2', 32, ['pg-standby']);
    const wanted = wantedBy(pgStandby, testCluster([db, standby, pool, app, store]), standby);
    const streams = wanted.find((one) => keyOf(one) === 'check:postgres-streams');
    const { command } = streams as unknown as CheckResource;
    for (const said of [
      'it cannot follow: it went past the point where the primary took over; next: odoo-prov rejoin FILE --host db2 saves the rows that only it has, and takes it back',
      'it cannot follow: it has replayed what its primary never wrote; next: on db2: systemctl stop postgresql@*; then odoo-prov rejoin FILE --host db2, which saves the rows that only it has',
      'it cannot follow: its replay is paused; next: on db2, as postgres: select pg_wal_replay_resume()',
    ])
      expect(command).toContain(`'${said}'`);
  });
});

describe('pg-primary', () => {
  it('opens its door to PgBouncer and the initialising host, and to nobody else', () => {
    const lines = textAt(wantedBy(pgPrimary, spread, db), HBA)
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
    expect(textAt(wantedBy(pgPrimary, single, one), HBA)).toContain('odoo  127.0.0.1/32');
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

  it('is started again when it dies; with others, only after the guard has looked', () => {
    const path = '/etc/systemd/system/postgresql@17-main.service.d/odoo-prov.conf';
    const network =
      "# Written by odoo-prov: without the network, the host's own address cannot be listened on.";
    expect(textAt(wantedBy(pgPrimary, spread, db), path)).toBe(`${network}
[Unit]
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=1
`);
    const replicated = testCluster([app, db, testHost('db2', 32, ['pg-standby']), pool, store]);
    expect(textAt(wantedBy(pgPrimary, replicated, db), path)).toBe(`${network}
[Unit]
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStartPre=/usr/lib/odoo-prov/postgres-guard start
Restart=on-failure
RestartSec=1
`);
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
  const all = wantedBy(pgbouncer, spread, pool);

  it('pools both databases that Odoo uses, in session mode', () => {
    expect(lines(textAt(all, '/etc/pgbouncer/databases.ini'))).toEqual([
      '[databases]',
      'acme = host=198.51.100.31 port=5432 pool_size=30',
      'postgres = host=198.51.100.31 port=5432 pool_size=15 pool_mode=session',
    ]);
    expect(lines(textAt(all, '/etc/pgbouncer/pgbouncer.ini'))).toEqual([
      '%include /etc/pgbouncer/databases.ini',
      '[pgbouncer]',
      '%include /etc/pgbouncer/start.ini',
      'logfile = /var/log/postgresql/pgbouncer.log',
      'pool_mode = session',
      'max_client_conn = 10000',
      'default_pool_size = 30',
      'auth_type = scram-sha-256',
      'auth_file = /etc/pgbouncer/userlist.txt',
      'server_tls_sslmode = require',
      'client_tls_sslmode = allow',
      'client_tls_cert_file = /etc/ssl/certs/ssl-cert-snakeoil.pem',
      'client_tls_key_file = /etc/ssl/private/ssl-cert-snakeoil.key',
      'ignore_startup_parameters = extra_float_digits',
      'tcp_keepalive = 1',
      'tcp_keepidle = 30',
      'tcp_keepintvl = 5',
      'tcp_keepcnt = 3',
      'tcp_user_timeout = 40000',
      'server_connect_timeout = 5',
      'server_login_retry = 0.1',
      'query_wait_timeout = 30',
      'server_fast_close = 1',
    ]);
    expect(all.map(({ id }) => id)).not.toContain('pgbouncer-transaction-mode');
  });

  it('takes in by a reload where the primary is', () => {
    const service = all.find((r) => keyOf(r) === 'unit:pgbouncer.service');
    expect(service).toMatchObject({
      reloadFor: [
        'file:/etc/pgbouncer/databases.ini',
        'file:/etc/pgbouncer/pgbouncer.ini',
        'file:/etc/pgbouncer/userlist.txt',
      ],
    });
  });

  describe('in transaction mode', () => {
    const cluster: Cluster = {
      ...spread,
      pgbouncer: { ...spread.pgbouncer, poolMode: 'transaction' },
    };

    it('lets nothing of a session reach the next client, and keeps postgres in session mode', () => {
      const given = wantedBy(pgbouncer, cluster, pool);
      expect(lines(textAt(given, '/etc/pgbouncer/pgbouncer.ini'))).toEqual(
        expect.arrayContaining([
          'pool_mode = transaction',
          'server_reset_query = DISCARD ALL',
          'server_reset_query_always = 1',
          'max_prepared_statements = 200',
        ]),
      );
      expect(textAt(given, '/etc/pgbouncer/databases.ini')).toMatch(
        /^postgres = .* pool_mode=session$/m,
      );
      const site = testSite(cluster, pool, { debian: 12 });
      const old = textAt(pgbouncer.configure(site), '/etc/pgbouncer/pgbouncer.ini');
      expect(old).toContain('server_reset_query_always = 1');
      expect(old).not.toContain('max_prepared_statements');
    });

    it('first asks PostgreSQL itself for add-ons that need sessions', () => {
      const keys = pgbouncer.configure(testSite(cluster, pool)).map(keyOf);
      expect(keys.indexOf('check:pgbouncer-transaction-mode')).toBeGreaterThan(0);
      expect(keys.indexOf('check:pgbouncer-transaction-mode')).toBeLessThan(
        keys.indexOf('file:/etc/pgbouncer/pgbouncer.ini'),
      );
      expect(wantedBy(pgbouncer, cluster, pool)).toContainEqual(
        expect.objectContaining({
          name: 'pgbouncer-transaction-mode',
          expect: 'none',
          command:
            "printf '%s\\n' 'SELECT to_regclass($$public.ir_module_module$$) IS NOT NULL AS odoo \\gset' " +
            "'\\if :odoo' " +
            "'SELECT coalesce(string_agg(name, $$, $$ ORDER BY name), $$none$$) FROM ir_module_module' " +
            "'WHERE name IN ($$queue_job$$) AND state IN ($$installed$$, $$to install$$, $$to upgrade$$);' " +
            "'\\else' 'SELECT $$none$$;' '\\endif' | " +
            'PGPASSFILE=/etc/odoo-prov/pgbouncer.pgpass PGCONNECT_TIMEOUT=4 psql -XAtqw ' +
            '-h 198.51.100.31 -p 5432 -U odoo -d acme 2>&1',
        }),
      );
    });
  });

  it('has the verifier that the server has, and no plain password', () => {
    const users = textAt(all, '/etc/pgbouncer/userlist.txt');
    expect(users).toMatch(/^"odoo" "SCRAM-SHA-256\$4096:/);
    expect(users).not.toContain('secret-odoo-db-password');
  });

  it('puts what needs a restart in a file of its own', () => {
    const settings = { listen_backlog: 256, stats_period: 30 };
    const cluster = { ...spread, pgbouncer: { ...spread.pgbouncer, settings } };
    const given = wantedBy(pgbouncer, cluster, pool);
    expect(textAt(given, '/etc/pgbouncer/start.ini')).toContain('listen_backlog = 256');
    expect(textAt(given, '/etc/pgbouncer/pgbouncer.ini')).toContain('stats_period = 30');
    expect(textAt(given, '/etc/pgbouncer/pgbouncer.ini')).not.toContain('listen_backlog');
  });

  it('has descriptors for all clients', () => {
    const dropIn = textAt(all, '/etc/systemd/system/pgbouncer.service.d/odoo-prov.conf');
    expect(Number(/LimitNOFILE=(\d+)/.exec(dropIn)?.[1])).toBe(11000);
  });
});

describe('redis', () => {
  it('asks for a password and keeps sessions through a restart', () => {
    const config = fileAt(wantedBy(redis, spread, store), '/etc/redis/redis.conf');
    expect(config).toMatchObject({ owner: 'redis', group: 'redis', mode: '0640' });
    const lines = reveal(config.content).split('\n');
    expect(lines).toContain('requirepass secret-redis-password');
    expect(lines).toContain('bind 198.51.100.51 127.0.0.1');
    expect(lines).toContain('appendonly yes');
    expect(lines).toContain('maxmemory-policy volatile-lru');
  });

  it('leaves the kernel to PostgreSQL where they share a host', () => {
    const overcommit = 'sysctl:vm.overcommit_memory';
    expect(wantedBy(redis, spread, store).map(keyOf)).toContain(overcommit);
    expect(wantedBy(redis, single, one).map(keyOf)).not.toContain(overcommit);
  });
});

describe('base', () => {
  it('never lets an update restart a service of the cluster', () => {
    const all = wantedBy(base, spread, db);
    const apt = textAt(all, '/etc/apt/apt.conf.d/52odoo-prov');
    for (const name of ['postgresql', 'pgbouncer', 'redis', 'odoo', 'nginx']) {
      expect(apt).toContain(`"^${name}";`);
      expect(textAt(all, '/etc/needrestart/conf.d/50-odoo-prov.conf')).toContain(name);
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
      expect(JSON.stringify(wantedBy(role, cluster, host))).not.toMatch(/secret-|SCRAM-SHA-256\$/);
    }
  });

  it('install the session module with its licence', () => {
    const all = sessionModuleFiles(testSite(spread, app));
    const folder = '/usr/lib/odoo-prov/addons/odoo_prov_session_redis';
    expect(textAt(all, `${folder}/__manifest__.py`)).toContain("'license': 'LGPL-3'");
    expect(textAt(all, `${folder}/LICENSE`)).toContain('GNU LESSER GENERAL PUBLIC LICENSE');
    expect(fileAt(all, `${folder}/store.py`).content).not.toBeInstanceOf(Secret);
  });
});
