import { connectionBudget } from '../../src/inventory/connection-budget.js';
import { ODOO_USER, PGBOUNCER_PORT, postgresOf, type Endpoint } from '../../src/odoo/layout.js';
import {
  PGBOUNCER_CONSOLE,
  PGBOUNCER_DATABASES,
  PGBOUNCER_FOLDER,
} from '../../src/odoo/pgbouncer.js';
import { NO_SESSION_ADDON, sessionAddonsCommand } from '../../src/odoo/session-addons.js';
import {
  aptPackage,
  check,
  directory,
  file,
  keyOf,
  pgbouncerDatabase,
  scramVerifier,
  unit,
} from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

const OWNER = { owner: 'postgres', group: 'postgres', mode: '0640' } as const;
const OWN_FOLDER = '/etc/odoo-prov';
const PASS_FILE = `${OWN_FOLDER}/pgbouncer.pgpass`;
/** Statements a client may have prepared at once; PgBouncer has the setting since 1.21 (Debian 13: 1.24). */
const PREPARED_STATEMENTS = 200;

/** The pooler between Odoo and PostgreSQL. */
export const pgbouncer: RoleDefinition = {
  name: 'pgbouncer',
  summary: 'PgBouncer: pools with SCRAM, sized from what Odoo can ask for',
  after: ['base', 'pg-primary'],
  serial: 1,
  on: (host) => host.roles.includes('pgbouncer'),

  install: () => [
    aptPackage({ name: 'pgbouncer' }),
    aptPackage({ name: 'ssl-cert' }),
    aptPackage({ name: 'postgresql-client' }),
  ],

  configure(site) {
    const data = mainData(site);
    const config = (name: string, template: string, values = data): Resource =>
      file({
        path: `${PGBOUNCER_FOLDER}/${name}`,
        content: site.template(`pgbouncer/${template}`, values),
        ...OWNER,
      });
    const databases = config('databases.ini', 'databases.ini.hbs');
    const main = config('pgbouncer.ini', 'pgbouncer.ini.hbs');
    const fixed = config('start.ini', 'start.ini.hbs', {
      address: site.host.address,
      port: PGBOUNCER_PORT,
      settings: entries(site, true),
    });
    const users = config('userlist.txt', 'userlist.txt.hbs', {
      role: ODOO_USER,
      verifier: scramVerifier(ODOO_USER, site.secret('odoo-db-password')),
    });
    const limits = file({
      path: '/etc/systemd/system/pgbouncer.service.d/odoo-prov.conf',
      content: site.template('pgbouncer/service.conf.hbs', { files: filesNeeded(site) }),
    });
    return [
      ...password(site),
      ...transactionAllowed(site),
      fixed,
      users,
      databases,
      main,
      directory({ path: '/etc/systemd/system/pgbouncer.service.d' }),
      limits,
      unit({
        name: 'pgbouncer',
        running: true,
        enabled: true,
        restartFor: [keyOf(fixed), keyOf(limits), 'package:pgbouncer'],
        reloadFor: [keyOf(databases), keyOf(main), keyOf(users)],
      }),
      ...[site.cluster.odoo.database, 'postgres'].map((name) =>
        pgbouncerDatabase({ name, console: PGBOUNCER_CONSOLE }),
      ),
      health(site),
    ];
  },
};

/** Settings that PgBouncer takes at its start only (`SHOW CONFIG`, column `changeable`, 1.18 and 1.24). */
const FIXED: readonly string[] = [
  'disable_pqexec',
  'job_name',
  'listen_addr',
  'listen_backlog',
  'listen_port',
  'pidfile',
  'pkt_buf',
  'resolv_conf',
  'so_reuseport',
  'track_extra_parameters',
  'unix_socket_dir',
  'unix_socket_group',
  'unix_socket_mode',
  'user',
];

