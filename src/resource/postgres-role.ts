import { createHash } from 'node:crypto';
import { Secret } from '../shell/index.js';
import type { Kind, Resource, State } from './kind.js';
import { scramVerifier } from './postgres-scram.js';
import { identifier, literal, parseSql, probeSql, runSql, statesFrom } from './postgres-sql.js';

export interface PostgresRole extends Resource {
  readonly kind: 'postgresRole';
  readonly name: string;
  readonly login: boolean;
  readonly createdb: boolean;
  readonly replication: boolean;
  /** Roles whose rights it has, e.g. `pg_monitor`. */
  readonly memberOf: readonly string[];
  /** Functions of the database `postgres` that it may call, by signature. */
  readonly executes: readonly string[];
  /** Connections that it may have at once; -1: as many as the server has. */
  readonly connectionLimit: number;
  /** What its sessions begin with, e.g. `statement_timeout`; not given: what is there stays. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Printable ASCII; kept on the server as a SCRAM-SHA-256 verifier. */
  readonly password: Secret;
}

/** A role of the local server, with a password that never expires; never a superuser, never allowed to make roles or to pass by row security. */
export function postgresRole(options: {
  readonly name: string;
  readonly password: Secret;
  /** True if not given. */
  readonly login?: boolean;
  readonly createdb?: boolean;
  readonly replication?: boolean;
  readonly memberOf?: readonly string[];
  readonly executes?: readonly string[];
  /** Not given: as many as the server has. */
  readonly connectionLimit?: number;
  readonly settings?: Readonly<Record<string, string>>;
}): PostgresRole {
  const { name, password, login = true, createdb = false, replication = false } = options;
  const { memberOf = [], executes = [], connectionLimit = -1, settings } = options;
  return {
    ...{ kind: 'postgresRole', id: name, name, login, createdb, replication, memberOf, executes },
    connectionLimit,
    ...(settings !== undefined && { settings }),
    password,
  };
}

/** As the probe prints them. */
function settingsText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(', ');
}

/** Words of ALTER ROLE, each with the column of pg_authid that tells it. */
const COLUMNS = {
  login: 'rolcanlogin',
  createdb: 'rolcreatedb',
  superuser: 'rolsuper',
  createrole: 'rolcreaterole',
  replication: 'rolreplication',
  bypassrls: 'rolbypassrls',
} as const;
type Flag = keyof typeof COLUMNS;
const FLAGS = Object.keys(COLUMNS) as Flag[];

function flagsOf({ login, createdb, replication }: PostgresRole): Readonly<Record<Flag, boolean>> {
  return { login, createdb, replication, superuser: false, createrole: false, bypassrls: false };
}

function attributes(role: PostgresRole): string {
  const flags = flagsOf(role);
  return FLAGS.map((flag) => (flags[flag] ? '' : 'NO') + flag.toUpperCase()).join(' ');
}

/** Until when a role's password lets it in, as an SQL expression: text in UTC; null where no end was ever said. */
export const VALID_UNTIL = `case when isfinite(rolvaliduntil)
  then to_char(rolvaliduntil at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') else rolvaliduntil::text end`;

/** Rights that are wanted and missing, as an SQL expression; rights beyond them are left alone. */
function missingRights(wanted: readonly PostgresRole[]): string {
  const rights = wanted.flatMap((role) => [
    ...role.memberOf.map((of) => [role.name, of, '']),
    ...role.executes.map((signature) => [role.name, '', signature]),
  ]);
  if (rights.length === 0) return "''";
  const rows = rights.map((right) => `(${right.map(literal).join(', ')})`).join(', ');
  return `(select coalesce(string_agg(member_of || signature, ' ' order by member_of || signature), '')
  from (values ${rows}) as wanted (name, member_of, signature)
  where wanted.name = rolname and not case when member_of = ''
    then has_function_privilege(rolname, signature, 'execute')
    else pg_has_role(rolname, member_of, 'member') end)`;
}

export const postgresRoleKind: Kind<PostgresRole> = {
  name: 'postgresRole',
  summary:
    'a role of the local PostgreSQL server: what it may do, and its password, which never expires',

  probe(wanted, salt) {
    const names = wanted.map(({ name }) => literal(name)).join(', ');
    return probeSql(`
select rolname, ${Object.values(COLUMNS).join(', ')},
  encode(sha256(convert_to(${literal(salt)} || coalesce(rolpassword, ''), 'UTF8')), 'hex'),
  ${missingRights(wanted)}, rolconnlimit, coalesce(${VALID_UNTIL}, 'infinity'),
  (select coalesce(string_agg(one, ', ' order by one collate "C"), '')
    from pg_db_role_setting, unnest(setconfig) as one where setrole = pg_authid.oid and setdatabase = 0)
from pg_authid where rolname in (${names});`);
  },

  parse(output, wanted) {
    return statesFrom(parseSql(output), wanted, ({ name }, rows) => {
      const row = rows.find(([rolname]) => rolname === name);
      if (row === undefined) return 'absent';
      const flags = FLAGS.map((flag, i): [string, boolean] => [flag, row[i + 1] === 't']);
      return {
        ...Object.fromEntries(flags),
        password: row[FLAGS.length + 1] ?? '',
        missing_rights: row[FLAGS.length + 2] ?? '',
        connection_limit: Number(row[FLAGS.length + 3]),
        valid_until: row[FLAGS.length + 4] ?? '',
        settings: row[FLAGS.length + 5] ?? '',
      };
    });
  },

  want(role, salt): State {
    const verifier = scramVerifier(role.name, role.password).reveal();
    const password = createHash('sha256')
      .update(salt + verifier)
      .digest('hex');
    return {
      ...flagsOf(role),
      password,
      missing_rights: '',
      connection_limit: role.connectionLimit,
      // After that its password lets nobody in.
      valid_until: 'infinity',
      ...(role.settings !== undefined && { settings: settingsText(role.settings) }),
    };
  },

  apply({ resource: role }) {
    const verifier = scramVerifier(role.name, role.password);
    const name = identifier(role.name);
    const grants = [
      ...role.memberOf.map((of) => `grant ${identifier(of)} to ${name};`),
      ...role.executes.map((signature) => `grant execute on function ${signature} to ${name};`),
    ];
    const settings = Object.entries(role.settings ?? {});
    const session = [
      ...(role.settings === undefined ? [] : [`alter role ${name} reset all;`]),
      ...settings.map(([key, value]) => `alter role ${name} set ${key} = ${literal(value)};`),
    ];
    return runSql(
      'postgres',
      new Secret(`
select ${literal(`create role ${name}`)}
  where not exists (select from pg_roles where rolname = ${literal(role.name)}) \\gexec
alter role ${name} ${attributes(role)} connection limit ${String(role.connectionLimit)} valid until 'infinity' password ${literal(verifier.reveal())};
${[...grants, ...session].join('\n')}
`),
    );
  },
};
