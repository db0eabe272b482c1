import type { Cluster } from '../../src/inventory/cluster.js';
import { hostsWith } from '../../src/inventory/cluster.js';
import { PGBOUNCER_CONSOLE, PGBOUNCER_DATABASES } from '../../src/odoo/pgbouncer.js';
import { raw } from '../../src/shell/index.js';
import type { Session } from '../../src/transport/session.js';
import { pooled } from './poolers.js';

/** What a PgBouncer does with its clients, live. */
export interface PoolerSight {
  readonly host: string;
  /**
   * `paused`: it holds them back; a move does so, and lets them through at its end. `stopped`: it refuses them; a move stops it
   * where it could not pause it. `stuck`: it runs and does not answer.
   */
  readonly state: 'open' | 'paused' | 'stopped' | 'stuck';
  /** The addresses that it leads its databases to; empty where it does not answer. */
  readonly leadsTo: readonly string[];
}

/** Prints `stopped`, or a line `PAUSED ADDRESS` for each database; nothing on a host that apply has not made a PgBouncer yet. */
function lookScript(cluster: Cluster): string {
  return `if ! [ -e ${PGBOUNCER_DATABASES} ]; then exit 0; fi
if ! systemctl is-active --quiet pgbouncer; then echo stopped; exit 0; fi
echo 'SHOW DATABASES;' | timeout 3 ${PGBOUNCER_CONSOLE} -P tuples_only=off 2>/dev/null |
  awk -F '|' -v names=' ${pooled(cluster).join(' ')} ' '
    !column["paused"] { for (i = 1; i <= NF; i++) column[$i] = i; next }
    index(names, " " $1 " ") { print $column["paused"], $column["host"]; seen = 1 }
    END { if (!seen) print "stuck" }'`;
}

/**
 * Asks each PgBouncer whether it holds its clients back, and where it leads them.
 * @param sessions of all of them: a move is refused where one cannot be reached
 * @throws Failure where the connection to one is lost meanwhile
 */
export async function lookAtPoolers(
  cluster: Cluster,
  sessions: ReadonlyMap<string, Session>,
): Promise<readonly PoolerSight[]> {
  const script = raw(lookScript(cluster));
  const looks = await Promise.all(
    hostsWith(cluster, 'pgbouncer').map(async ({ name }) => {
      const answer = await sessions.get(name)?.run(script, { limit: 20 });
      return poolerSight(name, answer?.stdout ?? '');
    }),
  );
  return looks.flat();
}

function poolerSight(host: string, stdout: string): PoolerSight[] {
  const rows = stdout.split('\n').filter((line) => line !== '');
  const [first] = rows;
  if (first === undefined) return [];
  if (first === 'stopped' || first === 'stuck') return [{ host, state: first, leadsTo: [] }];
  const databases = rows.map((row) => row.split(' '));
  return [
    {
      host,
      state: databases.some(([paused]) => paused === '1') ? 'paused' : 'open',
      leadsTo: [...new Set(databases.map(([, address = '']) => address))],
    },
  ];
}

/** Those whose clients do not get through, as a move leaves them that was cut. */
export function holdingBack(poolers: readonly PoolerSight[]): readonly PoolerSight[] {
  return poolers.filter(({ state }) => state === 'paused' || state === 'stopped');
}

/** `PgBouncer on pool1 holds its clients back, on pool2 is stopped`. @param holding at least one */
export function holdingText(holding: readonly PoolerSight[]): string {
  const each = holding.map(
    ({ host, state }) =>
      `on ${host} ${state === 'stopped' ? 'is stopped' : 'holds its clients back'}`,
  );
  return `PgBouncer ${each.join(', ')}`;
}
