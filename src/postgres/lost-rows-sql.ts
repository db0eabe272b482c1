import { identifier, literal } from '../resource/postgres-sql.js';
import { FAILOVER_TEST_SCHEMA } from './layout.js';
import type { TouchedFile } from './wal-changes.js';

/*
 * The queries that compare an old primary with the new one. Every row comes as one JSON array of texts on a line of
 * COPY's output, so that any type, line feed and NULL arrives as it was; both servers write values alike ({@link SAME_TEXT}).
 */

/** A column of a table, in the order of the table. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/** A table as one of the two servers has it. */
export interface Table {
  readonly schema: string;
  readonly name: string;
  /** Number of the file that holds it: a new one after everything in it was rewritten. */
  readonly file: number;
  readonly columns: readonly Column[];
  /** Names of the primary key's columns, in its order; empty when it has none. */
  readonly key: readonly string[];
}

/** A row: the text of each column, null for NULL. */
export type Row = readonly (string | null)[];

/** Settings under which two servers of one version write the same value as the same text. */
export const SAME_TEXT = `set client_encoding = 'UTF8';
set search_path = pg_catalog;
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set timezone = 'UTC';
set extra_float_digits = 1;
set bytea_output = 'hex';
set lc_monetary = 'C';
set statement_timeout = 0;
set default_transaction_read_only = on;
`;

/** A number of a transaction is four bytes and goes round. */
const ROUND = 4294967296;

/** SQL: whether a number lies between `first` and the next one that the server will give. */
export function since(column: string, first: number): string {
  const next = `mod(pg_snapshot_xmax(pg_current_snapshot())::text::numeric, ${String(ROUND)})::bigint`;
  const ahead = (value: string): string =>
    `(${value} - ${String(first)} + ${String(ROUND)}) % ${String(ROUND)}`;
  return `(${ahead(`${column}::text::bigint`)} < ${ahead(next)})`;
}

function copy(query: string): string {
  return `copy (${query}) to stdout;\n`;
}

/** A line of {@link copy}'s output: COPY doubles each backslash of the JSON text. */
export function parseRow(line: string): Row {
  return JSON.parse(line.replaceAll('\\\\', '\\')) as Row;
}

function texts(expressions: readonly string[]): string {
  return `to_json(array[${expressions.join(', ')}]::text[])`;
}

function textOf(column: string): string {
  return `t.${identifier(column)}::text`;
}

function rowOf({ columns }: Table): string {
  return texts(columns.map(({ name }) => textOf(name)));
}

function from({ schema, name }: Table): string {
  return `only ${identifier(schema)}.${identifier(name)} t`;
}

const DESCRIBE = `json_build_object('schema', n.nspname, 'name', c.relname, 'file', pg_relation_filenode(c.oid)::bigint,
  'columns', (select coalesce(json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod))
      order by attnum), '[]') from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped),
  'key', (select coalesce(json_agg(a.attname order by k.place), '[]')
    from pg_index i cross join unnest(i.indkey::int2[]) with ordinality k (attnum, place)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = c.oid and i.indisprimary))`;
// One that is unlogged now may have been logged when it was written to. What clients of a failover-test were told is
// judged by its ledger, and its schema goes when it ends: nobody could hand its rows in again.
const OWN = `c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', '${FAILOVER_TEST_SCHEMA}')`;

function filesFrom(files: readonly TouchedFile[]): string {
  const values = files.map(({ tablespace, file }) => `(${String(tablespace)}, ${String(file)})`);
  return `(values ${values.join(', ')}) f (tablespace, file)`;
}

/** Those of these files that belong to anything, as its number alone: tables, catalogs, indexes. */
export function filesInUse(files: readonly TouchedFile[]): string {
  return copy(
    `select file from ${filesFrom(files)} where pg_filenode_relation(tablespace, file) is not null`,
  );
}

/** The tables of people that live in these files. */
export function tablesOfFiles(files: readonly TouchedFile[]): string {
  return copy(`select ${DESCRIBE}
from ${filesFrom(files)}
  join pg_class c on c.oid = pg_filenode_relation(f.tablespace, f.file)
  join pg_namespace n on n.oid = c.relnamespace where ${OWN} order by n.nspname, c.relname`);
}

/** All tables of people. */
export function allTables(): string {
  return copy(`select ${DESCRIBE}
from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${OWN} order by n.nspname, c.relname`);
}

/** The tables of these names. */
export function tablesOfNames(tables: readonly Table[]): string {
  const values = tables.map(({ schema, name }) => `(${literal(schema)}, ${literal(name)})`);
  return copy(`select ${DESCRIBE}
from (values ${values.join(', ')}) f (schema, name)
  join pg_namespace n on n.nspname = f.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = f.name where ${OWN}`);
}

/** A line of the answer to {@link tablesOfFiles}, {@link allTables} and {@link tablesOfNames}. */
export function parseTable(line: string): Table {
  return JSON.parse(line.replaceAll('\\\\', '\\')) as Table;
}

/**
 * Rows whose version was written by a transaction from `first` on, other than those that the psql variable `before`
 * lists (`{1,2}`).
 */
export function writtenRows(table: Table, first: number): string {
  return copy(`select ${rowOf(table)} from ${from(table)}
where ${since('t.xmin', first)} and t.xmin::text <> all (:'before'::text[])`);
}

/** All rows. */
export function allRows(table: Table): string {
  return copy(`select ${rowOf(table)} from ${from(table)}`);
}

/** Finds few rows in a large table: by its key's index, not by reading all of it. */
const BY_KEY = `set enable_seqscan = off;
set enable_hashjoin = off;
set enable_mergejoin = off;
`;

function keysJoin(table: Table, keys: readonly Row[]): string {
  const on = table.key.map((name, place) => {
    const type = table.columns.find((column) => column.name === name)?.type ?? 'text';
    return `t.${identifier(name)} = (k.value ->> ${String(place)})::${type}`;
  });
  return `json_array_elements(${literal(JSON.stringify(keys))}::json) k join ${from(table)} on ${on.join(' and ')}`;
}

/** Rows of these keys: first whether the version was written since the transaction `next` (`t`, `f`), then all columns. */
export function rowsOfKeys(table: Table, keys: readonly Row[], next: number): string {
  const columns = table.columns.map(({ name }) => textOf(name));
  return `${BY_KEY}${copy(`select ${texts([`case when ${since('t.xmin', next)} then 't' else 'f' end`, ...columns])}
from ${keysJoin(table, keys)}`)}`;
}

/** Those of these keys that there are. */
export function keysThatAre(table: Table, keys: readonly Row[]): string {
  return `${BY_KEY}${copy(`select ${texts(table.key.map(textOf))} from ${keysJoin(table, keys)}`)}`;
}

function places(ctids: readonly string[]): string {
  return `'{${ctids.map((ctid) => `"${ctid}"`).join(',')}}'::tid[]`;
}

/** Row versions that still are at these places since before the transaction `next`: the place, then all columns. */
export function rowsAt(table: Table, ctids: readonly string[], next: number): string {
  const columns = table.columns.map(({ name }) => textOf(name));
  return copy(`select ${texts(['t.ctid::text', ...columns])} from ${from(table)}
where t.ctid = any (${places(ctids)}) and not ${since('t.xmin', next)}`);
}

/** Those of these places that hold a row of before the transaction `first`. */
export function placesThatAre(table: Table, ctids: readonly string[], first: number): string {
  return copy(`select ${texts(['t.ctid::text'])} from ${from(table)}
where t.ctid = any (${places(ctids)}) and not ${since('t.xmin', first)}`);
}
