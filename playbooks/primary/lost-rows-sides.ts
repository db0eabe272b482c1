import {
  allRows,
  parseRow,
  SAME_TEXT,
  writtenRows,
  type Row,
  type Table,
} from '../../src/postgres/lost-rows-sql.js';
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

/** How many rows are compared at a time: what they hold is in memory meanwhile. */
const ROWS = 200;
const PLACES = 1000;

/** Hands out what the old primary wrote, some rows at a time; of a database that it made, all. They wait in a file there. */
export async function eachWritten(
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
export async function eachGone(
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
export async function append({ mover, old }: Sides, file: string, text: string): Promise<void> {
  const script = sh`umask 077
printf %s ${base64(new Secret(text))} | base64 -d >>${`${WORK}/rows/${file}`}`;
  await step(mover, old, 'keep what only it has', script, LONG);
}

/** The lines that the old primary's data answers. Keys are business data too: queries go over stdin. */
export async function askOld(
  { mover, old, name }: Sides,
  query: string,
): Promise<readonly string[]> {
  const script = sh`${raw(SQL_FUNCTION)}
${raw(OLD_SQL)}
printf %s ${base64(new Secret(SAME_TEXT + query))} | base64 -d | old_sql ${name}`;
  return linesOf(await step(mover, old, 'read its old data', script, LONG));
}

/** The same of the new primary. */
export async function askNew(sides: Sides, query: string): Promise<readonly string[]> {
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

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
