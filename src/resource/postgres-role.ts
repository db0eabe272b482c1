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
}): PostgresRole {
  const { name, password, login = true, createdb = false, replication = false } = options;
  return { kind: 'postgresRole', id: name, name, login, createdb, replication, password };
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

export const postgresRoleKind: Kind<PostgresRole> = {
  name: 'postgresRole',
  summary: 'a role of the local PostgreSQL server: what it may do, and its password',

  probe(wanted, salt) {
    const names = wanted.map(({ name }) => literal(name)).join(', ');
    return probeSql(`
select rolname, rolcanlogin, rolcreatedb, rolsuper, rolcreaterole, rolreplication,
  encode(sha256(convert_to(${literal(salt)} || coalesce(rolpassword, ''), 'UTF8')), 'hex')
from pg_authid where rolname in (${names});`);
  },

  parse(output, wanted) {
    return statesFrom(parseSql(output), wanted, ({ name }, rows) => {
      const row = rows.find(([rolname]) => rolname === name);
      if (row === undefined) return 'absent';
      const flags = FLAGS.map((flag, i): [string, boolean] => [flag, row[i + 1] === 't']);
      return { ...Object.fromEntries(flags), password: row[FLAGS.length + 1] ?? '' };
    });
  },

  want(role, salt): State {
    const verifier = scramVerifier(role.name, role.password).reveal();
    const password = createHash('sha256')
      .update(salt + verifier)
      .digest('hex');
    return { ...flagsOf(role), password };
  },

  apply({ resource: role }) {
    const verifier = scramVerifier(role.name, role.password);
    const name = identifier(role.name);
    return runSql(
      'postgres',
      new Secret(`
select ${literal(`create role ${name}`)}
  where not exists (select from pg_roles where rolname = ${literal(role.name)}) \\gexec
alter role ${name} ${attributes(role)} password ${literal(verifier.reveal())};
`),
    );
  },
};
