import { literal } from './postgres-sql.js';

/** What ALTER ROLE and ALTER DATABASE say of settings, whose it is, and how to take it back. The more it names, the higher its rank. */
const SAID = `select split_part(setting, '=', 1) as name, substr(setting, strpos(setting, '=') + 1) as value,
  rolname, datname, 2 * (setrole <> 0)::int + (setdatabase <> 0)::int as rank,
  coalesce(nullif(concat_ws(' in ', 'role ' || quote_ident(rolname), 'database ' || quote_ident(datname)), ''),
    'every role') as whose,
  format('alter %s reset %I',
    coalesce('role ' || quote_ident(rolname) || coalesce(' in database ' || quote_ident(datname), ''),
      'database ' || quote_ident(datname), 'role all'),
    split_part(setting, '=', 1)) as reset
from pg_db_role_setting s cross join unnest(setconfig) setting
  left join pg_roles r on r.oid = setrole left join pg_database d on d.oid = setdatabase`;

/**
 * What they say of settings by which data is lost, as a query: name, value, whose, and how to take it back (`reset`). It is the
 * primary's, and its standbys' only by it. Others of their settings are the operator's.
 */
export const OVERRIDES = `
select name, value, whose, reset from (${SAID}) said
where not pg_is_in_recovery()
  and name in ('synchronous_commit', 'zero_damaged_pages', 'ignore_checksum_failure')`;

/** What they say that counts for a role in a database, as a query with the same columns and the rank. */
export function overridesFor(role: string, database: string): string {
  return `
select name, value, whose, reset, rank from (${SAID}) said
where coalesce(rolname, ${literal(role)}) = ${literal(role)} and coalesce(datname, ${literal(database)}) = ${literal(database)}`;
}

/**
 * What they say by which a role cannot write in a database, as a query: whose, and how to take it back. Nothing where the role
 * may write all the same: what names both counts before what names the role, then the database, then nobody.
 */
export function readOnlyFor(role: string, database: string): string {
  return `
select whose, reset from (
  select *, max(case when not value::boolean then rank end) over () as writes
  from (${overridesFor(role, database)}) o where name = 'default_transaction_read_only') o
where value::boolean and rank > coalesce(writes, -1)`;
}
