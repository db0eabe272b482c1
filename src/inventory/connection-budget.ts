import { hostsWith, type Cluster, type Host } from './cluster.js';
import { ODOO_ROLES } from './roles.js';
import { numberOf, odooSizing, type Machine } from './sizing.js';
import { pgbouncersFor } from './pgbouncer-order.js';

/** Connections that one process is expected to hold: its own cursor, and a second for mails, sequences and logs. */
const EXPECTED = { worker: 2, cron: 2, gevent: 8, idleGevent: 1 } as const;
/** Connections beside the pools: superusers, upgrades, dumps, monitoring. */
const BESIDE_POOLS = 20;

/** What Odoo's processes ask of PgBouncer. */
interface Load {
  /** Processes; each keeps one connection to Odoo's database for as long as it lives. */
  readonly resident: number;
  /** Connections that they are expected to hold to Odoo's database. */
  readonly expected: number;
  /** The most that they can ask for: Σ processes × db_maxconn. */
  readonly worst: number;
  /** Connections to the database `postgres` that LISTEN: cron threads, evented servers. */
  readonly listeners: number;
}

const NOTHING: Load = { resident: 0, expected: 0, worst: 0, listeners: 0 };

/** {@link Load} of a whole cluster, and of the PgBouncer that gets the most of it. */
export interface ConnectionBudget extends Load {
  /**
   * The most that any one PgBouncer gets: Odoo's hosts each use the first of their list that lives, while
   * all live or one of them is down. The same as the whole where there is only one.
   */
  readonly busiest: Load;
  /** PgBouncers. */
  readonly pgbouncers: number;
  /** Pool of each PgBouncer for Odoo's database. */
  readonly poolSize: number;
  /** Pool of each PgBouncer for the database `postgres`, where cron and bus LISTEN and everyone NOTIFYs. */
  readonly postgresPoolSize: number;
  /** PostgreSQL's max_connections: all pools, reports, and 20 for superusers, upgrades, dumps and monitoring. */
  readonly maxConnections: number;
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function combine(one: Load, other: Load, how: (a: number, b: number) => number): Load {
  return {
    resident: how(one.resident, other.resident),
    expected: how(one.expected, other.expected),
    worst: how(one.worst, other.worst),
    listeners: how(one.listeners, other.listeners),
  };
}

function plus(one: Load, other: Load): Load {
  return combine(one, other, (a, b) => a + b);
}

function loadOf(cluster: Cluster, host: Host, found: Machine): Load {
  const { workers, cronThreads: threads, ...sizing } = odooSizing(cluster, host, found);
  const gevents = host.roles.includes('gevent') ? 1 : 0;
  // Every prefork HTTP service starts an evented child of its own that nobody is sent to.
  const idle = host.roles.includes('app') ? 1 : 0;
  return {
    resident: workers + threads + gevents + idle,
    expected:
      workers * EXPECTED.worker +
      threads * EXPECTED.cron +
      gevents * EXPECTED.gevent +
      idle * EXPECTED.idleGevent,
    worst: (workers + threads) * sizing.dbMaxconn + (gevents + idle) * sizing.dbMaxconnGevent,
    listeners: threads + gevents + idle,
  };
}

/** The most that any PgBouncer gets: from the hosts whose list it leads, and while one of the others is down. */
function busiestOf(cluster: Cluster, loads: ReadonlyMap<Host, Load>): Load {
  const always = new Map<string, Load>();
  /** What comes beside it: by the one that is down, then by who gets it. */
  const onLoss = new Map<string, Map<string, Load>>();
  const add = (to: Map<string, Load>, name: string, load: Load): void => {
    to.set(name, plus(to.get(name) ?? NOTHING, load));
  };
  for (const [host, load] of loads) {
    const order = pgbouncersFor(cluster, host);
    const first = order.next().value?.name;
    const second = order.next().value?.name;
    if (first === undefined) continue;
    add(always, first, load);
    if (second === undefined) continue;
    const moved = onLoss.get(first) ?? new Map<string, Load>();
    add(moved, second, load);
    onLoss.set(first, moved);
  }
  const most = (one: Load, other: Load): Load => combine(one, other, Math.max);
  let busiest = [...always.values()].reduce(most, NOTHING);
  for (const moved of onLoss.values()) {
    for (const [name, load] of moved) {
      busiest = most(busiest, plus(always.get(name) ?? NOTHING, load));
    }
  }
  return busiest;
}

/**
 * The connections of the whole chain: Odoo's processes → PgBouncer's pools → PostgreSQL.
 *
 * A session pool holds what Odoo's processes hold at once. A transaction pool holds one connection a
 * process, and a quarter more: a process that is in a transaction and needs a second one (mails, sequences)
 * must get it even when all the others are busy too. `pgbouncer.settings.default_pool_size` (of each
 * PgBouncer) and `postgres.settings.max_connections` win over what is computed.
 *
 * @param machine what was read off a host (`site.factsOf`)
 */
export function connectionBudget(
  cluster: Cluster,
  machine: (host: Host) => Machine,
): ConnectionBudget {
  const loads = new Map(
    hostsWith(cluster, ...ODOO_ROLES).map((host) => [host, loadOf(cluster, host, machine(host))]),
  );
  const pools = hostsWith(cluster, 'pgbouncer');
  const busiest = busiestOf(cluster, loads);
  const { poolMode, settings } = cluster.pgbouncer;
  const held = poolMode === 'transaction' ? busiest.resident : busiest.expected;
  const poolSize =
    numberOf(settings['default_pool_size']) ?? Math.max(20, roundUp(held * 1.25, 10));
  const postgresPoolSize = roundUp(busiest.listeners + 10, 5);
  const beside = BESIDE_POOLS + (cluster.postgres.reporting?.connections ?? 0);
  const maxConnections =
    numberOf(cluster.postgres.settings['max_connections']) ??
    Math.max(100, roundUp(pools.length * (poolSize + postgresPoolSize) + beside, 10));
  return {
    ...[...loads.values()].reduce(plus, NOTHING),
    busiest,
    pgbouncers: pools.length,
    poolSize,
    postgresPoolSize,
    maxConnections,
  };
}
