import {
  allRows,
  allTables,
  filesInUse,
  parseRow,
  parseTable,
  rowsAt,
  rowsOfKeys,
  SAME_TEXT,
  tablesOfFiles,
  tablesOfNames,
  keysThatAre,
  placesThatAre,
  writtenRows,
  type Row,
  type Table,
} from '../../src/postgres/lost-rows-sql.js';
import {
  compareGone,
  compareWritten,
  countLost,
  csvHeader,
  csvName,
  csvRow,
  keyOfRow,
  sameShape,
  type LostCounts,
  type LostRow,
} from '../../src/postgres/lost-rows.js';
import { OLD_SQL } from '../../src/postgres/old-data.js';
import type { TouchedFile } from '../../src/postgres/wal-changes.js';
import { base64, raw, Secret, sh } from '../../src/shell/index.js';
import { LONG, WORK } from './old-data.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

/** One database, as the old primary's data and the new primary have it. */
export interface Sides {
  readonly mover: Mover;
  readonly old: string;
  readonly primary: string;
  readonly oid: number;
  readonly name: string;
  /** It was made after the fork: the new primary has nothing of it. */
  readonly made: boolean;
  /** The oldest transaction that committed on the old primary after the fork. */
  readonly first: number;
  /** The first transaction that began after the fork. */
  readonly next: number;
}

/** What came of a table. */
export interface Compared {
  readonly table: string;
  readonly counts: LostCounts;
  /** Its file in the folder of saved rows; undefined when it has none. */
  readonly file: string | undefined;
  /** What could not be told, or must be known to read the file. */
  readonly note: string | undefined;
}

/** How many rows are compared at a time: what they hold is in memory meanwhile. */
const ROWS = 200;
const PLACES = 1000;

/** Compares the tables of a database that the old primary wrote to, and keeps what differs. */
export async function compareDatabase(
  sides: Sides,
  files: readonly TouchedFile[],
): Promise<readonly Compared[]> {
  const { tables, dropped, unknown } = await findWritten(sides, files);
  const theirs =
    sides.made || tables.length === 0
      ? []
      : (await onNew(sides, tablesOfNames(tables))).map(parseTable);
  const taken = new Set<string>();
  const done: Compared[] = [];
  for (const table of tables) {
    const file = csvName(sides.name, table, taken);
    taken.add(file);
    done.push(await compareTable(sides, table, theirs.find(named(table)), file, files));
  }
  return [...done, ...dropped.map(droppedTable), ...unknownFiles(unknown)];
}

/** What the old primary wrote to. */
interface Written {
  readonly tables: readonly Table[];
  /** Of the new primary: the old one has none of that name any more. */
  readonly dropped: readonly Table[];
  /** Files of which neither knows what they were. */
  readonly unknown: readonly TouchedFile[];
}

/**
 * A file that is no more there was written anew as another one, which is among these, or its table was dropped. Those
 * of the fork are known to the new primary; those that were made and went away since, to nobody.
 */
async function findWritten(sides: Sides, files: readonly TouchedFile[]): Promise<Written> {
  const own = sides.made ? allTables() : tablesOfFiles(files);
  const found = (await askOld(sides, own)).map(parseTable);
  if (sides.made) return { tables: found, dropped: [], unknown: [] };
  const former = without(
    files.filter(({ written }) => written),
    await askOld(sides, filesInUse(files)),
  );
  const common = former.filter(({ made }) => !made);
  if (common.length === 0) return { tables: found, dropped: [], unknown: former };
  const unknown = [
    ...former.filter(({ made }) => made),
    ...without(common, await onNew(sides, filesInUse(common))),
  ];
  const known = (await onNew(sides, tablesOfFiles(common)))
    .map(parseTable)
    .filter((table) => !found.some(named(table)));
  if (known.length === 0) return { tables: found, dropped: [], unknown };
  const others = (await askOld(sides, tablesOfNames(known))).map(parseTable);
  const dropped = known.filter((table) => !others.some(named(table)));
  return { tables: [...found, ...others], dropped, unknown };
}

function without(
  files: readonly TouchedFile[],
  numbers: readonly string[],
): readonly TouchedFile[] {
  const known = new Set(numbers.map(Number));
  return files.filter(({ file }) => !known.has(file));
}

function named(table: Table): (other: Table) => boolean {
  return ({ schema, name }) => schema === table.schema && name === table.name;
}

function droppedTable({ schema, name }: Table): Compared {
  return {
    table: `${schema}.${name}`,
    counts: {},
    file: undefined,
    note: 'it was written to here, and then dropped or renamed here',
  };
}

function unknownFiles(files: readonly TouchedFile[]): readonly Compared[] {
  if (files.length === 0) return [];
  const numbers = files.map(({ file }) => String(file)).join(', ');
  const note = `files that were written to here and that no table has any more: ${numbers}. Their tables were dropped, rolled back, or written anew more than once or on both hosts`;
  return [{ table: '(no table)', counts: {}, file: undefined, note }];
}

