import type { Failure } from '../failure/failure.js';
import type { RoleName } from '../inventory/cluster.js';
import type { ConnectionBudget } from '../inventory/connection-budget.js';
import type { BackupStatus } from './backup.js';
import type { EdgeStatus } from './edge.js';
import type { FailoverTestStatus } from './failover-test.js';
import type { FilestoreBackupStatus } from './filestore-backup.js';
import type { JobsStatus } from './jobs.js';
import type { OdooServiceStatus } from './odoo.js';
import type { PgbouncerStatus } from './pgbouncer.js';
import type { PostgresStatus, Slot } from './postgres.js';
import type { RedisStatus } from './redis.js';
import type { ServiceStatus } from './services.js';
import type { SystemStatus } from './system.js';
import type { UnusableFile } from './unusable-files.js';
import type { Wanted } from './wanted.js';

/** What one host said. A part is null where the host's roles do not have it, or it could not be looked at. */
export interface HostStatus {
  readonly host: string;
  readonly address: string;
  /** The inventory's. */
  readonly roles: readonly RoleName[];
  /** Why it could not be asked; everything below is null then. */
  readonly failure: Failure | null;
  /** Parts that could not be looked at, and why. */
  readonly unknown: readonly { readonly part: string; readonly why: string }[];
  readonly system: SystemStatus | null;
  readonly services: readonly ServiceStatus[] | null;
  readonly postgres: PostgresStatus | null;
  /** PostgreSQL's last words of its last start, where that failed. */
  readonly startFailed: string | null;
  /** A segment of WAL that this standby lacks, and neither its primary nor the archive has any more. */
  readonly walGone: string | null;
  /** Files that PostgreSQL will need and cannot use. */
  readonly unusable: readonly UnusableFile[] | null;
  /** A restore in place has not come to its end: it runs, or was cut off. */
  readonly restoring: boolean;
  /** To where it goes, as `restore` was told: `--to-time '…'`; empty where that is not known, null where there is none. */
  readonly restoringTo: string | null;
  /** Since when and why the guard does not start a primary's data; null where it does, and on other hosts. */
  readonly fenced: string | null;
  /** Folders of data that is no database's any more: kept by restores and rejoins, or a copy of a moment. */
  readonly kept: readonly string[] | null;
  /** Who tests this host now, and what a test has broken on it. */
  readonly failoverTest: FailoverTestStatus | null;
  readonly jobs: JobsStatus | null;
  readonly pgbouncer: PgbouncerStatus | null;
  readonly redis: RedisStatus | null;
  readonly odoo: readonly OdooServiceStatus[] | null;
  readonly edge: EdgeStatus | null;
  readonly backup: BackupStatus | null;
  readonly filestoreBackup: FilestoreBackupStatus | null;
}

/** What a database host is now, whatever the inventory calls it. */
export interface DatabaseMember {
  readonly host: string;
  /** Null where PostgreSQL does not answer. */
  readonly role: 'primary' | 'standby' | 'replica' | null;
  /**
   * `writable`; of a standby `streaming`, `catching up`, or `not streaming`; else `down`, `failed` (it runs and
   * does not answer), `absent` (no data), `unreachable` (the host), `unknown` (it could not be looked at).
   */
  readonly state:
    | 'writable'
    | 'streaming'
    | 'catching up'
    | 'not streaming'
    | 'down'
    | 'failed'
    | 'absent'
    | 'unreachable'
    | 'unknown';
  readonly timeline: number | null;
  /** Bytes of the primary's WAL that it has not replayed; null where that is not known, or its WAL went another way. */
  readonly lagBytes: number | null;
  /** Seconds by which what can be read there is older than on the primary; of one that does not follow, since its newest transaction. */
  readonly lagSeconds: number | null;
  /** `async`, `sync`, `quorum`, `potential`. */
  readonly sync: string | null;
  /** Its slot on the primary. */
  readonly slot: Slot | null;
}

export interface DatabaseStatus {
  /** The host that takes the writes; of several the one with the highest timeline; null if none was seen. */
  readonly primary: string | null;
  /** All hosts that take writes. More than one is the gravest of problems. */
  readonly writable: readonly string[];
  readonly timeline: number | null;
  /** `synchronous_standby_names` of the primary; empty: commits wait for no standby. */
  readonly synchronous: string;
  /** Bytes of WAL that a standby may lack: the inventory's `postgres.replication.max_lag`. */
  readonly maxLag: number;
  readonly members: readonly DatabaseMember[];
}

export type Budget = Pick<
  ConnectionBudget,
  'expected' | 'worst' | 'pgbouncers' | 'poolSize' | 'postgresPoolSize' | 'maxConnections'
>;

/** One look at a cluster. */
export interface ClusterStatus {
  readonly cluster: string;
  /** When it was looked at: ISO 8601, UTC, by the clock of the machine that asked. */
  readonly at: string;
  readonly database: DatabaseStatus;
  /** Connections as they are planned (`lint` explains them). */
  readonly budget: Budget;
  readonly wanted: Wanted;
  /** All database hosts of the inventory were asked: a primary that was not seen is none of those left out. */
  readonly allDatabases: boolean;
  /** Those that were asked, in the inventory's order. */
  readonly hosts: readonly HostStatus[];
}
