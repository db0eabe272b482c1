import type { StoredJob } from '../../src/failover-test/requests.js';
import type { StoredRow } from '../../src/failover-test/ledger.js';
import { ODOO_USER } from '../../src/odoo/layout.js';
import { FAILOVER_TEST_SCHEMA } from '../../src/postgres/layout.js';
import type { Hosts } from './hosts.js';

/** Nothing else is ever touched, and it goes when the test ends. */
const SCHEMA = FAILOVER_TEST_SCHEMA;
export const TABLE = `${SCHEMA}.writes`;
/** Jobs that users asked for, and a row for each time that Odoo's scheduled action did one. */
export const JOBS_TABLE = `${SCHEMA}.jobs`;
export const RUNS_TABLE = `${SCHEMA}.runs`;

/**
 * Makes the tables anew. Without any constraint, so that a row that is there twice can be seen; its client is
 * Odoo's role, since it comes the way that Odoo comes.
 */
export async function makeTable(hosts: Hosts, primary: string, database: string): Promise<void> {
  await hosts.sql(
    primary,
    database,
    `drop schema if exists ${SCHEMA} cascade;
create schema ${SCHEMA} authorization ${ODOO_USER};
create table ${TABLE} (client int not null, sequence int not null, written timestamptz not null default clock_timestamp());
create table ${JOBS_TABLE} (job int not null, planned timestamptz not null default clock_timestamp(), done timestamptz);
create table ${RUNS_TABLE} (job int not null, at timestamptz not null default clock_timestamp());
alter table ${TABLE} owner to ${ODOO_USER};
alter table ${JOBS_TABLE} owner to ${ODOO_USER};
alter table ${RUNS_TABLE} owner to ${ODOO_USER};`,
  );
}

/** Removes all that the test put into the database. */
export async function dropTable(hosts: Hosts, primary: string, database: string): Promise<void> {
  await hosts.sql(primary, database, `drop schema if exists ${SCHEMA} cascade;`, 120);
}

/** Whether nothing of the test is in the database. */
export async function tableIsGone(
  hosts: Hosts,
  primary: string,
  database: string,
): Promise<boolean> {
  const found = `select count(*) from pg_namespace where nspname = '${SCHEMA}';`;
  return (await hosts.sql(primary, database, found)) === '0';
}

/** The rows that a server has. */
export async function storedRows(
  hosts: Hosts,
  host: string,
  database: string,
): Promise<readonly StoredRow[]> {
  return parseStoredRows(await hosts.sql(host, database, STORED_ROWS));
}

/** A statement that gives a row's client, sequence and number of copies, each on a line. */
export const STORED_ROWS = `select format('%s %s %s', client, sequence, count(*)) from ${TABLE} group by client, sequence;`;

/** Reads the answer to {@link STORED_ROWS}. */
export function parseStoredRows(text: string): readonly StoredRow[] {
  return lines(text).map((line) => {
    const [client = NaN, sequence = NaN, copies = NaN] = line.split(' ').map(Number);
    return { client, sequence, copies };
  });
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** The jobs that were asked for, and how often each was done. */
export async function storedJobs(
  hosts: Hosts,
  host: string,
  database: string,
): Promise<readonly StoredJob[]> {
  const query = `select job, (select count(*) from ${RUNS_TABLE} r where r.job = j.job) from ${JOBS_TABLE} j;`;
  const rows = lines(await hosts.sql(host, database, query));
  return rows.map((line) => {
    const [job = NaN, runs = NaN] = line.split(' ').map(Number);
    return { job, runs };
  });
}

/** Names of a table's rows that begin so, of a model whose names may be translated; each as often as it is there. */
export async function storedNames(
  hosts: Hosts,
  host: string,
  database: string,
  table: string,
  mark: string,
): Promise<readonly string[]> {
  const query = `select coalesce(substring(name::text from '${mark} [0-9]+/[0-9]+'), '') from ${table} where name::text like '%${mark} %';`;
  return lines(await hosts.sql(host, database, query));
}

/** How many rows a server has. */
export async function countRows(hosts: Hosts, host: string, database: string): Promise<number> {
  return Number(await hosts.sql(host, database, `select count(*) from ${TABLE};`, 20));
}
