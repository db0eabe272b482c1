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
  /** Printable ASCII; kept on the server as a SCRAM-SHA-256 verifier. */
  readonly password: Secret;
}

/** A role of the local server, never a superuser and never allowed to make roles. */
export function postgresRole(options: {
  readonly name: string;
  readonly password: Secret;
  /** True if not given. */
  readonly login?: boolean;
  readonly createdb?: boolean;
  readonly replication?: boolean;
  readonly memberOf?: readonly string[];
  readonly executes?: readonly string[];
}): PostgresRole {
  const { name, password, login = true, createdb = false, replication = false } = options;
  const { memberOf = [], executes = [] } = options;
  const flags = { login, createdb, replication };
  return { kind: 'postgresRole', id: name, name, ...flags, memberOf, executes, password };
}

const FLAGS = ['login', 'createdb', 'superuser', 'createrole', 'replication'] as const;

function flagsOf(role: PostgresRole): Readonly<Record<(typeof FLAGS)[number], boolean>> {
  const { login, createdb, replication } = role;
  return { login, createdb, superuser: false, createrole: false, replication };
}

function attributes(role: PostgresRole): string {
  const flags = flagsOf(role);
  return FLAGS.map((flag) => (flags[flag] ? '' : 'NO') + flag.toUpperCase()).join(' ');
}

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
  summary: 'a role of the local PostgreSQL server: what it may do, and its password',

  probe(wanted, salt) {
    const names = wanted.map(({ name }) => literal(name)).join(', ');
    return probeSql(`
select rolname, rolcanlogin, rolcreatedb, rolsuper, rolcreaterole, rolreplication,
  encode(sha256(convert_to(${literal(salt)} || coalesce(rolpassword, ''), 'UTF8')), 'hex'),
  ${missingRights(wanted)}
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
      };
    });
  },

  want(role, salt): State {
    const verifier = scramVerifier(role.name, role.password).reveal();
    const password = createHash('sha256')
      .update(salt + verifier)
      .digest('hex');
    return { ...flagsOf(role), password, missing_rights: '' };
  },

  apply({ resource: role }) {
    const verifier = scramVerifier(role.name, role.password);
    const name = identifier(role.name);
    const grants = [
      ...role.memberOf.map((of) => `grant ${identifier(of)} to ${name};`),
      ...role.executes.map((signature) => `grant execute on function ${signature} to ${name};`),
    ];
    return runSql(
      'postgres',
      new Secret(`
select ${literal(`create role ${name}`)}
  where not exists (select from pg_roles where rolname = ${literal(role.name)}) \\gexec
alter role ${name} ${attributes(role)} password ${literal(verifier.reveal())};
${grants.join('\n')}
`),
    );
  },
};
