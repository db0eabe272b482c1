import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aptPackage,
  directory,
  file,
  postgresCluster,
  postgresDatabase,
  postgresExtension,
  postgresRole,
  postgresSettings,
} from '../../src/resource/index.js';
import { Secret } from '../../src/shell/index.js';
import {
  changes,
  converge,
  describeKind,
  differingFields,
  tryToConverge,
} from '../support/contract.js';
import { type HostShell, labShell, must } from '../support/host-shell.js';
import { testLab } from '../support/lab.js';

let shell: HostShell;

const DROP = `systemctl stop postgresql@17-main 2>/dev/null || :
rm -rf /etc/postgresql/17/main /var/lib/postgresql/17/main /var/lib/odoo-prov/postgres-17-main.making
rm -f /var/log/postgresql/postgresql-17-main.log
systemctl daemon-reload`;
const UP = 'systemctl start postgresql@17-main';
const sql = (text: string, database = 'postgres'): string =>
  `cd / && printf '%s\\n' ${quoted(text)} | setpriv --reuid=postgres --regid=postgres --init-groups psql -XAtq -v ON_ERROR_STOP=1 -d ${database}`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const cluster = postgresCluster({ version: 17 });
const settings = postgresSettings({
  version: 17,
  settings: {
    work_mem: '8MB',
    max_connections: 50,
    tcp_keepalives_idle: 30,
    log_file_mode: '0640',
    jit: false,
    random_page_cost: 1.1,
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.track': 'top',
  },
});
const password = new Secret('a contract password');
const role = postgresRole({ name: 'contract', password });
const database = postgresDatabase({ name: 'contract', owner: 'contract' });
const unaccent = postgresExtension({
  database: 'contract',
  name: 'unaccent',
  immutable: ['unaccent(text)'],
});

beforeAll(async () => {
  shell = labShell(await testLab('contract-trixie', { hosts: [{ name: 'h1' }] }), 'h1');
  await converge(
    shell,
    directory({ path: '/etc/postgresql-common/createcluster.d' }),
    file({
      path: '/etc/postgresql-common/createcluster.d/50-odoo-prov.conf',
      content: 'create_main_cluster = false\n',
    }),
    aptPackage({ name: 'postgresql-17' }),
  );
});
afterAll(() => must(shell, DROP));

describeKind(
  () => shell,
  [
    {
      name: 'postgresCluster',
      resource: cluster,
      start: DROP,
      drifts: [
        { how: 'echo manual >/etc/postgresql/17/main/start.conf', fields: ['start'] },
        { how: 'rm -rf /etc/postgresql/17/main', fields: ['configured', 'start'] },
      ],
      watch: ['/etc/postgresql', '/var/lib/odoo-prov'],
    },
  ],
);

describe('a cluster that is not whole', () => {
  it('is made anew when its making was killed in initdb', async () => {
    await must(shell, DROP);
    await must(
      shell,
      `mkdir -p /var/lib/odoo-prov; : >/var/lib/odoo-prov/postgres-17-main.making
setsid sh -c 'echo $$ >/run/contract.pid; exec pg_createcluster --start-conf=disabled 17 main' >/dev/null 2>&1 &
until [ -s /var/lib/postgresql/17/main/global/pg_control ]; do sleep 0.05; done
kill -KILL -"$(cat /run/contract.pid)"; rm /run/contract.pid
pkill -KILL -u postgres || :`,
    );
    expect(await differingFields(shell, cluster)).toEqual(['state']);
    expect(await differingFields(shell, role)).toEqual(['state']);
    await converge(shell, cluster);
    expect(await differingFields(shell, cluster)).toEqual([]);
    await must(shell, UP);
  });

  it('is left alone when it is not ours', async () => {
    await must(shell, `${DROP}\nmkdir -p /var/lib/postgresql/17/main/precious`);
    const answer = await tryToConverge(shell, cluster);
    expect(answer.stderr).toContain('holds something that is no PostgreSQL data: move it away');
    await must(shell, 'rmdir /var/lib/postgresql/17/main/precious');
  });

  it('is not replaced by an empty one when its data is gone', async () => {
    await must(shell, DROP);
    await converge(shell, cluster);
    await must(shell, 'mv /var/lib/postgresql/17/main /var/lib/postgresql/17/away');
    const answer = await tryToConverge(shell, cluster);
    expect(answer.stderr).toContain('is gone: mount or restore it');
    await must(shell, 'mv /var/lib/postgresql/17/away /var/lib/postgresql/17/main');
    expect(await differingFields(shell, cluster)).toEqual([]);
  });
});

