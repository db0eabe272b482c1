import { z } from 'zod';
import {
  ownData,
  parseDatabases,
  parseMaking,
  type FoundDatabase,
} from '../facts/database-facts.js';
import type { Cluster, Host } from '../inventory/cluster.js';
import { parseSql, probeSql } from '../resource/postgres-sql.js';
import type { Script } from '../shell/index.js';
import { connectionLimit } from './connection-limits.js';
import { durability } from './durability.js';
import { odooSessions } from './odoo-sessions.js';
import { statusSql } from './postgres-sql.js';

/** Null where PostgreSQL has none to tell. */
const known = z.number().nullable();

const downstream = z.object({
  /** `application_name`: the standby's `cluster_name`, which is its name in the inventory. */
  name: z.string(),
  address: z.string().nullable(),
  /** `streaming`, `catchup`, `startup`, `backup`, `stopping`. */
  state: z.string().nullable(),
  /** `async`, `sync`, `quorum`, `potential`. */
  sync: z.string().nullable(),
  /** Bytes of WAL that it has not replayed; null while it says nothing of that (a base backup). */
  lagBytes: known,
  /** Seconds from the commit here until it could be read there; null when it has nothing left to replay. */
  lagSeconds: known,
});

const slot = z.object({
  name: z.string(),
  type: z.string(),
  active: z.boolean(),
  /** Of the process that uses it. */
  pid: known,
  /** `reserved`, `extended`, `unreserved` (about to go), `lost`; null while it keeps nothing. */
  walStatus: z.string().nullable(),
  /** Bytes of WAL that it keeps from being removed. */
  retained: z.number(),
});

const receiver = z.object({
  status: z.string().nullable(),
  from: z.string().nullable(),
  slot: z.string().nullable(),
  /** Seconds since the last word from the sender. */
  silent: known,
});

const archive = z.object({
  last: z.string().nullable(),
  /** Seconds since then. */
  lastAge: known,
  lastFailed: z.string().nullable(),
  lastFailedAge: known,
  /** Why, by pgBackRest's own word; null where it gave none. */
  error: z.string().nullable(),
  /** The latest attempt failed. */
  failing: z.boolean(),
  /** Segments that are full and not archived yet. */
  waiting: z.number(),
  /** Seconds for which the oldest of them has been waiting. */
  waitingAge: known,
});

const configuration = z.object({
  /** The file of settings that odoo-prov writes is there, and read. */
  own: z.boolean(),
  /** What PostgreSQL does not understand in its files: file, line and why. With any of them it does not start. */
  errors: z.array(z.string()),
  /** Lines of pg_hba.conf, as it stands now, that let clients in without a password or without TLS. */
  doors: z.array(z.string()),
  /** What keeps the data and is off, but not by the inventory: `fsync off`. */
  off: z.array(z.string()),
  /** Settings that were changed and wait for a restart. */
  waiting: z.array(z.string()),
  /** Of those, what another file says over ours, or ALTER SYSTEM, and where. */
  over: z.array(z.object({ name: z.string(), file: z.string(), line: z.number() })),
  /** What ALTER SYSTEM says and the server has not read. */
  unread: z.array(z.string()),
});

const server = z.object({
  /** e.g. 170002. */
  version: z.number(),
  systemIdentifier: z.string(),
  recovering: z.boolean(),
  timeline: z.number(),
  /** Written here (primary), or replayed up to here (standby). */
  position: z.number(),
  /** Standby: received up to here. */
  received: known,
  /** Standby: seconds since the commit of the newest transaction that it has replayed. */
  replayedAge: known,
  replayPaused: z.boolean(),
  /** Settings of which a standby must have at least as much as its primary, or it pauses replay and does not start. */
  hotStandby: z.record(z.string(), z.number()),
  /** A standby that replayed more of the old timeline than the new primary had: it cannot follow. */
  pastFork: z.boolean(),
  /** Seconds since it was started. */
  uptime: z.number(),
  synchronousStandbyNames: z.string(),
  /** Commits that have waited for a standby for a second and more. */
  commitsWaiting: z.number(),
  /** Seconds for which a synchronous primary has been committing without a standby. */
  aloneFor: known,
  connections: z.object({
    used: z.number(),
    active: z.number(),
    idleInTransaction: z.number(),
    /** Sessions that wait for a lock. */
    waiting: z.number(),
    /** Seconds since the oldest open transaction began. */
    oldestTransaction: known,
    max: z.number(),
    /** Kept for superusers, and for roles that may use reserved connections. */
    reserved: z.number(),
  }),
  /** The primary's, of Odoo's database and of roles, that are not as odoo-prov has them. */
  limits: z.array(connectionLimit),
  /** A primary's; null of a standby, which says the same. */
  odooSessions: odooSessions.nullable(),
  downstream: z.array(downstream),
  receiver: receiver.nullable(),
  slots: z.array(slot),
  configuration,
  durability,
  archive: archive.nullable(),
});

export type PostgresServer = z.infer<typeof server>;
export type Downstream = z.infer<typeof downstream>;
export type Slot = z.infer<typeof slot>;

/** PostgreSQL on one host. */
export type PostgresStatus =
  | {
      readonly server: 'up';
      readonly data: PostgresServer;
      /** What its data directory says: where the timelines before its own were left. */
      readonly found: FoundDatabase | null;
    }
  | {
      /** `absent`: no data directory, or one that never ran. */
      readonly server: 'absent' | 'down' | 'failed';
      /** Why it did not answer, by its own word. */
      readonly why: string;
      /** What its data directory says, when there is one. */
      readonly found: FoundDatabase | null;
    };

/** Why there is no database where one is being made, or copied from the primary. */
export const UNFINISHED = 'its data is being made or copied, or that was cut off';

/** Asks the local server everything in one query. */
export function postgresProbe(cluster: Cluster, host: Host): Script {
  return probeSql(statusSql(cluster, host));
}

/** pg_controldata's words, but for those that sound as if it were in use: a copy has them of its primary until it is started. */
function stateText(found: FoundDatabase | null): string {
  if (found?.state !== 'in production') return found?.state ?? '';
  return found.standby
    ? "a standby's that was not started yet"
    : "a primary's that was not shut down";
}

/**
 * Reads what {@link postgresProbe} printed.
 * @param databases what `databaseProbe` printed: it tells something of a server that is down
 * @throws Error when the answer has another form than was asked for
 */
export function parsePostgres(text: string, databases: string): PostgresStatus {
  const answer = parseSql(text);
  const found = ownData(parseDatabases(databases)) ?? null;
  if (answer.server === 'up') {
    return { server: 'up', data: server.parse(JSON.parse(answer.rows[0]?.[0] ?? '')), found };
  }
  // Old data that a rejoin kept is found as well, and is no database any more.
  if (parseMaking(databases) || (answer.server !== 'failed' && found === null)) {
    const why = parseMaking(databases) ? UNFINISHED : 'there is no database';
    return { server: 'absent', why, found: null };
  }
  if (answer.server === 'failed') return { server: 'failed', why: answer.why, found };
  // Data that never ran, as pg_rewind leaves it, is there all the same.
  return { server: 'down', why: `not running, its data is ${stateText(found)}`, found };
}
