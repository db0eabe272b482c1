import { LAG_SECONDS } from '../postgres/layout.js';

/**
 * From where on something is worth an operator's attention. Each says why it is where it is; docs/status.md
 * lists them. The lag in bytes that counts is the inventory's `postgres.replication.max_lag`.
 */
export const LIMITS = {
  /** Seconds; a replica is closed to Odoo from there on. */
  lagSeconds: LAG_SECONDS,
  /** Seconds that a full segment may wait for the archive: at a segment a minute, five are lost with the disk. */
  archiveWaiting: 300,
  /**
   * Seconds after which a segment that the primary counts as archived must be in the repository. It is there at once; but
   * the two hosts are not asked at the same moment, and one may be slow to answer.
   */
  archiveArrival: 60,
  /** Seconds since the last backup: a daily one and two hours for it; then two that did not come. */
  backupAge: { warning: 26 * 3600, problem: 50 * 3600 },
  /** The same where there is a weekly one only, and a day for it. */
  weeklyBackupAge: { warning: 8 * 86_400, problem: 15 * 86_400 },
  /** Seconds since the last snapshot of the filestore, where one is taken each hour: two that did not come, then a day of them. */
  filestoreAge: { warning: 3 * 3600, problem: 26 * 3600 },
  /** Part of a file system that must be free. PostgreSQL stops when there is none; `df` rounds, people react slowly. */
  diskFree: { warning: 0.1, problem: 0.05 },
  /** Part of memory that programs can still get; below it the kernel begins to kill. */
  memoryAvailable: 0.05,
  /** Part of the connections that are not kept for superusers: at all of them, logins fail. */
  connections: { warning: 0.8, problem: 0.95 },
  /** Seconds that a client waits for a server connection: users notice one; PgBouncer gives up after 30. */
  poolWait: { warning: 1, problem: 10 },
  /** Seconds of one transaction: no job of Odoo may take longer, and vacuum waits for it. */
  transaction: 3600,
  /** Part of Redis's memory in use: above it sessions begin to be pushed out. */
  redisMemory: 0.9,
  /** Days that a certificate must still be valid: renewed 30 days before, so two weeks of it have failed. */
  certificate: { warning: 14, problem: 3 },
  /** Seconds for which the password of a role must still let it in: a weekend, and a day to see to it. */
  passwordEnds: 3 * 86_400,
  /** Seconds that a scheduled job may be overdue: Odoo looks every minute; the workers may be busy for a while. */
  jobOverdue: 900,
} as const;
