import { base64, raw, sh, type Script, type Secret } from '../shell/index.js';
import type { Observed, Resource } from './kind.js';

/** Separates the columns of a row in psql's answers: no identifier or setting holds it. */
const SEPARATOR = '\x1f';

/** A text as an SQL literal (`standard_conforming_strings` is on, as it is by default). */
export function literal(text: string): string {
  if (text.includes('\0')) throw new Error('an SQL literal cannot hold a NUL byte');
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as a quoted SQL identifier. */
export function identifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new Error('an SQL name cannot be empty');
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Shell functions for both directions: `psql_as_postgres DATABASE` runs what it reads as the superuser over
 * the socket. `setpriv` and not `su`: no login session, so no line in the log of each look.
 */
export const PSQL = raw(`psql_as_postgres() {
  for psql in /usr/lib/postgresql/*/bin/psql; do :; done
  (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups \\
    "$psql" -XAtq -F "$(printf '\\037')" -v ON_ERROR_STOP=1 -v VERBOSITY=terse \\
    -h /var/run/postgresql -p 5432 -d "$1" -f -)
}`);

/**
 * A probe that asks the local server; {@link parseSql} reads it. A server that is still starting is waited
 * for, up to 5 s.
 * @param sql queries without secrets that change nothing, run in the database `postgres`
 */
export function probeSql(sql: string): Script {
  return sh`
${PSQL}
ask() {
  psql_as_postgres postgres <<'ODOO_PROV_SQL'
${raw(sql)}
ODOO_PROV_SQL
}
started=no
for opts in /var/lib/postgresql/*/*/postmaster.opts; do
  if [ -e "$opts" ]; then started=yes; fi
done
if [ "$started" = no ]; then
  echo absent
elif ! systemctl is-active --quiet 'postgresql@*.service'; then
  echo down
else
  tries=0
  until answer=$(ask 2>/dev/null); do
    why=$(ask 2>&1 >/dev/null | head -n 1)
    tries=$((tries + 1))
    case $why in *'starting up'*) ;; *) tries=10 ;; esac
    if [ "$tries" -ge 10 ]; then break; fi
    sleep 0.5
  done
  if [ "$tries" -ge 10 ]; then printf 'failed\n%s\n' "$why"; else printf 'up\n%s\n' "$answer"; fi
fi`;
}

/** What the local server answered to {@link probeSql}. */
export type SqlAnswer =
  | { readonly server: 'up'; readonly rows: readonly (readonly string[])[] }
  /** There is no cluster, or one that never ran: whatever could be in it is not there. */
  | { readonly server: 'absent' }
  /** It has data and is not running. */
  | { readonly server: 'down' }
  | { readonly server: 'failed'; readonly why: string };

/** Reads what {@link probeSql} printed. */
export function parseSql(output: string): SqlAnswer {
  const [head, ...rest] = output.split('\n');
  if (head === 'absent') return { server: 'absent' };
  if (head === 'down') return { server: 'down' };
  if (head !== 'up') return { server: 'failed', why: rest.join(' ').trim() || 'psql said nothing' };
  const rows = rest.filter((line) => line !== '').map((line) => line.split(SEPARATOR));
  return { server: 'up', rows };
}

/**
 * The states of resources that live inside a server. One that is stopped makes its contents not applicable
 * rather than different: the unit is what differs, and the next look, after its start, tells the rest.
 * @param state the state of one resource by the rows that came
 */
export function statesFrom<R extends Resource>(
  answer: SqlAnswer,
  wanted: readonly R[],
  state: (resource: R, rows: readonly (readonly string[])[]) => Observed,
): ReadonlyMap<string, Observed> {
  const one = (resource: R): Observed => {
    switch (answer.server) {
      case 'absent':
        return 'absent';
      case 'down':
        return { notApplicable: 'PostgreSQL is not running: looked at again after its start' };
      case 'failed':
        return { unknown: answer.why };
      case 'up':
        return state(resource, answer.rows);
    }
  };
  return new Map(wanted.map((resource) => [resource.id, one(resource)]));
}

/**
 * Session settings that keep statements with password verifiers out of every log, and never wait for a standby. What somebody
 * has said for a role or database does not stop what takes it back.
 */
export const SESSION: readonly string[] = [
  'set role none;',
  'set default_transaction_read_only = off;',
  'set statement_timeout = 0;',
  // While a cluster is being made its standbys are not there yet, and what we do can be done again.
  'set synchronous_commit = local;',
  // Nor does it tell what it did not have to do.
  'set client_min_messages = warning;',
  "set log_statement = 'none';",
  'set log_min_duration_statement = -1;',
  "set log_min_error_statement = 'panic';",
  'set pg_stat_statements.track_utility = off;',
];

/**
 * Runs SQL as the superuser. It goes through a pipe from the shell itself, so it shows in no process list,
 * and neither the server's log nor pg_stat_statements keeps its text.
 * @param database the database to run it in
 */
export function runSql(database: string, sql: string | Secret): Script {
  return sh`
${PSQL}
{
  printf '%s\n' ${SESSION}
  printf %s ${base64(sql)} | base64 -d
} | psql_as_postgres ${database}`;
}
