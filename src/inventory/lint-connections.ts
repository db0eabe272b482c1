import type { Cluster } from './cluster.js';
import type { ConnectionBudget } from './connection-budget.js';
import type { Finding } from './finding.js';
import { numberOf } from './sizing.js';

/** Connections that PostgreSQL keeps for superusers (superuser_reserved_connections, its default). */
const SUPERUSERS = 3;

function connections(severity: Finding['severity'], message: string, advice?: string): Finding {
  return { severity, subject: 'connections', message, ...(advice !== undefined && { advice }) };
}

/** `PgBouncer` of one, `each PgBouncer` of several. */
function eachOne({ pgbouncers }: ConnectionBudget): string {
  return pgbouncers > 1 ? 'each PgBouncer' : 'PgBouncer';
}

/** The pool for Odoo's database, less what other settings of pgbouncer.ini take from it. */
function usablePool(cluster: Cluster, { poolSize }: ConnectionBudget): number {
  const { max_db_connections: database, max_user_connections: user } = cluster.pgbouncer.settings;
  // 0 is "no limit".
  const limits = [database, user].map(numberOf).filter((limit) => limit !== undefined && limit > 0);
  return Math.min(poolSize, ...limits.map(Number));
}

/** All pools together against what PostgreSQL allows. */
function pools(cluster: Cluster, budget: ConnectionBudget): Finding[] {
  const { pgbouncers, poolSize, postgresPoolSize, maxConnections } = budget;
  const reserve = numberOf(cluster.pgbouncer.settings['reserve_pool_size']) ?? 0;
  const wanted = pgbouncers * (poolSize + postgresPoolSize + 2 * reserve);
  if (wanted + SUPERUSERS <= maxConnections) return [];
  const times = pgbouncers > 1 ? `${pgbouncers} × ` : '';
  const both = `${poolSize + reserve} + ${postgresPoolSize + reserve}`;
  return [
    connections(
      'error',
      `PgBouncer's pools want ${times === '' ? both : `${times}(${both})`} connections, ` +
        `PostgreSQL has ${maxConnections}, ${SUPERUSERS} of them for superusers`,
      `max_connections of at least ${wanted + 20}, or a smaller default_pool_size`,
    ),
  ];
}

/** Odoo's processes against the pool that they share. */
function processes(cluster: Cluster, budget: ConnectionBudget): Finding[] {
  const { resident, expected, worst } = budget.busiest;
  const { poolMode, maxClientConn } = cluster.pgbouncer;
  const pool = usablePool(cluster, budget);
  const has = `the pool of ${eachOne(budget)} has ${pool}`;
  const findings: Finding[] = [];
  if (poolMode === 'session' && resident > pool) {
    findings.push(
      connections(
        'error',
        `${resident} processes of Odoo keep a connection each, ${has}: in session mode the others wait until one ends`,
        `default_pool_size of at least ${expected}`,
      ),
    );
  } else if (poolMode === 'session' && expected > pool) {
    findings.push(
      connections(
        'warning',
        `Odoo's processes hold about ${expected} connections, ${has}: they will wait`,
        `default_pool_size of at least ${expected}`,
      ),
    );
  } else if (poolMode === 'transaction' && resident >= pool) {
    findings.push(
      connections(
        'warning',
        `${resident} processes of Odoo may be in a transaction at once and need a second connection, ${has}: ` +
          'when all are busy they wait for each other',
        `default_pool_size of at least ${Math.ceil(resident * 1.25)}`,
      ),
    );
  }
  if (worst > maxClientConn) {
    findings.push(
      connections(
        'warning',
        `Odoo's processes may ask for ${worst} connections, ${eachOne(budget)} takes ${maxClientConn}: it would refuse some`,
        `max_client_conn of at least ${worst}`,
      ),
    );
  }
  return findings;
}

/** What transaction pooling means, for whoever chose it. */
function transactionMode(cluster: Cluster): Finding[] {
  if (cluster.pgbouncer.poolMode !== 'transaction') return [];
  return [
    connections(
      'note',
      `pool_mode: transaction: a process of Odoo has a server connection only while it is in a transaction of ` +
        `${cluster.odoo.database}; what a session keeps (SET, LISTEN, session advisory locks, temporary tables) is gone after each`,
      'apply refuses it while an add-on known to need sessions is installed; bus and cron LISTEN on the database postgres, which stays in session mode',
    ),
  ];
}

/** The chain of connections: Odoo's processes, PgBouncer's pools, PostgreSQL. */
export function lintConnections(cluster: Cluster, budget: ConnectionBudget): Finding[] {
  const wrong = [...pools(cluster, budget), ...processes(cluster, budget)];
  const notes = transactionMode(cluster);
  if (wrong.length > 0) return [...wrong, ...notes];
  const { expected, worst, pgbouncers, poolSize, postgresPoolSize, maxConnections } = budget;
  const { maxClientConn } = cluster.pgbouncer;
  const several = pgbouncers > 1 ? ` on each of ${pgbouncers} hosts` : '';
  const message =
    `Odoo holds about ${expected} connections (at most ${worst} of ${maxClientConn}), ` +
    `PgBouncer's pools ${poolSize} + ${postgresPoolSize}${several}, PostgreSQL ${maxConnections}`;
  return [connections('fine', message), ...notes];
}
