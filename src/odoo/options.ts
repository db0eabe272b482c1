import { hostsWith, type Setting } from '../inventory/cluster.js';
import { odooSizing, otherOdooSettings } from '../inventory/sizing.js';
import type { Site } from '../role/role.js';
import { reveal, Secret } from '../shell/index.js';
import {
  addressOf,
  databaseOf,
  edgeServesFilestore,
  GEVENT_PORT,
  HTTP_PORT,
  majorVersion,
  ODOO_USER,
  onlyOneHost,
  OUR_ADDONS,
  POSTGRES_PORT,
  postgresOf,
  readsFromReplicas,
  sessionsOf,
  SPARE_GEVENT_PORT,
  type Endpoint,
  type OdooService,
} from './layout.js';

/** odoo.conf as data: keys in the order in which they are written. */
export type OdooOptions = Readonly<Record<string, Setting | Secret>>;

/** Seconds that one request may take; the edge waits as long (720 s, Odoo's "Deploying Odoo"). */
export const REQUEST_LIMIT = 720;
/** Seconds that one cron job may take. */
export const JOB_LIMIT = 3600;

/** Our module that keeps sessions in Redis. */
export const SESSION_MODULE = 'odoo_prov_session_redis';
/** Our module that brings the bus back soon after a lost database. */
export const BUS_MODULE = 'odoo_prov_bus';

/**
 * The options of one service's configuration file. `odoo.settings` of the inventory win over everything
 * that is not a matter of which service this is.
 */
export function serviceOptions(site: Site, service: OdooService): OdooOptions {
  const { cluster, host } = site;
  const sizing = odooSizing(cluster, host, site.facts);
  const memory = sizing.limitMemory[service];
  const oldGevent = service === 'gevent' && majorVersion(cluster.odoo.version) < 17;
  return {
    ...commonOptions(site, databaseOf(cluster, host)),
    ...moduleOptions(site, service),
    ...sessionOptions(site),
    ...(service === 'app' && replicaOptions(site)),
    proxy_mode: true,
    x_sendfile: edgeServesFilestore(cluster),
    http_interface: onlyOneHost(cluster) ? '127.0.0.1' : '0.0.0.0',
    db_maxconn: oldGevent ? sizing.dbMaxconnGevent : sizing.dbMaxconn,
    ...(majorVersion(cluster.odoo.version) >= 17 && { db_maxconn_gevent: sizing.dbMaxconnGevent }),
    ...(majorVersion(cluster.odoo.version) >= 19 && { db_app_name: `odoo-${service}-{pid}` }),
    limit_memory_soft: memory.soft,
    limit_memory_hard: memory.hard,
    ...timeLimits(service),
    ...general(site),
    ...ownOptions(site, service),
  };
}

/** The options with which the database is initialised: straight to PostgreSQL, one process, no demo data. */
export function databaseOptions(site: Site): OdooOptions {
  const { cluster, host } = site;
  return {
    ...commonOptions(site, postgresOf(cluster, host)),
    http_interface: '127.0.0.1',
    http_enable: false,
    workers: 0,
    max_cron_threads: 0,
    ...(majorVersion(cluster.odoo.version) < 19 && { without_demo: 'all' }),
  };
}

function commonOptions(site: Site, database: Endpoint): OdooOptions {
  const { cluster } = site;
  return {
    data_dir: cluster.filestore.path,
    db_host: database.host,
    db_port: database.port,
    db_user: ODOO_USER,
    db_password: site.secret('odoo-db-password'),
    db_name: cluster.odoo.database,
    list_db: false,
    // Empty: nobody can create, drop or download a database over the network.
    admin_passwd: '',
    unaccent: true,
  };
}

function moduleOptions({ cluster }: Site, service: OdooService): OdooOptions {
  const { settings, version, sessions } = cluster.odoo;
  const given = settings['addons_path'];
  const ours = [
    ...(sessions === 'redis' ? [SESSION_MODULE] : []),
    ...(service === 'gevent' ? [BUS_MODULE] : []),
  ];
  const path = [
    ...(given === undefined ? [] : [String(given)]),
    ...(ours.length > 0 ? [OUR_ADDONS] : []),
  ];
  // A start without Odoo's own server-wide modules answers nothing: ours is added, never alone.
  const own = majorVersion(version) >= 19 ? ['base', 'rpc', 'web'] : ['base', 'web'];
  return {
    // Odoo adds the packages' own folders itself; an empty list would be an error before 19.
    ...(path.length > 0 && { addons_path: path.join(',') }),
    server_wide_modules: [...own, ...ours].join(','),
  };
}

/**
 * Where Odoo 18 and newer read: straight from the replicas, since a pooler in between would have to know
 * two servers under one database name. Each app host begins with another one; libpq goes on to the next
 * where one does not answer, and Odoo itself to the primary where none does. A replica that was promoted
 * stays in the list: reading from a primary is right, too.
 */
function replicaOptions({ written, host }: Site): OdooOptions {
  if (!readsFromReplicas(written)) return {};
  const replicas = hostsWith(written, 'pg-replica').map((replica) => addressOf(replica, host));
  const place = hostsWith(written, 'app').findIndex(({ name }) => name === host.name);
  const first = Math.max(0, place) % replicas.length;
  return {
    db_replica_host: [...replicas.slice(first), ...replicas.slice(0, first)].join(','),
    // Without it libpq would take its own default, whatever db_port says.
    db_replica_port: POSTGRES_PORT,
  };
}

/** Read by {@link SESSION_MODULE}; stock Odoo has no such options. */
function sessionOptions(site: Site): OdooOptions {
  const redis = sessionsOf(site.cluster, site.host);
  if (redis === undefined) return {};
  const password = encodeURIComponent(reveal(site.secret('redis-password')));
  return {
    session_store: 'redis',
    session_store_url: new Secret(`redis://:${password}@${redis.host}:${String(redis.port)}/0`),
  };
}

function timeLimits(service: OdooService): OdooOptions {
  if (service === 'gevent') return {};
  if (service === 'app') return { limit_time_cpu: 600, limit_time_real: REQUEST_LIMIT };
  // limit_time_real_cron alone is not enough: a job is a process's CPU time as well.
  return {
    limit_time_cpu: JOB_LIMIT,
    limit_time_real: JOB_LIMIT,
    limit_time_real_cron: JOB_LIMIT,
  };
}

function general({ cluster }: Site): OdooOptions {
  const settings = Object.entries(otherOdooSettings(cluster));
  return Object.fromEntries(settings.filter(([key]) => key !== 'addons_path'));
}

/** What makes the service the one it is; no setting may change it. */
function ownOptions({ cluster, host, facts }: Site, service: OdooService): OdooOptions {
  const sizing = odooSizing(cluster, host, facts);
  switch (service) {
    case 'app':
      return {
        http_enable: true,
        http_port: HTTP_PORT,
        workers: sizing.workers,
        max_cron_threads: 0,
        // A prefork service always starts an evented child; beside the gevent service it needs its own port.
        gevent_port: SPARE_GEVENT_PORT,
      };
    case 'cron':
      // workers only selects prefork: without HTTP none is started, and cron outlives a lost database.
      return { http_enable: false, workers: 2, max_cron_threads: sizing.cronThreads };
    case 'gevent':
      return {
        http_enable: true,
        workers: 0,
        max_cron_threads: 0,
        gevent_port: GEVENT_PORT,
      };
  }
}

/** An option as Odoo's parser reads it; a secret stays one. */
export function optionText(value: Setting | Secret): string | Secret {
  if (value instanceof Secret) return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}
