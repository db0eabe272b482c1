import { OLD_SQL, REPLAY_OLD, START_OLD, STOP_OLD, targetOf } from '../../src/postgres/old-data.js';
import { parseLsn, type Sight } from '../../src/postgres/promotion.js';
import {
  lsnText,
  sortableLsn,
  walFileName,
  walFileStart,
} from '../../src/postgres/timeline-history.js';
import { parseWalChanges, SCAN, SELECT, type WalChanges } from '../../src/postgres/wal-changes.js';
import { quote, raw } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

/** Where the rows are kept that only an old primary had; a folder for each time. */
export const FOLDER = '/var/lib/odoo-prov/lost-rows';
/** What is being made; an attempt that was cut leaves it, and the next one removes it. */
export const WORK = `${FOLDER}/.making`;

/** Seconds that reading all WAL, or a large table, may take. */
export const LONG = 24 * 3600;

/** How many WAL files before the fork are read at first, for transactions that were under way. */
const EARLIER = 4;

/** An old primary's data that was started by itself. */
export interface OldData {
  readonly host: string;
  readonly timeline: number;
  /** Where its WAL ends. */
  readonly end: bigint;
  readonly segmentSize: number;
  /** Names of the WAL files of its timeline, oldest first. */
  readonly files: readonly string[];
  /** Names of its databases by oid. */
  readonly databases: ReadonlyMap<number, string>;
}

/** Starts the data by itself. @throws Failure when it does not start */
export async function startOldData(mover: Mover, { host, timeline }: Sight): Promise<OldData> {
  const prefix = timeline.toString(16).toUpperCase().padStart(8, '0');
  const script = raw(`${SQL_FUNCTION}
${OLD_SQL}
${STOP_OLD}
rm -rf ${WORK}
install -d -m 700 ${FOLDER} ${WORK} ${WORK}/rows
${targetOf(timeline)}
${START_OLD}
${REPLAY_OLD}
end=$(echo 'select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end' | old_sql postgres)
size=$(echo "select setting from pg_settings where name = 'wal_segment_size'" | old_sql postgres)
echo "end $end"
echo "size $size"
ls "$data/pg_wal" | sed -n 's/^${prefix}[0-9A-F]\\{16\\}$/file &/p'
echo "select 'database ' || oid || ' ' || datname from pg_database order by datname" | old_sql postgres`);
  const rows = (await step(mover, host, 'start its old data by itself', script, LONG))
    .split('\n')
    .map((line) => line.split(' '));
  // Without an end it would look as if there were nothing to save.
  const one = (name: string): string => {
    const value = rows.find(([key]) => key === name)?.[1] ?? '';
    if (value === '') throw new Error(`the old data of ${host} does not say its ${name}`);
    return value;
  };
  return {
    host,
    timeline,
    end: parseLsn(one('end')),
    segmentSize: Number(one('size')),
    files: rows.filter(([key]) => key === 'file').map(([, name = '']) => name),
    databases: new Map(
      rows
        .filter(([key]) => key === 'database')
        .map(([, oid = '', ...name]) => [Number(oid), name.join(' ')]),
    ),
  };
}

/** Ends it cleanly, as pg_rewind wants it, also what an attempt that was cut has left running. */
export async function stopOldData(mover: Mover, host: string): Promise<void> {
  const script = raw(`${SQL_FUNCTION}
${STOP_OLD}
rm -rf ${WORK}`);
  await step(mover, host, 'stop its old data', script, LONG);
}

/** Reads the WAL from the fork on, and so far before it that everything is known of what was under way then. */
export async function scanWal(mover: Mover, data: OldData, fork: bigint): Promise<WalChanges> {
  const { host, timeline, segmentSize } = data;
  const at = walFileName(timeline, fork, segmentSize);
  const earlier = data.files.filter((name) => name <= at);
  const near = await scanFrom(mover, data, fork, earlier.slice(-1 - EARLIER)[0] ?? at);
  if (near.first === undefined || near.anchored || earlier.length <= EARLIER + 1) return near;
  mover.tell(host, 'a transaction was under way for long: reading all WAL that it has');
  return scanFrom(mover, data, fork, earlier[0] ?? at);
}

/**
 * The first and the last file are named: without, pg_waldump learns how long a file is from whichever it finds first in
 * the folder, and one that was made for later is empty.
 */
function scanFrom(mover: Mover, data: OldData, fork: bigint, start: string): Promise<WalChanges> {
  const from = lsnText(walFileStart(start, data.segmentSize));
  const last = walFileName(data.timeline, data.end - 1n, data.segmentSize);
  const script = raw(`${SQL_FUNCTION}
cd ${WORK}
umask 077
rm -f scan gone gone.* before said failed
{ "$bin/pg_waldump" -p "$data/pg_wal" -t ${String(data.timeline)} -s ${from} \\
  -e ${lsnText(data.end)} ${start} ${last} 2>said || : >failed; } |
  awk -v fork=${sortableLsn(fork)} ${quote(SCAN)} >scan
if [ -e failed ]; then echo "pg_waldump: $(cat said)" >&2; exit 1; fi
awk -v dir=. ${quote(SELECT)} scan scan scan
rm -f scan
if [ -e gone ]; then
  sort -u gone >gone.sorted
  awk '{ name = $1; gsub("/", "-", name); name = "gone." name
    if (name != last) { close(last); last = name } print $2 >>name }' gone.sorted
  rm -f gone gone.sorted
fi`);
  return step(mover, data.host, 'read what it wrote since', script, LONG).then(parseWalChanges);
}
