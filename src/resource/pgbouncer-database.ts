import { raw, sh } from '../shell/index.js';
import type { Kind, Resource } from './kind.js';

export interface PgbouncerDatabase extends Resource {
  readonly kind: 'pgbouncerDatabase';
  readonly name: string;
  readonly console: string;
}

export interface PgbouncerDatabaseOptions {
  readonly name: string;
  /** Shell words that open the administration console as root. */
  readonly console: string;
}

/**
 * A database of the local PgBouncer, with its clients let through. Moving the primary holds them back
 * (KILL, PAUSE); a move that was cut off leaves them waiting, until this resumes them.
 */
export function pgbouncerDatabase(options: PgbouncerDatabaseOptions): PgbouncerDatabase {
  return { kind: 'pgbouncerDatabase', id: options.name, ...options };
}

/** PgBouncer's databases: none of them paused. One that does not run, or has not read of one yet, holds nobody back. */
export const pgbouncerDatabaseKind: Kind<PgbouncerDatabase> = {
  name: 'pgbouncerDatabase',
  summary: 'a database of PgBouncer: its clients are let through',

  // The heading tells which column is which: 1.18 and 1.24 have different ones.
  probe(wanted) {
    const consoles = [...new Set(wanted.map(({ console }) => console))];
    const looks = consoles.map(
      (console) =>
        `${console} -P tuples_only=off -P footer=off -c 'SHOW DATABASES' 2>/dev/null </dev/null || :`,
    );
    return raw(`if systemctl is-active --quiet pgbouncer; then\n${looks.join('\n')}\nfi`);
  },

  parse(output, wanted) {
    const [heading = [], ...rows] = output.split('\n').map((line) => line.split('|'));
    const column = (name: string): number => heading.indexOf(name);
    const paused = new Map(rows.map((row) => [row[column('name')], row[column('paused')] === '1']));
    return new Map(wanted.map(({ id, name }) => [id, { paused: paused.get(name) ?? false }]));
  },

  want: () => ({ paused: false }),

  // Another move's end may have resumed it in between: that is as good.
  apply({ resource: { name, console } }) {
    return sh`
answer=$(${raw(console)} -c ${`RESUME "${name}"`} 2>&1 </dev/null) || case $answer in
  *'not paused'*) ;;
  *) printf '%s\n' "$answer" >&2; exit 1 ;;
esac`;
  },
};