describe('contents of a server', () => {
  beforeAll(async () => {
    await must(shell, DROP);
    await converge(shell, cluster);
  });

  it('are not there in a server that never ran', async () => {
    expect(await differingFields(shell, role)).toEqual(['state']);
    await must(shell, UP);
  });

  describeKind(
    () => shell,
    [
      {
        name: 'postgresSettings',
        resource: settings,
        start: `rm -f /etc/postgresql/17/main/conf.d/50-odoo-prov.conf
systemctl restart postgresql@17-main`,
        drifts: [
          { how: 'rm /etc/postgresql/17/main/conf.d/50-odoo-prov.conf', fields: ['file'] },
          { how: 'echo >>/etc/postgresql/17/main/conf.d/50-odoo-prov.conf', fields: ['file'] },
          {
            how: "echo 'work_mem = 7MB' >>/etc/postgresql/17/main/conf.d/50-odoo-prov.conf",
            fields: ['file', 'in_file'],
          },
          {
            how: "sed -i '/^include_dir/d' /etc/postgresql/17/main/postgresql.conf",
            fields: ['conf_d'],
          },
          {
            // A link stays one: nothing is written through it before PostgreSQL has taken it.
            how: `cd /etc/postgresql/17/main && mv postgresql.conf /etc/postgresql/theirs.conf
sed -i '/^include_dir/d' /etc/postgresql/theirs.conf && ln -s /etc/postgresql/theirs.conf postgresql.conf`,
            fields: ['conf_d'],
          },
          { how: 'chmod 600 /etc/postgresql/17/main/conf.d/50-odoo-prov.conf', fields: ['mode'] },
          {
            how: `${sql("alter system set work_mem = '5MB'")}; systemctl reload postgresql@17-main; sleep 1`,
            fields: ['work_mem'],
          },
          {
            how: `${sql('alter system set max_connections = 60')}; systemctl reload postgresql@17-main; sleep 1`,
            fields: ['pending_restart', 'altered'],
          },
          {
            // Not the inventory's, and no restart takes it back either.
            how: `${sql('alter system set max_prepared_transactions = 5')}; systemctl reload postgresql@17-main; sleep 1`,
            fields: ['pending_restart', 'altered'],
          },
          {
            how: `${sql('alter system set max_connections = 60')}; systemctl restart postgresql@17-main`,
            fields: ['max_connections', 'restart'],
          },
          {
            // Before the server reads it, which its next start does: also what says the same as ours, and what no inventory names.
            how: [
              "alter system set work_mem = '5MB'",
              'alter system set max_connections = 60',
              'alter system set jit = off',
              'alter system set zero_damaged_pages = on',
            ]
              .map((text) => sql(text))
              .join('\n'),
            fields: ['altered'],
          },
          {
            // What no inventory names: ALTER SYSTEM is over everything.
            how: `${sql('alter system set zero_damaged_pages = on')}; systemctl reload postgresql@17-main; sleep 1`,
            fields: ['altered'],
          },
          {
            how: `${sql('create role careless; alter role careless set synchronous_commit = off')}
${sql('alter role careless set work_mem = 65536')}`,
            fields: ['altered'],
          },
          {
            how: sql('alter database postgres set synchronous_commit = off'),
            fields: ['altered'],
          },
          {
            how: sql('alter role careless in database postgres set synchronous_commit = local'),
            fields: ['altered'],
          },
          {
            how: `${sql('alter role all set synchronous_commit = off')}
${sql('alter role all set ignore_checksum_failure = on')}`,
            fields: ['altered'],
          },
        ],
        watch: ['/etc/postgresql'],
      },
      {
        name: 'postgresRole',
        resource: role,
        start: sql('drop database if exists contract; drop role if exists contract'),
        drifts: [
          { how: sql('alter role contract createdb'), fields: ['createdb'] },
          { how: sql('alter role contract createrole'), fields: ['createrole'] },
          { how: sql('alter role contract replication'), fields: ['replication'] },
          { how: sql('alter role contract bypassrls'), fields: ['bypassrls'] },
          { how: sql('alter role contract connection limit 3'), fields: ['connection_limit'] },
          { how: sql("alter role contract password 'other'"), fields: ['password'] },
          { how: sql("alter role contract valid until '2020-01-01'"), fields: ['valid_until'] },
          { how: sql("alter role contract valid until '-infinity'"), fields: ['valid_until'] },
          {
            how: sql("alter role contract password 'other' valid until '2090-01-01'"),
            fields: ['password', 'valid_until'],
          },
          { how: sql('alter role contract superuser nologin'), fields: ['login', 'superuser'] },
        ],
        watch: ['/etc/postgresql'],
      },
    ],
  );

  it('lets the role in by SCRAM, and keeps its verifier out of the log', async () => {
    const url = 'host=127.0.0.1 dbname=postgres user=contract';
    await must(shell, sql("alter system set log_statement = 'all'; select pg_reload_conf();"));
    await must(shell, `${sql('alter role contract createdb')}; sleep 1`);
    await converge(shell, role);
    const who = await must(
      shell,
      `PGPASSWORD='a contract password' psql -XAt '${url}' -c 'select current_user'`,
    );
    expect(who.trim()).toBe('contract');
    expect((await shell(`PGPASSWORD=wrong psql '${url}' -c ''`)).code).not.toBe(0);
    const log = await must(shell, 'cat /var/log/postgresql/postgresql-17-main.log');
    expect(log).toContain('alter role contract createdb');
    expect(log).not.toContain('SCRAM-SHA-256$');
    await must(shell, sql('alter system reset all; select pg_reload_conf();'));
  });

  describeKind(
    () => shell,
    [
      {
        name: 'postgresDatabase',
        resource: database,
        start: sql('drop database if exists contract'),
        drifts: [
          { how: sql('alter database contract owner to postgres'), fields: ['owner'] },
          { how: sql('alter database contract connection limit 1'), fields: ['connection_limit'] },
          {
            how: sql('alter database contract allow_connections false'),
            fields: ['allow_connections'],
          },
          {
            how: sql('alter role contract set default_transaction_read_only = on'),
            fields: ['read_only_by'],
          },
          {
            how: sql('alter database contract set default_transaction_read_only = on'),
            fields: ['read_only_by'],
          },
          {
            how: [
              'alter role contract in database contract set default_transaction_read_only = 1',
              'alter role all set default_transaction_read_only = true',
            ]
              .map((text) => sql(text))
              .join('\n'),
            fields: ['read_only_by'],
          },
        ],
        watch: ['/etc/postgresql'],
      },
    ],
  );

  it('leaves alone a database that is read only for others than its owner', async () => {
    await must(shell, sql('alter database contract set default_transaction_read_only = on'));
    await must(shell, sql('alter role contract set default_transaction_read_only = off'));
    expect(await differingFields(shell, database)).toEqual([]);
    await must(shell, sql('alter role contract reset all'));
    expect(await differingFields(shell, database)).toEqual(['read_only_by']);
    await converge(shell, database);
  });

  it('refuses a database with another collation', async () => {
    await must(
      shell,
      sql(
        "drop database contract; create database contract template template0 lc_collate 'C.UTF-8'",
      ),
    );
    const answer = await tryToConverge(shell, database);
    expect(answer.stderr).toContain('exists with encoding UTF8 and collation C.UTF-8, wanted');
    await must(shell, sql('drop database contract'));
    await converge(shell, database);
  });

  describeKind(
    () => shell,
    [
      {
        name: 'postgresExtension',
        resource: unaccent,
        start: sql('drop extension if exists unaccent', 'contract'),
        drifts: [
          {
            how: sql('alter function unaccent(text) volatile', 'contract'),
            fields: ['immutable'],
          },
          {
            how: sql(
              'create schema if not exists other; alter extension unaccent set schema other',
              'contract',
            ),
            fields: ['schema', 'immutable'],
          },
        ],
        watch: ['/etc/postgresql'],
      },
    ],
  );

  it('refuses a setting that the server does not know, and keeps the old ones', async () => {
    await converge(shell, settings);
    const wrong = postgresSettings({ version: 17, settings: { work_memory: '8MB' } });
    const answer = await tryToConverge(shell, wrong);
    expect(answer.stderr).toContain('unrecognized configuration parameter "work_memory"');
    expect(await differingFields(shell, settings)).toEqual([]);
  });

  it('goes back to what it ran with when it does not start with new settings, and says why', async () => {
    await must(shell, UP);
    await converge(shell, settings);
    const wrong = postgresSettings({
      version: 17,
      settings: { ...settings.settings, shared_buffers: '4TB' },
    });
    const answer = await tryToConverge(shell, wrong);
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toMatch(/could not (map anonymous|create any) .*shared memory/);
    expect(answer.stderr).toContain(
      'the settings before are in place again, and it runs with them',
    );
    expect((await must(shell, sql('show work_mem'))).trim()).toBe('8MB');
    expect(await differingFields(shell, settings)).toEqual([]);
  });

  it('says why also where that stands in a log of the server’s own', async () => {
    await must(shell, UP);
    await converge(shell, settings);
    const wrong = postgresSettings({
      version: 17,
      settings: {
        ...settings.settings,
        logging_collector: 'on',
        log_directory: '/var/log/postgresql',
        listen_addresses: '192.0.2.9',
      },
    });
    const answer = await tryToConverge(shell, wrong);
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toMatch(
      /PostgreSQL's own log, \/var\/log\/postgresql\/.*: FATAL: could not create any TCP\/IP sockets/,
    );
    expect(await differingFields(shell, settings)).toEqual([]);
  });

  it('are no difference while the server is stopped, and unknown when it answers nobody', async () => {
    await must(shell, 'systemctl stop postgresql@17-main');
    expect(await changes(shell, [role, database, unaccent, settings])).toEqual([]);
    await must(
      shell,
      `${UP}; cp -p /etc/postgresql/17/main/pg_hba.conf /run/hba
echo local all all reject >/etc/postgresql/17/main/pg_hba.conf; systemctl reload postgresql@17-main; sleep 1`,
    );
    const [change] = await changes(shell, [role]);
    await must(
      shell,
      'cp -p /run/hba /etc/postgresql/17/main/pg_hba.conf; systemctl reload postgresql@17-main',
    );
    expect(JSON.stringify(change?.have)).toMatch(/unknown.*pg_hba.conf rejects connection/);
  });
});