/** The inventory's `pgbouncer.settings`, of the one sort or the other. They come last, so they win. */
function entries({ cluster }: Site, fixed: boolean): readonly { key: string; value: string }[] {
  return Object.entries(cluster.pgbouncer.settings)
    .filter(([key]) => FIXED.includes(key) === fixed)
    .map(([key, value]) => ({
      key,
      value: typeof value === 'boolean' ? (value ? '1' : '0') : String(value),
    }));
}

function mainData(site: Site): Readonly<Record<string, unknown>> {
  const { cluster, host, facts } = site;
  const { poolMode, maxClientConn } = cluster.pgbouncer;
  const { poolSize, postgresPoolSize } = connectionBudget(cluster, (of) => site.factsOf(of));
  return {
    database: cluster.odoo.database,
    server: postgresOf(cluster, host),
    poolMode,
    transaction: poolMode === 'transaction',
    preparedStatements: facts.debian >= 13 ? PREPARED_STATEMENTS : undefined,
    poolSize,
    postgresPoolSize,
    maxClientConn,
    includeDatabases: PGBOUNCER_DATABASES,
    includeFixed: `${PGBOUNCER_FOLDER}/start.ini`,
    users: `${PGBOUNCER_FOLDER}/userlist.txt`,
    console: PGBOUNCER_CONSOLE,
    settings: entries(site, false),
  };
}

/**
 * One descriptor a client, one a server connection, and some for itself; in thousands, for PgBouncer is restarted when
 * this changes, and need not be because PostgreSQL takes a few connections more.
 */
function filesNeeded(site: Site): number {
  const { maxConnections } = connectionBudget(site.cluster, (of) => site.factsOf(of));
  return Math.ceil((site.cluster.pgbouncer.maxClientConn + maxConnections + 500) / 1000) * 1000;
}

/** Odoo's password in a file that only root reads, for the checks. */
function password(site: Site): readonly Resource[] {
  return [
    directory({ path: OWN_FOLDER, mode: '0700' }),
    file({
      path: PASS_FILE,
      content: site.template('pgbouncer/pgpass.hbs', {
        role: ODOO_USER,
        password: site.secret('odoo-db-password'),
      }),
      mode: '0600',
    }),
  ];
}

/** Shell words: psql as Odoo's role. */
function psql({ cluster }: Site, { host, port }: Endpoint): string {
  return (
    `PGPASSFILE=${PASS_FILE} PGCONNECT_TIMEOUT=4 psql -XAtqw -h ${host} -p ${String(port)} ` +
    `-U ${ODOO_USER} -d ${cluster.odoo.database}`
  );
}

/**
 * Before transaction pooling is switched on: that no add-on which it would break is installed. It asks
 * PostgreSQL itself, and comes before the configuration, so that a refusal leaves PgBouncer as it was.
 */
function transactionAllowed(site: Site): readonly Resource[] {
  const { cluster, host } = site;
  if (cluster.pgbouncer.poolMode !== 'transaction') return [];
  return [
    check({
      name: 'pgbouncer-transaction-mode',
      command: sessionAddonsCommand(psql(site, postgresOf(cluster, host))),
      expect: NO_SESSION_ADDON,
      within: 2,
      describes:
        `no add-on that needs sessions is installed in ${cluster.odoo.database}, as pool_mode: transaction wants it ` +
        '(uninstall what is found, or set pgbouncer: { pool_mode: session })',
    }),
  ];
}

/** Logs in as Odoo does, all the way to the server. */
function health(site: Site): Resource {
  const { host, cluster } = site;
  const here = { host: host.address, port: PGBOUNCER_PORT };
  return check({
    name: 'pgbouncer-answers',
    command: `${psql(site, here)} -c 'select current_user' 2>&1`,
    expect: ODOO_USER,
    within: 30,
    describes: `${ODOO_USER} reaches the database ${cluster.odoo.database} through PgBouncer on ${host.address}:${String(PGBOUNCER_PORT)}`,
  });
}
