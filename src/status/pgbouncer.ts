import { sh, type Script } from '../shell/index.js';

/** A pool: one database and user. Counts are connections. */
export interface Pool {
  readonly database: string;
  readonly user: string;
  readonly mode: string;
  readonly clientsActive: number;
  /** Clients that have sent something and wait for a server connection. */
  readonly clientsWaiting: number;
  readonly serversActive: number;
  /** Ready for a client at once. */
  readonly serversIdle: number;
  /** All of the pool's connections to PostgreSQL, also those being made. */
  readonly servers: number;
  /** Seconds for which the first of the waiting clients has waited. */
  readonly longestWait: number;
}

/** Where a database of PgBouncer leads. */
export interface PooledDatabase {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The most connections that PgBouncer makes to it. */
  readonly size: number;
  readonly paused: boolean;
  readonly disabled: boolean;
  /** Milliseconds that a query took on average in the last `stats_period` (60 s). */
  readonly averageQuery: number;
  /** Queries a second, of the same time. */
  readonly queries: number;
}

export type PgbouncerStatus =
  | {
      readonly answers: true;
      readonly pools: readonly Pool[];
      readonly databases: readonly PooledDatabase[];
    }
  | { readonly answers: false; readonly why: string };

const MARK = '@table';
/** Its own database, which the console itself uses. */
const CONSOLE = 'pgbouncer';

/** Asks the admin console over the unix socket, where the system user postgres is let in without a password. */
export function pgbouncerProbe(): Script {
  return sh`
for psql in /usr/lib/postgresql/*/bin/psql; do :; done
cd / && PGCONNECT_TIMEOUT=4 setpriv --reuid=postgres --regid=postgres --init-groups \
  "$psql" -XAq -F "$(printf '\t')" -P footer=off -v ON_ERROR_STOP=1 \
  -h /var/run/postgresql -p 6432 -U pgbouncer -d ${CONSOLE} -f - 2>&1 <<'SQL' || :
\echo ${MARK} pools
SHOW POOLS;
\echo ${MARK} databases
SHOW DATABASES;
\echo ${MARK} stats
SHOW STATS;
SQL`;
}

type Row = ReadonlyMap<string, string>;

/**
 * Reads what {@link pgbouncerProbe} printed. Columns are found by their names: 1.18 and 1.24 have different ones.
 * @throws Error when a column is missing that both have
 */
export function parsePgbouncer(text: string): PgbouncerStatus {
  const tables = tablesOf(text);
  const [pools, databases, stats] = [
    tables.get('pools'),
    tables.get('databases'),
    tables.get('stats'),
  ];
  if (pools === undefined || databases === undefined || stats === undefined) {
    const said = text.split('\n').find((line) => line !== '' && !line.startsWith(MARK));
    return { answers: false, why: said ?? 'the console says nothing' };
  }
  const foreign = (row: Row): boolean => cell(row, 'database') !== CONSOLE;
  const statsOf = new Map(stats.map((row) => [cell(row, 'database'), row]));
  return {
    answers: true,
    pools: pools.filter(foreign).map(poolOf),
    databases: databases
      .filter((row) => cell(row, 'name') !== CONSOLE)
      .map((row) => databaseOf(row, statsOf.get(cell(row, 'name')))),
  };
}

function poolOf(row: Row): Pool {
  const count = (column: string): number => Number(cell(row, column));
  const sum = (pattern: RegExp): number =>
    [...row].reduce((all, [column, value]) => all + (pattern.test(column) ? Number(value) : 0), 0);
  return {
    database: cell(row, 'database'),
    user: cell(row, 'user'),
    mode: cell(row, 'pool_mode'),
    clientsActive: count('cl_active'),
    clientsWaiting: count('cl_waiting'),
    serversActive: count('sv_active'),
    serversIdle: count('sv_idle') + count('sv_used'),
    servers: sum(/^sv_/),
    longestWait: count('maxwait') + count('maxwait_us') / 1_000_000,
  };
}

function databaseOf(row: Row, stats: Row | undefined): PooledDatabase {
  return {
    name: cell(row, 'name'),
    host: cell(row, 'host'),
    port: Number(cell(row, 'port')),
    size: Number(cell(row, 'pool_size')),
    paused: cell(row, 'paused') === '1',
    disabled: cell(row, 'disabled') === '1',
    averageQuery: stats === undefined ? 0 : Number(cell(stats, 'avg_query_time')) / 1000,
    queries: stats === undefined ? 0 : Number(cell(stats, 'avg_query_count')),
  };
}

function cell(row: Row, column: string): string {
  const value = row.get(column);
  if (value === undefined) throw new Error(`PgBouncer shows no column ${column}`);
  return value;
}

/** The tables behind their marks; one without its heading is left out. */
function tablesOf(text: string): ReadonlyMap<string, readonly Row[]> {
  const [, ...parts] = text.split(new RegExp(`^${MARK} `, 'm'));
  return new Map(
    parts.flatMap((part): [string, Row[]][] => {
      const [name = '', heading = '', ...rows] = part.trimEnd().split('\n');
      if (!heading.includes('\t')) return [];
      const columns = heading.split('\t');
      const cells = rows.map((line) => line.split('\t'));
      return [[name, cells.map((row) => new Map(columns.map((c, i) => [c, row[i] ?? ''])))]];
    }),
  );
}
