import type { Cluster } from '../inventory/cluster.js';
import { literal } from '../resource/postgres-sql.js';
import { sh, type Script } from '../shell/index.js';
import { SPOOL, stanzaOf } from './pgbackrest.js';

/** Where pgBackRest tells more of what it could not archive, on the primary. */
export const PUSH_LOG = '/var/log/pgbackrest/*-archive-push-async.log';

/** Bytes that a repository must have left: a segment of WAL. */
export const SEGMENT_ROOM = 16 * 1024 * 1024;

/** Seconds by which pgBackRest's word may be older than the failure that PostgreSQL counts: an older one is not its reason. */
const BEFORE = 15;

/** What the system says where there is no room: ENOSPC, EDQUOT. */
const NO_ROOM = /\[(28|122)\] /;

/**
 * All that pgBackRest 2.45 (Debian 12) tells a database host where its repository could not write: it goes on to the next question
 * before it has heard why the last one failed.
 */
const UNTOLD = /client state is 'data-get' but expected 'idle'/;

/**
 * One SQL expression, beside pg_stat_archiver: why pgBackRest could not archive, by its own word; null where it gave none, as
 * when the repository takes no connection and it is not even started. Its process in the background leaves a file for each
 * segment that it could not push, until it can: the code, then an error with its retries, a line each.
 */
export function archiveErrorSql(cluster: Cluster): string {
  if (cluster.postgres.backup === undefined) return 'null::text';
  const folder = `${SPOOL}/archive/${stanzaOf(cluster)}/out`;
  return `(
    select left(regexp_replace(line, '^(repo[0-9]+: )?(\\[[A-Za-z]+\\] )?(raised from [^:]*: )*', ''), 220)
    from (
      select pg_read_file(path, 0, 100000, true) as said
      from pg_ls_dir(${literal(folder)}, true, false) file,
        lateral (select ${literal(`${folder}/`)} || file as path) p,
        lateral pg_stat_file(path, true) s
      where file like '%.error' and s.modification >= last_failed_time - interval '${String(BEFORE)} s'
      order by s.modification desc limit 1) newest,
      regexp_split_to_table(said, E'\\n') with ordinality l (line, n)
    where n > 1 and line <> ''
    order by line ~ '^repo[0-9]' desc, n limit 1)`;
}

/**
 * Whether that word says that the repository is full. The disk of the database host is another matter.
 * @param error see {@link archiveErrorSql}
 * @param path of the repository on the host that keeps it
 */
export function saysNoRoom(error: string, path: string): boolean {
  return NO_ROOM.test(error) && error.includes(`'${path}/`);
}

/**
 * The same in SQL, as what goes before that word for people: empty where it says something else, and always with a bucket.
 * Also where pgBackRest could not write and keeps back why: there is no use in waiting for that either.
 * @param error an expression
 */
export function noRoomSql(error: string, { postgres: { backup } }: Cluster): string {
  if (backup?.host === undefined || backup.s3 !== undefined) return `''`;
  const words = noRoomOn(backup.host, backup.path);
  return `case when ${error} ~ '${NO_ROOM.source}' and position(${literal(`'${backup.path}/`)} in ${error}) > 0 then ${literal(`${words}: `)}
    when ${error} ~ ${literal(UNTOLD.source)} then ${literal(`${words}, most likely: `)} else '' end`;
}

/** Begins what is found where the repository is full. What a command has said is classified by it. */
export function noRoomOn(host: string, path: string): string {
  return `no room on ${host} in ${path}`;
}

/** What to do where the repository is full; what waits is archived by itself afterwards. */
export function makeRoom(host: string, path: string, stanza: string): string {
  return `make room in ${path} on ${host}: a larger disk, or what else lies on it (du -xh ${path} | sort -h | tail); what waits is archived by itself then, within a minute. Remove nothing of pgBackRest's by hand: fewer backups are kept by a smaller postgres.backup.keep, then odoo-prov apply FILE, then on ${host}, as postgres: pgbackrest --stanza=${stanza} expire`;
}

/** Shell: prints the bytes that are left in a folder. */
export function roomLeft(path: string): Script {
  return sh`df -B1 --output=avail ${path} | tail -n 1 | tr -d ' '`;
}

/**
 * Fails where the repository has no room for a segment, and says so: pgBackRest tries for a minute before it does.
 * @param path of the repository on the host that keeps it
 */
export function needRoom(host: string, path: string): Script {
  return sh`
left=$(${roomLeft(path)})
if [ "$left" -lt ${SEGMENT_ROOM} ]; then
  echo ${`${noRoomOn(host, path)}: not even for a segment of WAL;`} "$((left / 1048576)) MB are left" >&2
  exit 1
fi`;
}
