import { Failure } from '../../src/failure/failure.js';
import { countsText } from '../../src/postgres/lost-rows.js';
import type { Sight } from '../../src/postgres/promotion.js';
import { lsnText, parseTimelineHistory } from '../../src/postgres/timeline-history.js';
import type { WalChanges } from '../../src/postgres/wal-changes.js';
import { raw } from '../../src/shell/index.js';
import { compareDatabase, type Compared } from './lost-rows-database.js';
import { FOLDER, scanWal, startOldData, stopOldData, WORK, type OldData } from './old-data.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

/** A table's part of what was saved. */
interface Saved extends Compared {
  readonly database: string;
}

/**
 * Saves what only an old primary has: rows that it wrote, changed or deleted after the new one took over, as CSV
 * files on its own host that only root may read. Its data is started by itself for that, and stopped again.
 * It costs one reading of each table that was written to, and then what was changed.
 * @returns the folder; undefined when there is nothing that the new primary lacks
 * @throws Failure when it cannot be told what that is; the old data is as it was
 */
export async function saveLostRows(
  mover: Mover,
  primary: Sight,
  old: Sight,
): Promise<string | undefined> {
  try {
    try {
      return await compare(mover, primary, old);
    } finally {
      await stopOldData(mover, old.host);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure({
      ...error.details,
      message: `what only it has could not be saved (${error.message}); it was not rejoined`,
      remedy: `mend what it says, and run this again. Or: --no-save --keep-data keeps all of its old data in a folder beside the new; --no-save alone gives up what only ${old.host} has`,
      cause: error,
    });
  }
}

async function compare(mover: Mover, primary: Sight, old: Sight): Promise<string | undefined> {
  const fork = await findFork(mover, primary, old);
  const data = await startOldData(mover, old);
  if (data.end <= fork) {
    if (old.pastFork) throw endsEarly(old, data.end, fork);
    mover.tell(
      old.host,
      `has nothing that ${primary.host} lacks: its WAL ends before it took over`,
    );
    return undefined;
  }
  mover.tell(old.host, 'looking for what only it has');
  const changes = await scanWal(mover, data, fork);
  const { first, next } = changes;
  if (first === undefined) {
    mover.tell(
      old.host,
      `has nothing that ${primary.host} lacks: nothing was committed there since`,
    );
    return undefined;
  }
  if (next === undefined) throw noNumbers(old.host);
  const saved: Saved[] = [];
  for (const [oid, name] of data.databases) {
    const files = changes.touched.filter(({ database }) => database === oid);
    if (files.length === 0) continue;
    const made = files.some(({ file }) => file === 0);
    const sides = { mover, old: old.host, primary: primary.host, oid, name, made, first, next };
    for (const table of await compareDatabase(sides, files)) {
      saved.push({ database: name, ...table });
    }
  }
  const notes = databaseNotes(data, changes);
  if (!changes.anchored)
    notes.push(
      'The WAL does not go back to where the oldest of these transactions began: what it wrote before the fork may be missing.',
    );
  for (const note of notes) mover.tell(old.host, note);
  return finish(mover, data, summary(primary, old, fork, saved, notes), saved, notes);
}

/** Databases that were made after the fork, or were there at it, were written to, and are no more. */
function databaseNotes({ databases }: OldData, { touched }: WalChanges): string[] {
  const made = new Set(touched.filter(({ file }) => file === 0).map(({ database }) => database));
  return [...new Set(touched.map(({ database }) => database))].flatMap((oid) => {
    const name = databases.get(oid);
    if (made.has(oid)) {
      return name === undefined
        ? []
        : [`The database ${name} was made here: all rows of its tables are saved.`];
    }
    // 0 is what all databases share.
    if (name !== undefined || oid === 0) return [];
    return [`The database of oid ${String(oid)} was written to here, and then dropped here.`];
  });
}

/** Where the new primary left the old one's timeline. */
async function findFork(mover: Mover, primary: Sight, old: Sight): Promise<bigint> {
  const file = `${primary.timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const script = raw(`${SQL_FUNCTION}
cat "$data/pg_wal/${file}"`);
  const text = await step(mover, primary.host, 'read the history of its timeline', script);
  const end = parseTimelineHistory(text).find(({ timeline }) => timeline === old.timeline);
  if (end !== undefined) return end.lsn;
  throw new Failure({
    reason: 'command-failed',
    host: old.host,
    message: `timeline ${String(old.timeline)} is not among those that ${primary.host} comes from`,
    expected: `timeline ${String(old.timeline)} in ${file}`,
    found: text,
    remedy: '',
  });
}

/** It was seen to go further, so what it would be compared by is not all. */
function endsEarly({ host, timeline }: Sight, end: bigint, fork: bigint): Failure {
  return new Failure({
    reason: 'command-failed',
    host,
    message: 'its data, started by itself, does not come to the end of its WAL',
    expected: `WAL of timeline ${String(timeline)} past ${lsnText(fork)}, where another one took over`,
    found: `it ends at ${lsnText(end)}`,
    remedy: '',
  });
}

function noNumbers(host: string): Failure {
  return new Failure({
    reason: 'command-failed',
    host,
    message: 'its WAL of before the fork is gone',
    expected: 'some WAL of before the fork: it tells which transactions began later',
    remedy: '',
  });
}

function summary(
  primary: Sight,
  old: Sight,
  fork: bigint,
  saved: readonly Saved[],
  notes: readonly string[],
): string {
  const lines = saved.map(
    ({ database, table, counts, file, note }) =>
      `${database}.${table}: ${countsText(counts)}${file === undefined ? '' : ` (${file})`}${note === undefined ? '' : `. ${note}`}`,
  );
  return `What only ${old.host} had when ${primary.host} had taken over.
It was on timeline ${String(old.timeline)}; ${primary.host} left that at ${lsnText(fork)} and is on ${String(primary.timeline)}.

insert: the new primary has no such row. update: it has it as it was before. delete: it still has it.
conflict: both wrote the row since. Empty is NULL, "" an empty text.

${[...lines, ...notes].join('\n')}
`;
}

/**
 * Gives the folder its name when everything is in it. A rejoin that was cut has saved the same already: then that is all
 * there is.
 */
async function finish(
  mover: Mover,
  { host }: OldData,
  text: string,
  saved: readonly Saved[],
  notes: readonly string[],
): Promise<string | undefined> {
  const lost = saved.filter(({ counts }) => Object.keys(counts).length > 0);
  for (const { database, table, counts, note } of saved) {
    if (note === undefined && Object.keys(counts).length === 0) continue;
    mover.tell(
      host,
      `only here: ${database}.${table}: ${countsText(counts)}${note === undefined ? '' : `. ${note}`}`,
    );
  }
  if (lost.length + notes.length === 0 && saved.every(({ note }) => note === undefined)) {
    mover.tell(host, 'has no row that the new primary lacks');
    return undefined;
  }
  const script = raw(`umask 077
cat >${WORK}/rows/summary.txt <<'ODOO_PROV_SUMMARY'
${text}ODOO_PROV_SUMMARY
for earlier in ${FOLDER}/*; do
  if diff -rq "$earlier" ${WORK}/rows >/dev/null 2>&1; then echo "already $earlier"; exit 0; fi
done
name=${FOLDER}/$(date -u +%Y%m%dT%H%M%SZ)
sync
mv ${WORK}/rows "$name"
sync
echo "$name"`);
  const said = await step(mover, host, 'keep what only it has', script);
  const [, earlier] = /^already (.*)$/.exec(said) ?? [];
  if (earlier !== undefined) {
    mover.tell(host, `these rows were saved already, in ${earlier}`);
    return earlier;
  }
  mover.tell(host, `these rows are saved in ${said}; hand them in again, or remove them`);
  return said;
}
