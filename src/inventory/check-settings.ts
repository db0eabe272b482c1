import type { Mistake } from './source.js';
import { own } from './own.js';
import { isRecord, type View } from './view.js';
import { show } from './words.js';

/** Why a key must not be set, and what to do instead. */
type Rule = readonly [reason: string, instead: string];

const TOPOLOGY: Rule = ['it follows from the hosts and their roles', 'the key left out'];
const SECRET: Rule = ['odoo-prov makes this secret and keeps it encrypted', 'the key left out'];
const LAYOUT: Rule = ['the service unit and other roles rely on it', 'the key left out'];

function all(keys: readonly string[], rule: Rule): Record<string, Rule> {
  return Object.fromEntries(keys.map((key) => [key, rule]));
}

/** Keys that follow from something else in the inventory. */
const OWNED: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  odoo: {
    ...all(['db_host', 'db_port', 'db_user', 'http_enable', 'http_interface'], TOPOLOGY),
    ...all(['http_port', 'gevent_port', 'longpolling_port', 'proxy_mode', 'x_sendfile'], TOPOLOGY),
    ...all(['xmlrpc', 'xmlrpc_interface', 'xmlrpc_port', 'db_sslmode'], TOPOLOGY),
    ...all(['admin_passwd', 'db_password'], SECRET),
    ...all(['logfile', 'syslog', 'pidfile', 'server_wide_modules', 'db_app_name'], LAYOUT),
    ...all(
      ['session_store', 'session_store_url'],
      ['odoo.sessions says it', 'odoo: { sessions: … }'],
    ),
    db_name: ['odoo.database says it', 'odoo: { database: … }'],
    dbfilter: ['odoo.database is the only one', 'odoo: { database: … }'],
    data_dir: ['filestore.path says it', 'filestore: { path: … }'],
    list_db: ['the database manager is closed in a cluster', 'the key left out'],
    ...all(
      ['db_replica_host', 'db_replica_port'],
      ['the hosts with the role pg-replica say it', 'the key left out'],
    ),
  },
  postgres: {
    ...all(['listen_addresses', 'port'], TOPOLOGY),
    ...all(['data_directory', 'hba_file', 'ident_file', 'config_file'], LAYOUT),
    ...all(['external_pid_file', 'unix_socket_directories', 'include', 'include_dir'], LAYOUT),
    password_encryption: ['PgBouncer relies on scram-sha-256', 'the key left out'],
    ...all(['primary_conninfo', 'primary_slot_name', 'cluster_name'], TOPOLOGY),
    ...all(['hot_standby', 'recovery_target_timeline', 'wal_level', 'wal_log_hints'], LAYOUT),
    restart_after_crash: ['the guard is asked before each start', 'the key left out'],
    ...all(
      ['synchronous_standby_names', 'synchronous_commit'],
      ['postgres.replication says it', 'postgres: { replication: { synchronous: … } }'],
    ),
  },
  pgbouncer: {
    ...all(['listen_addr', 'listen_port'], TOPOLOGY),
    ...all(['auth_type', 'auth_file', 'auth_hba_file', 'auth_query', 'auth_user'], SECRET),
    ...all(['logfile', 'pidfile', 'unix_socket_dir', 'user', 'conffile'], LAYOUT),
    pool_mode: ['pgbouncer.pool_mode says it', 'pgbouncer: { pool_mode: … }'],
    max_client_conn: ['pgbouncer.max_client_conn says it', 'pgbouncer: { max_client_conn: … }'],
  },
  redis: {
    ...all(['bind', 'port', 'protected-mode', 'unixsocket', 'replicaof'], TOPOLOGY),
    ...all(['requirepass', 'user', 'aclfile', 'masterauth'], SECRET),
    ...all(['dir', 'logfile', 'pidfile', 'supervised', 'daemonize', 'include'], LAYOUT),
  },
};

