import {
  connectionBudget,
  machineOf,
  postgresSizing,
  sharesWithOdoo,
} from '../../src/inventory/sizing.js';
import type { Setting, Settings } from '../../src/inventory/cluster.js';
import type { Site } from '../../src/role/role.js';

/** Logs of the cluster: in a folder of their own, where Debian's logrotate does not cut them as well. */
export const LOG_FOLDER = '/var/log/postgresql/odoo-prov';

/** What has nothing to do with the host's size. Why each is there: docs of PostgreSQL, and Odoo's ways. */
const GENERAL: Settings = {
  port: 5432,
  // Checksums are a matter of the cluster; this makes a lost primary rejoin by pg_rewind in any case.
  wal_level: 'replica',
  wal_log_hints: true,
  wal_compression: 'lz4',
  // Odoo's queries are short: compiling them costs more than it saves.
  jit: false,
  // A host that vanished is noticed within 45 s, not after two hours.
  tcp_keepalives_idle: 30,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  tcp_user_timeout: '30s',
  ssl: true,
  ssl_cert_file: '/etc/ssl/certs/ssl-cert-snakeoil.pem',
  ssl_key_file: '/etc/ssl/private/ssl-cert-snakeoil.key',
  password_encryption: 'scram-sha-256',
  // Seven days of logs, one file a day, readable by people (.log) and machines (.json).
  logging_collector: true,
  log_destination: 'stderr,jsonlog',
  log_directory: LOG_FOLDER,
  log_filename: 'postgresql-%a.log',
  log_file_mode: '0640',
  log_rotation_age: '1d',
  log_rotation_size: 0,
  log_truncate_on_rotation: true,
  log_line_prefix: '%m [%p] %q%u@%d/%a ',
  log_min_duration_statement: '1s',
  log_autovacuum_min_duration: '10s',
  log_checkpoints: true,
  log_lock_waits: true,
  log_temp_files: '16MB',
  track_io_timing: true,
  'pg_stat_statements.track': 'top',
};

/** The preloaded libraries: what the inventory wants, and pg_stat_statements in any case. */
function preloaded(given: Setting | undefined): string {
  const list = given === undefined ? [] : String(given).split(',');
  const libraries = list.map((library) => library.trim()).filter((library) => library !== '');
  return [...new Set(['pg_stat_statements', ...libraries])].join(',');
}

/**
 * The settings of a database host: general ones, those sized from the host and the cluster's connections,
 * then the inventory's, which win.
 */
export function settingsOf(site: Site): Settings {
  const { cluster, host, facts } = site;
  const { maxConnections } = connectionBudget(cluster, (of) => site.factsOf(of));
  const own = cluster.postgres.settings;
  return {
    listen_addresses: `localhost,${host.address}`,
    ...GENERAL,
    ...postgresSizing({
      ...machineOf(host, facts),
      disk: host.disk ?? 'ssd',
      maxConnections,
      shared: sharesWithOdoo(host),
    }),
    ...own,
    shared_preload_libraries: preloaded(own['shared_preload_libraries']),
  };
}
