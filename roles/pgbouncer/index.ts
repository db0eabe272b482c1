import { hostsWith } from '../../src/inventory/cluster.js';
import { connectionBudget } from '../../src/inventory/sizing.js';
import { ODOO_USER, postgresOf } from '../../src/odoo/layout.js';
import {
  aptPackage,
  check,
  directory,
  file,
  keyOf,
  scramVerifier,
  unit,
} from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

const PORT = 6432;
const FOLDER = '/etc/pgbouncer';
const OWNER = { owner: 'postgres', group: 'postgres', mode: '0640' } as const;
const PASS_FILE = '/etc/odoo-prov/pgbouncer.pgpass';

/** The pooler between Odoo and PostgreSQL. */
export const pgbouncer: RoleDefinition = {
  name: 'pgbouncer',
  summary: 'PgBouncer: session pooling with SCRAM, pools sized from what Odoo can ask for',
  after: ['base', 'pg-primary'],
  on: (host) => host.roles.includes('pgbouncer'),

  install: () => [
    aptPackage({ name: 'pgbouncer' }),
    aptPackage({ name: 'ssl-cert' }),
    aptPackage({ name: 'postgresql-client' }),
  ],

  configure(site) {
    const main = file({
      path: `${FOLDER}/pgbouncer.ini`,
      content: site.template('pgbouncer/pgbouncer.ini.hbs', mainData(site)),
      ...OWNER,
    });
    const fixed = file({
      path: `${FOLDER}/start.ini`,
      content: site.template('pgbouncer/start.ini.hbs', {
        address: site.host.address,
        port: PORT,
        settings: entries(site, true),
      }),
      ...OWNER,
    });
    const users = file({
      path: `${FOLDER}/userlist.txt`,
      content: site.template('pgbouncer/userlist.txt.hbs', {
        role: ODOO_USER,
        verifier: scramVerifier(ODOO_USER, site.secret('odoo-db-password')),
      }),
      ...OWNER,
    });
    const limits = file({
      path: '/etc/systemd/system/pgbouncer.service.d/odoo-prov.conf',
      content: site.template('pgbouncer/service.conf.hbs', { files: filesNeeded(site) }),
    });
    return [
      fixed,
      users,
      main,
      directory({ path: '/etc/systemd/system/pgbouncer.service.d' }),
      limits,
      unit({
        name: 'pgbouncer',
        running: true,
        enabled: true,
        restartFor: [keyOf(fixed), keyOf(limits), 'package:pgbouncer'],
        reloadFor: [keyOf(main), keyOf(users)],
      }),
      ...health(site),
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

/** Several PgBouncers share the connections that PostgreSQL allows. */
function mainData(site: Site): Readonly<Record<string, unknown>> {
  const { cluster, host } = site;
  const budget = connectionBudget(cluster, (of) => site.factsOf(of));
  const share = (pool: number): number => Math.ceil(pool / hostsWith(cluster, 'pgbouncer').length);
  return {
    database: cluster.odoo.database,
    server: postgresOf(cluster, host),
    poolMode: cluster.pgbouncer.poolMode,
    poolSize: share(budget.poolSize),
    postgresPoolSize: share(budget.postgresPoolSize),
    maxClientConn: cluster.pgbouncer.maxClientConn,
    includeFixed: `${FOLDER}/start.ini`,
    users: `${FOLDER}/userlist.txt`,
    settings: entries(site, false),
  };
}

/** One descriptor a client, one a server connection, and some for itself. */
function filesNeeded(site: Site): number {
  const { maxConnections } = connectionBudget(site.cluster, (of) => site.factsOf(of));
  return site.cluster.pgbouncer.maxClientConn + maxConnections + 500;
}

/** Logs in as Odoo does, all the way to the server. The password is read from a file that only root reads. */
function health(site: Site): readonly Resource[] {
  const { host, cluster } = site;
  const database = cluster.odoo.database;
  const pass = file({
    path: PASS_FILE,
    content: site.template('pgbouncer/pgpass.hbs', {
      port: PORT,
      role: ODOO_USER,
      password: site.secret('odoo-db-password'),
    }),
    mode: '0600',
  });
  return [
    directory({ path: '/etc/odoo-prov', mode: '0700' }),
    pass,
    check({
      name: 'pgbouncer-answers',
      command:
        `PGPASSFILE=${PASS_FILE} PGCONNECT_TIMEOUT=4 psql -XAtqw -h ${host.address} -p ${String(PORT)} ` +
        `-U ${ODOO_USER} -d ${database} -c 'select current_user' 2>&1`,
      expect: ODOO_USER,
      within: 30,
      describes: `${ODOO_USER} reaches the database ${database} through PgBouncer on ${host.address}:${String(PORT)}`,
    }),
  ];
}
