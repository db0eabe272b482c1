import { connectionBudget } from '../inventory/connection-budget.js';
import {
  databaseHosts,
  hostsWith,
  runsOdoo,
  type Setting,
  type Settings,
} from '../inventory/cluster.js';
import { machineOf, postgresSizing } from '../inventory/sizing.js';
import type { Site } from '../role/role.js';
import { archiveSettings } from './archive.js';
import { PORT, REPLICATION_PASS_FILE, REPLICATION_USER, slotOf } from './layout.js';
import { synchronousSettings } from './synchronous.js';

/** Logs of the cluster: in a folder of their own, where Debian's logrotate does not cut them as well. */
export const LOG_FOLDER = '/var/log/postgresql/odoo-prov';

/** What has nothing to do with the host's size. Why each is there: docs of PostgreSQL, and Odoo's ways. */
const GENERAL: Settings = {
  port: PORT,
  // Checksums are a matter of the data; this makes a lost primary rejoin by pg_rewind in any case.
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
  // PostgreSQL's own defaults. Said here so that whoever turns one off is found out: a power cut would cost the data.
  fsync: true,
  full_page_writes: true,
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
 * Replication, alike on all database hosts whatever they are now, so that a promotion changes no file: a
 * standby looks for whichever of the others takes writes. With one host there is nothing to follow.
 */
function replicationOf({ written, host }: Site): Settings {
  const hosts = databaseHosts(written);
  if (hosts.length < 2) return {};
  // Standbys first. When the primary is lost, one of them is the next, while a dead host costs the connect_timeout, for
  // which commits may wait; at all other times a standby says within milliseconds that it takes no writes.
  const others = (['pg-standby', 'pg-primary', 'pg-replica'] as const)
    .flatMap((role) => hostsWith(written, role))
    .filter(({ name }) => name !== host.name);
  const conninfo = {
    // Not this host itself: where it refuses, libpq does not go on to the next.
    host: others.map(({ address }) => address).join(','),
    port: String(PORT),
    user: REPLICATION_USER,
    passfile: REPLICATION_PASS_FILE,
    sslmode: 'require',
    target_session_attrs: 'read-write',
    // libpq's smallest.
    connect_timeout: '2',
    keepalives_idle: '5',
    keepalives_interval: '2',
    keepalives_count: '3',
  };
  return {
    // What a standby calls itself to its primary, and so what synchronous_standby_names lists.
    cluster_name: host.name,
    primary_conninfo: Object.entries(conninfo)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
    primary_slot_name: slotOf(host),
    max_wal_senders: 10 + 2 * hosts.length,
    max_replication_slots: 10 + 2 * hosts.length,
    // A standby that is away longer than this much WAL is served from the archive, or cloned anew; the
    // primary's disk must not fill up for it.
    max_slot_wal_keep_size: '10GB',
    // Kept in any case: what a clone needs between its start and its first WAL, and pg_rewind after a failover.
    wal_keep_size: '512MB',
    hot_standby: true,
    // A long report on a replica must not be cancelled because the primary vacuums what it reads.
    hot_standby_feedback: true,
    wal_retrieve_retry_interval: '1s',
    // A server whose backend died starts anew by systemd, and so is asked by its guard first: not by itself, which would do without.
    restart_after_crash: false,
    wal_sender_timeout: '20s',
    wal_receiver_timeout: '20s',
    ...synchronousSettings(written),
  };
}

/** The five settings of which a standby needs as much as its primary: the largest of all database hosts. */
function sharedMaximum(site: Site): Settings {
  const cores = databaseHosts(site.written).map(
    (host) => machineOf(host, site.factsOf(host)).cores,
  );
  return { max_worker_processes: Math.max(8, ...cores) };
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
      shared: runsOdoo(host),
    }),
    ...sharedMaximum(site),
    ...replicationOf(site),
    ...archiveSettings(site),
    ...own,
    shared_preload_libraries: preloaded(own['shared_preload_libraries']),
  };
}
