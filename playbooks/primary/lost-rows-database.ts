import {
  allTables,
  filesInUse,
  parseRow,
  parseTable,
  rowsAt,
  rowsOfKeys,
  tablesOfFiles,
  tablesOfNames,
  keysThatAre,
  placesThatAre,
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
import type { TouchedFile } from '../../src/postgres/wal-changes.js';
import { append, askNew, askOld, eachGone, eachWritten, type Sides } from './lost-rows-sides.js';

/** What came of a table. */
export interface Compared {
  readonly table: string;
  readonly counts: LostCounts;
  /** Its file in the folder of saved rows; undefined when it has none. */
  readonly file: string | undefined;
  /** What could not be told, or must be known to read the file. */
  readonly note: string | undefined;
}

/** Compares the tables of a database that the old primary wrote to, and keeps what differs. */
export async function compareDatabase(
  sides: Sides,
  files: readonly TouchedFile[],
): Promise<readonly Compared[]> {
  const { tables, dropped, unknown } = await findWritten(sides, files);
  const theirs =
    sides.made || tables.length === 0
      ? []
      : (await askNew(sides, tablesOfNames(tables))).map(parseTable);
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
    ...without(common, await askNew(sides, filesInUse(common))),
  ];
  const known = (await askNew(sides, tablesOfFiles(common)))
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
    const found = ask
      ? (await askNew(sides, rowsOfKeys(table, keys, sides.next))).map(parseRow)
      : [];
    await keep(compareWritten(table, written, found));
  });
  // The file that both had at the fork: places in it are the new primary's as long as that has not written it anew.
  const common = files.find(({ file: number, made }) => !made && number === other?.file);
  // The old primary may have: then only keys tell what it still has.
  const anew = table.file !== common?.file;
  if (alike && common !== undefined && (!anew || table.key.length > 0)) {
    await eachGone(sides, common, async (ctids) => {
      const standing = (await askNew(sides, rowsAt(table, ctids, sides.next))).map(parseRow);
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
