import type { Kind, Resource } from './kind.js';
import { readOnlyFor } from './postgres-overrides.js';
import { identifier, literal, parseSql, probeSql, runSql, statesFrom } from './postgres-sql.js';

export interface PostgresDatabase extends Resource {
  readonly kind: 'postgresDatabase';
  readonly name: string;
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
}

/**
 * A database made from `template0`, by default as Odoo wants it: UTF8, sorted by bytes (`C`), so that no
 * update of the C library can break its indexes.
 */
export function postgresDatabase(options: {
  readonly name: string;
  readonly owner: string;
  readonly encoding?: string;
  readonly collate?: string;
}): PostgresDatabase {
  const { name, owner, encoding = 'UTF8', collate = 'C' } = options;
  return { kind: 'postgresDatabase', id: name, name, owner, encoding, collate };
}

/** Fails when the database is there with another encoding or collation: neither can be changed. */
function refuseOther({ name, encoding, collate }: PostgresDatabase): string {
  const message = `database ${name} exists with encoding % and collation %, wanted ${encoding} and ${collate}: dump it, drop it, let odoo-prov make it and restore it`;
  return `
do $check$
declare found record;
begin
  select pg_encoding_to_char(encoding) as encoding, datcollate into found
    from pg_database where datname = ${literal(name)};
  if (found.encoding, found.datcollate) is distinct from (${literal(encoding)}, ${literal(collate)}) then
    raise exception ${literal(message)}, found.encoding, found.datcollate;
  end if;
end $check$;`;
}

/**
 * Takes back what keeps the owner from writing. A session keeps what it began with, and PgBouncer keeps sessions for an hour: those
 * that are idle are ended, so that new ones take their place.
 */
function letWrite({ name, owner }: PostgresDatabase): string {
  const readOnly = readOnlyFor(owner, name);
  return `
select exists (${readOnly}) as read_only \\gset
\\if :read_only
select reset from (${readOnly}) o \\gexec
select pg_terminate_backend(pid) from pg_stat_activity
where datname = ${literal(name)} and usename = ${literal(owner)} and state = 'idle' \\g /dev/null
\\endif`;
}

export const postgresDatabaseKind: Kind<PostgresDatabase> = {
  name: 'postgresDatabase',
  summary:
    'a database of the local PostgreSQL server: owner, who may write, encoding, collation, no limit of connections; never dropped',

  probe(wanted) {
    const names = wanted.map(({ name }) => literal(name)).join(', ');
    const readOnly = wanted.map(
      ({ name, owner }) =>
        `when ${literal(name)} then (select string_agg(whose, ', ' order by whose) from (${readOnlyFor(owner, name)}) o)`,
    );
    return probeSql(`
select datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datconnlimit,
  case when datallowconn then 'yes' else 'no' end, coalesce(case datname ${readOnly.join('\n')} end, 'none')
from pg_database where datname in (${names});`);
  },

  parse(output, wanted) {
    return statesFrom(parseSql(output), wanted, ({ name }, rows) => {
      const row = rows.find(([datname]) => datname === name);
      if (row === undefined) return 'absent';
      const [, owner = '', encoding = '', collate = '', limit, allows = '', readOnly = ''] = row;
      return {
        ...{ owner, encoding, collate },
        ...{ connection_limit: Number(limit), allow_connections: allows },
        read_only_by: readOnly,
      };
    });
  },

  // Who may connect and how often is said by roles and PgBouncer; a limit of the database's own takes Odoo down.
  want({ owner, encoding, collate }) {
    return {
      ...{ owner, encoding, collate },
      ...{ connection_limit: -1, allow_connections: 'yes' },
      // What makes transactions of its owner read only unless they say otherwise, which Odoo never does.
      read_only_by: 'none',
    };
  },

  apply({ resource: database }) {
    const { name, owner, encoding, collate } = database;
    const create =
      `create database ${identifier(name)} owner ${identifier(owner)} template template0` +
      ` encoding ${literal(encoding)} lc_collate ${literal(collate)}`;
    return runSql(
      'postgres',
      `
select ${literal(create)}
  where not exists (select from pg_database where datname = ${literal(name)}) \\gexec
alter database ${identifier(name)} owner to ${identifier(owner)};
alter database ${identifier(name)} with allow_connections true connection limit -1;
${letWrite(database)}
${refuseOther(database)}
`,
    );
  },

  hazard({ resource, have }) {
    if (have !== 'absent') return undefined;
    return { type: 'creates-database', what: `the database ${resource.name}` };
  },
};