/** @param files all that were written to in this database */
async function compareTable(
  sides: Sides,
  table: Table,
  other: Table | undefined,
  file: string,
  files: readonly TouchedFile[],
): Promise<Compared> {
  let counts: LostCounts = {};
  const keep = async (rows: readonly LostRow[]): Promise<void> => {
    if (rows.length === 0) return;
    const header = Object.keys(counts).length === 0 ? csvHeader(table) : '';
    counts = countLost(counts, rows);
    await append(sides, file, header + rows.map((row) => csvRow(table, row)).join(''));
  };
  const alike = other !== undefined && sameShape(table, other);
  await eachWritten(sides, table, async (written) => {
    const keys = written.map((row) => keyOfRow(table, row));
    const ask = alike && table.key.length > 0;
    const found = ask ? await askNew(sides, rowsOfKeys(table, keys, sides.next)) : [];
    await keep(compareWritten(table, written, found));
  });
  // The file that both had at the fork: places in it are the new primary's as long as that has not written it anew.
  const common = files.find(({ file: number, made }) => !made && number === other?.file);
  // The old primary may have: then only keys tell what it still has.
  const anew = table.file !== common?.file;
  if (alike && common !== undefined && (!anew || table.key.length > 0)) {
    await eachGone(sides, common, async (ctids) => {
      const standing = await askNew(sides, rowsAt(table, ctids, sides.next));
      if (standing.length === 0) return;
      await keep(compareGone(table, standing, await stillThere(sides, table, standing)));
    });
  }
  return {
    table: `${table.schema}.${table.name}`,
    counts,
    file: Object.keys(counts).length === 0 ? undefined : file,
    note: sides.made ? undefined : noteOf(table, other, alike, anew),
  };
}

function noteOf(
  table: Table,
  other: Table | undefined,
  alike: boolean,
  anew: boolean,
): string | undefined {
  if (other === undefined) return 'the new primary has no such table';
  if (!alike) return 'its columns differ on the new primary: not compared, only what was written';
  if (anew) return 'it was written anew on one side: not every row that was deleted is told';
  if (table.key.length > 0) return undefined;
  return 'it has no primary key: an update is a delete and an insert';
}

async function stillThere(
  sides: Sides,
  table: Table,
  standing: readonly Row[],
): Promise<readonly Row[]> {
  if (table.key.length === 0) {
    const ctids = standing.map(([place]) => place ?? '');
    return (await askOld(sides, placesThatAre(table, ctids, sides.first))).map(parseRow);
  }
  const keys = standing.map(([, ...row]) => keyOfRow(table, row));
  return (await askOld(sides, keysThatAre(table, keys))).map(parseRow);
}

/** Hands out what the old primary wrote, some rows at a time; of a database that it made, all. They wait in a file there. */
async function eachWritten(
  sides: Sides,
  table: Table,
  use: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  const query = sides.made ? allRows(table) : writtenRows(table, sides.first);
  const script = sh`
${raw(SQL_FUNCTION)}
${raw(OLD_SQL)}
cd ${WORK}
umask 077
rm -f written written.*
{
  printf "%s before '{%s}'\n" '\set' "$(if [ -e before ]; then paste -sd, before; fi)"
  printf %s ${base64(SAME_TEXT + query)} | base64 -d
} | old_sql ${sides.name} >written
split -l ${ROWS} -a 6 -d written written.
rm -f written
ls | grep -c '^written\.' || :`;
  const what = `read ${table.schema}.${table.name}`;
  const count = Number(await step(sides.mover, sides.old, what, script, LONG));
  await each(sides, 'written', count, async (lines) => use(lines.map(parseRow)));
}

/** Hands out the places where the old primary's rows went away. */
async function eachGone(
  sides: Sides,
  { tablespace, database, file }: TouchedFile,
  use: (ctids: readonly string[]) => Promise<void>,
): Promise<void> {
  const name = `gone.${[tablespace, database, file].join('-')}`;
  const script = sh`
cd ${WORK}
if [ -e ${name} ]; then split -l ${PLACES} -a 6 -d ${name} ${`${name}.`}; fi
ls | grep -c ${`^${name}\\.`} || :`;
  const count = Number(await step(sides.mover, sides.old, 'read what went away', script, LONG));
  await each(sides, name, count, use);
}

async function each(
  { mover, old }: Sides,
  name: string,
  count: number,
  use: (lines: readonly string[]) => Promise<void>,
): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const path = `${WORK}/${name}.${String(number).padStart(6, '0')}`;
    await use(
      linesOf(await step(mover, old, 'read what it has', sh`cat ${path} && rm ${path}`, LONG)),
    );
    if (number % 100 === 99)
      mover.tell(old, `${String(number + 1)} of ${String(count)} parts compared`);
  }
}

/** Adds to a file. What is in it is business data: it comes over stdin, and only root may read it. */
async function append({ mover, old }: Sides, file: string, text: string): Promise<void> {
  const script = sh`umask 077
printf %s ${base64(new Secret(text))} | base64 -d >>${`${WORK}/rows/${file}`}`;
  await step(mover, old, 'keep what only it has', script, LONG);
}

/** Keys are business data too: queries go over stdin. */
async function askOld({ mover, old, name }: Sides, query: string): Promise<readonly string[]> {
  const script = sh`${raw(SQL_FUNCTION)}
${raw(OLD_SQL)}
printf %s ${base64(new Secret(SAME_TEXT + query))} | base64 -d | old_sql ${name}`;
  return linesOf(await step(mover, old, 'read its old data', script, LONG));
}

async function onNew(sides: Sides, query: string): Promise<readonly string[]> {
  const { mover, primary, oid } = sides;
  // By its oid: a database that was dropped there since has no such table.
  const script = sh`${raw(SQL_FUNCTION)}
name=$(echo "select datname from pg_database where oid = ${oid}" | sql) || exit 1
[ -n "$name" ] || exit 0
new_sql() {
  (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/psql" -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=terse \
    -h /var/run/postgresql -p 5432 -d "$name" -f -)
}
printf %s ${base64(new Secret(SAME_TEXT + query))} | base64 -d | new_sql`;
  return linesOf(await step(mover, primary, 'read the same rows', script, LONG));
}

async function askNew(sides: Sides, query: string): Promise<readonly Row[]> {
  return (await onNew(sides, query)).map(parseRow);
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
