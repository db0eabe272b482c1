import type { StoredRow } from '../../src/failover-test/ledger.js';
import { ODOO_USER } from '../../src/odoo/layout.js';
import type { Hosts } from './hosts.js';

/** The test's own schema: nothing else is ever touched, and it goes when the test ends. */
const SCHEMA = 'odoo_prov_failover_test';
export const TABLE = `${SCHEMA}.writes`;

/**
 * Makes the table anew. Without any constraint, so that a row that is there twice can be seen; its client is
 * Odoo's role, since it comes the way that Odoo comes.
 */
export async function makeTable(hosts: Hosts, primary: string, database: string): Promise<void> {
  await hosts.sql(
    primary,
    database,
    `drop schema if exists ${SCHEMA} cascade;
create schema ${SCHEMA} authorization ${ODOO_USER};
create table ${TABLE} (client int not null, sequence int not null, written timestamptz not null default clock_timestamp());
alter table ${TABLE} owner to ${ODOO_USER};`,
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
  const query = `select client, sequence, count(*) from ${TABLE} group by 1, 2;`;
  const text = await hosts.sql(host, database, query);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [client = NaN, sequence = NaN, copies = NaN] = line.split(' ').map(Number);
      return { client, sequence, copies };
    });
}

/** How many rows a server has. */
export async function countRows(hosts: Hosts, host: string, database: string): Promise<number> {
  return Number(await hosts.sql(host, database, `select count(*) from ${TABLE};`, 20));
}
