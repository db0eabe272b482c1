import type { Kind, Resource, State } from './kind.js';
import { identifier, literal, parseSql, probeSql, runSql, statesFrom } from './postgres-sql.js';

export interface PostgresExtension extends Resource {
  readonly kind: 'postgresExtension';
  readonly database: string;
  readonly name: string;
  readonly schema: string;
  /** Signatures of its functions that are declared IMMUTABLE, e.g. `unaccent(text)`. */
  readonly immutable: readonly string[];
}

/**
 * An extension of one database, made by the superuser, at the version that the installed package brings.
 * Odoo uses `unaccent` in indexes only where it is declared IMMUTABLE, and cannot do that itself.
 */
export function postgresExtension(options: {
  readonly database: string;
  readonly name: string;
  /** `public` if not given. */
  readonly schema?: string;
  readonly immutable?: readonly string[];
}): PostgresExtension {
  const { database, name, schema = 'public', immutable = [] } = options;
  return {
    kind: 'postgresExtension',
    id: `${database}/${name}`,
    database,
    name,
    schema,
    immutable,
  };
}

function functionOf({ schema }: PostgresExtension, signature: string): string {
  if (!/^\w+\([\w ,]*\)$/.test(signature)) throw new Error(`no function signature: ${signature}`);
  return `${identifier(schema)}.${signature}`;
}

/** Looks into one database, if it is there; every extension's row starts with its resource's id. */
function queryIn(database: string, extensions: readonly PostgresExtension[]): string {
  const queries = extensions.map((extension) => {
    const functions = extension.immutable.map((f) => literal(functionOf(extension, f)));
    const mutable = `select count(*) from unnest(array[${functions.join(', ')}]::text[]) f
    where (select provolatile from pg_proc where oid = to_regprocedure(f)) is distinct from 'i'`;
    return `
select ${literal(extension.id)}, nspname, extversion = default_version, (${mutable})
from pg_extension e join pg_namespace n on n.oid = extnamespace
  join pg_available_extensions a on a.name = extname
where extname = ${literal(extension.name)};`;
  });
  return `
select exists (select from pg_database where datname = ${literal(database)}) as found \\gset
\\if :found
\\connect ${identifier(database)}
${queries.join('\n')}
\\endif`;
}

export const postgresExtensionKind: Kind<PostgresExtension> = {
  name: 'postgresExtension',
  summary: 'an extension in one database of the local PostgreSQL server',

  probe(wanted) {
    const databases = [...new Set(wanted.map(({ database }) => database))];
    return probeSql(
      databases
        .map((database) =>
          queryIn(
            database,
            wanted.filter((w) => w.database === database),
          ),
        )
        .join('\n'),
    );
  },

  parse(output, wanted) {
    return statesFrom(parseSql(output), wanted, ({ id }, rows): State | 'absent' => {
      const row = rows.find(([key]) => key === id);
      if (row === undefined) return 'absent';
      const [, schema = '', current, mutable] = row;
      return { schema, version: current === 't' ? 'current' : 'old', immutable: mutable === '0' };
    });
  },

  want({ schema }) {
    return { schema, version: 'current', immutable: true };
  },

  apply({ resource: extension }) {
    const name = identifier(extension.name);
    const schema = identifier(extension.schema);
    const elsewhere = `select from pg_extension e join pg_namespace n on n.oid = extnamespace
  where extname = ${literal(extension.name)} and nspname <> ${literal(extension.schema)}`;
    return runSql(
      extension.database,
      `
create extension if not exists ${name} schema ${schema};
select ${literal(`alter extension ${name} set schema ${schema}`)} where exists (${elsewhere}) \\gexec
alter extension ${name} update;
${extension.immutable.map((f) => `alter function ${functionOf(extension, f)} immutable;`).join('\n')}
`,
    );
  },
};
