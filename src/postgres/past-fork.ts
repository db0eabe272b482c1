import type { DataWal, WalPoint } from './data-wal.js';
import { PAST_FORK_FILE } from './layout.js';
import { parseLsn } from './promotion.js';

/**
 * SQL of a standby: whether it has WAL of the old primary from after the point where a new one took over; then it cannot follow the new
 * one. That point is in the newest history file, which comes from the archive or the new primary. PostgreSQL says of it "new
 * timeline … forked off current database system timeline … before current recovery point" every few seconds, for ever.
 * False on a primary.
 *
 * Its own timeline is that of its newest WAL files: the control file learns of a new one only by and by, and the receiver tells
 * it only while it runs. Form of a history file: PostgreSQL's source, src/backend/access/transam/timeline.c. No double
 * quotes, for the shell's sake.
 */
function pastFork(position: string): string {
  return `coalesce((
  with files as materialized (select name from pg_ls_waldir() where pg_is_in_recovery())
  select ${position} > split_part(line, chr(9), 2)::pg_lsn
  from regexp_split_to_table((
      select pg_read_file('pg_wal/' || max(name)) from files where name ~ '^[0-9A-F]{8}[.]history'
    ), chr(10)) line
  where split_part(line, chr(9), 1) = (
      select ('x' || max(substr(name, 1, 8)))::bit(32)::int::text from files where name ~ '^[0-9A-F]{24}' and length(name) = 24)
  ), false)`;
}

/**
 * SQL of a standby: whether it has replayed more than its primary has written, by the primary's own word with its last message. Then it
 * has rows that the primary does not have, and PostgreSQL has not noticed (templates/postgres/past-fork.sh tells how that comes
 * about, and prevents it). It cannot be seen any more once the primary has come to that position.
 * What it has replayed is asked first: afterwards the primary may have written more. Before the first WAL has come, the word is one of
 * an earlier connection.
 */
export const AHEAD = `coalesce((
  select (select replayed > latest_end_lsn from pg_stat_wal_receiver
    where status = 'streaming' and flushed_lsn > receive_start_lsn and replayed is not null)
  from (select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() end as replayed offset 0) r
), false)`;

/** SQL: whether its guard has found it so, who looks before it starts. */
const MARKED = `(pg_is_in_recovery() and (select modification from pg_stat_file('${PAST_FORK_FILE}', true)) is not null)`;

/** SQL: it cannot follow, and knows it. */
export const CANNOT_FOLLOW = `(${MARKED} or ${pastFork('pg_last_wal_replay_lsn()')})`;

/** By what it has replayed: it cannot follow any more, or follows with rows of its own. */
export const REPLAYED_PAST_FORK = `(${CANNOT_FOLLOW} or ${AHEAD})`;

/** By what it has received as well: how far it is says nothing of what it has of the new timeline. */
export const RECEIVED_PAST_FORK = `(${MARKED} or ${pastFork(
  'greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())',
)} or ${AHEAD})`;

/** What to do with a standby that is past the fork and receives the new timeline all the same: its data tells how far it went once it is stopped. */
export function aheadNext(host: string): string {
  return `on ${host}: systemctl stop postgresql@*; then odoo-prov rejoin FILE --host ${host}, which saves the rows that only it has`;
}

/** The history of the newest timeline that any of them knows of: the primary's, once it has been told. */
export function newestHistory(all: readonly DataWal[]): DataWal['history'] {
  const histories = all.map(({ history }) => history);
  const [newest] = histories.sort((a, b) => b.timeline - a.timeline);
  return newest ?? { timeline: 0, ends: [] };
}

/**
 * The same of a standby that does not run: by its own data, which may have been stopped before another one took over.
 * Of one that was killed it may not be known: where it is past the fork all the same, it says so once it runs.
 * @param ends where the timelines were left from which the primary's comes
 */
export function isPastFork(
  { checkpoint, replayed, marked }: DataWal,
  ends: readonly WalPoint[],
): boolean {
  const left = (timeline: number): bigint | undefined => {
    const end = ends.find((one) => one.timeline === timeline);
    return end === undefined ? undefined : parseLsn(end.lsn);
  };
  const [atCheckpoint, atReplayed] = [left(checkpoint.timeline), left(replayed.timeline)];
  // A checkpoint's position is where its record begins: one that begins at the fork lies behind it.
  return (
    marked !== undefined ||
    (atCheckpoint !== undefined && parseLsn(checkpoint.lsn) >= atCheckpoint) ||
    (atReplayed !== undefined && parseLsn(replayed.lsn) > atReplayed)
  );
}
