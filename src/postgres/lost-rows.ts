import type { Row, Table } from './lost-rows-sql.js';

/**
 * What an old primary did to a row that the new one knows nothing of: `conflict` where the new one has changed it
 * as well since it took over.
 */
export type LostAction = 'insert' | 'update' | 'delete' | 'conflict';

export interface LostRow {
  readonly action: LostAction;
  /** As the old primary has it; undefined for what it deleted. */
  readonly old: Row | undefined;
  /** As the new primary has it; undefined where it has none of that key. */
  readonly new: Row | undefined;
}

/** The values of the primary key of a row. */
export function keyOfRow({ columns, key }: Table, row: Row): Row {
  return key.map((name) => row[columns.findIndex((column) => column.name === name)] ?? null);
}

/** A key as text, to look it up. */
export function keyText(key: Row): string {
  return JSON.stringify(key);
}

/**
 * Compares rows that the old primary wrote after the fork with the new one's of the same keys; those alike are no loss.
 * @param found the new primary's, each behind whether it wrote them itself since it took over (`t`, `f`)
 */
export function compareWritten(
  table: Table,
  written: readonly Row[],
  found: readonly Row[],
): readonly LostRow[] {
  const theirs = new Map(
    found.map(([changed, ...row]) => [keyText(keyOfRow(table, row)), { changed, row }]),
  );
  return written.flatMap((old): readonly LostRow[] => {
    const other = table.key.length === 0 ? undefined : theirs.get(keyText(keyOfRow(table, old)));
    if (other === undefined) return [{ action: 'insert', old, new: undefined }];
    if (old.every((value, place) => value === other.row[place])) return [];
    return [{ action: other.changed === 't' ? 'conflict' : 'update', old, new: other.row }];
  });
}

/**
 * Rows that the new primary still has as they were at the fork, and the old one has no more.
 * @param standing the new primary's, each behind its place
 * @param left what the old primary still has: keys, or places where the table has no primary key
 */
export function compareGone(
  table: Table,
  standing: readonly Row[],
  left: readonly Row[],
): readonly LostRow[] {
  const kept = new Set(left.map(keyText));
  return standing.flatMap(([place = null, ...row]): readonly LostRow[] => {
    const key = table.key.length === 0 ? [place] : keyOfRow(table, row);
    return kept.has(keyText(key)) ? [] : [{ action: 'delete', old: undefined, new: row }];
  });
}

/** Whether rows of the two can be compared column by column. */
export function sameShape(one: Table, other: Table): boolean {
  const shape = ({ columns, key }: Table): string =>
    JSON.stringify([columns.map(({ name, type }) => [name, type]), key]);
  return shape(one) === shape(other);
}

/** The first line of a table's file. */
export function csvHeader({ columns }: Table): string {
  const names = ['old', 'new'].flatMap((side) => columns.map(({ name }) => `${side}.${name}`));
  return csvLine(['action', ...names]);
}

/** A row's line: the action, the old primary's columns, the new one's. */
export function csvRow(table: Table, row: LostRow): string {
  const none = table.columns.map(() => null);
  return csvLine([row.action, ...(row.old ?? none), ...(row.new ?? none)]);
}

/** As PostgreSQL's COPY reads CSV: nothing is NULL, an empty text is quoted. */
function csvLine(values: Row): string {
  return `${values
    .map((value) => {
      if (value === null) return '';
      return value === '' || /[",\r\n]/.test(value) || value === '\\.'
        ? `"${value.replaceAll('"', '""')}"`
        : value;
    })
    .join(',')}\n`;
}

/** How many rows of each kind. */
export type LostCounts = Readonly<Partial<Record<LostAction, number>>>;

/** Counts rows by what was done to them. */
export function countLost(counts: LostCounts, rows: readonly LostRow[]): LostCounts {
  const sums = { ...counts };
  for (const { action } of rows) sums[action] = (sums[action] ?? 0) + 1;
  return sums;
}

/** `2 insert, 1 delete`, or `nothing`. */
export function countsText(counts: LostCounts): string {
  const parts = Object.entries(counts).map(([action, count]) => `${String(count)} ${action}`);
  return parts.join(', ') || 'nothing';
}

/** A name of a file for a table, whatever letters its name has. */
export function csvName(database: string, table: Table, taken: ReadonlySet<string>): string {
  const plain = [database, table.schema, table.name].join('.').replaceAll(/[^A-Za-z0-9_.-]/g, '_');
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? `${plain}.csv` : `${plain}-${String(number)}.csv`;
    if (!taken.has(name)) return name;
  }
}