function off(value: unknown): boolean {
  return ['off', 'false', 'no', '0'].includes(String(value).toLowerCase());
}

type Test = (value: unknown) => string | undefined;

/** Odoo ends at its start over a number that is none. */
const number: Test = (value) =>
  typeof value === 'boolean' || String(value).trim() === '' || !Number.isFinite(Number(value))
    ? 'it is not a number, and Odoo would not start'
    : undefined;
const wholeNumber: Test = (value) =>
  number(value) ?? (Number.isInteger(Number(value)) ? undefined : 'it is not a whole number');

function whole(keys: readonly string[]): Record<string, readonly [Test, string]> {
  return Object.fromEntries(keys.map((key) => [key, [wholeNumber, 'a whole number']]));
}

/** Values that break one of the principles, or the data: section → key → what is wrong with the value. */
const REFUSED: Readonly<Record<string, Readonly<Record<string, readonly [Test, string]>>>> = {
  odoo: {
    workers: [
      (value) =>
        below(value, 2)
          ? 'fewer than 2 workers cannot print a PDF; 0 loses cron for ever'
          : undefined,
      '2 or more',
    ],
    max_cron_threads: [
      (value) => (below(value, 1) ? 'cron hosts without cron threads run no job' : undefined),
      '1 or more, for cron hosts; app hosts have none',
    ],
    ...whole([
      'db_maxconn',
      'db_maxconn_gevent',
      'limit_memory_soft',
      'limit_memory_hard',
      'limit_memory_soft_gevent',
      'limit_memory_hard_gevent',
      'limit_time_cpu',
      'limit_time_real',
      'limit_time_real_cron',
      'limit_time_worker_cron',
      'limit_request',
      'osv_memory_count_limit',
    ]),
    transient_age_limit: [number, 'a number'],
  },
  postgres: {
    autovacuum: [
      (value) => (off(value) ? 'autovacuum is never off: tables would bloat' : undefined),
      'on',
    ],
    track_counts: [
      (value) => (off(value) ? 'autovacuum is blind without track_counts' : undefined),
      'on',
    ],
    fsync: [(value) => (off(value) ? 'a crash would destroy the database' : undefined), 'on'],
    full_page_writes: [
      (value) => (off(value) ? 'a crash would destroy the database' : undefined),
      'on',
    ],
    shared_preload_libraries: [
      (value) =>
        String(value)
          .split(/[\s,'"]+/)
          .includes('pg_stat_statements')
          ? undefined
          : 'pg_stat_statements is missing: nobody could tell which queries cost time',
      'a list with pg_stat_statements in it',
    ],
    'pg_stat_statements.track': [
      (value) => (value === 'none' ? 'nobody could tell which queries cost time' : undefined),
      'top or all',
    ],
    logging_collector: [
      (value) => (off(value) ? 'PostgreSQL would keep no log of its own' : undefined),
      'on',
    ],
  },
};

function below(value: unknown, least: number): boolean {
  const number = Number(value);
  return !(Number.isInteger(number) && number >= least);
}

/** Settings that the program itself writes, or that break a principle. */
export function checkSettings(view: View): Mistake[] {
  return Object.keys(OWNED).flatMap((section) => {
    const settings = view.at(section, 'settings');
    if (!isRecord(settings)) return [];
    return Object.entries(settings).flatMap(([key, value]): Mistake[] => {
      const path = [section, 'settings', key];
      const owned = own(OWNED[section], key.toLowerCase());
      if (owned !== undefined) {
        const [reason, expected] = owned;
        return [{ path, at: 'key', message: `${key} is not yours to set: ${reason}`, expected }];
      }
      const [test, expected] = own(REFUSED[section] ?? {}, key.toLowerCase()) ?? [];
      const reason = test?.(value);
      if (reason === undefined || expected === undefined) return [];
      return [{ path, at: 'value', message: `${key}: ${show(value)}: ${reason}`, expected }];
    });
  });
}
