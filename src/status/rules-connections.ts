import { graded, problem, warning, type Alert } from './alert.js';
import { LIMITS } from './limits.js';
import type { Budget } from './model.js';
import type { PostgresServer } from './postgres.js';
import { percent, span } from './words.js';

/** The primary's connections: those in use, and what keeps Odoo from getting more. */
export function connectionRules(
  host: string,
  server: PostgresServer,
  budget: Budget,
): readonly Alert[] {
  return [...limitRules(host, server, budget), ...usedRules(host, server)];
}

/** Limits of the database's or the role's own: PgBouncer and max_connections know nothing of them. */
function limitRules(
  host: string,
  { limits }: PostgresServer,
  { expected }: Budget,
): readonly Alert[] {
  return limits.map(({ what, limit, closed }) => {
    const words = {
      id: 'postgres.limit',
      host,
      message:
        limit === null
          ? `${what} on ${host} lets nobody in: ${closed ?? ''}`
          : `${what} on ${host} has a CONNECTION LIMIT of ${String(limit)}: Odoo is expected to hold ${String(expected)} connections, and those beyond the limit are refused`,
      next: 'odoo-prov apply FILE takes it back',
    };
    return limit === null || limit < expected ? problem(words) : warning(words);
  });
}

function usedRules(host: string, { connections }: PostgresServer): readonly Alert[] {
  const { used, max, reserved, oldestTransaction } = connections;
  const usable = max - reserved;
  const part = used / usable;
  const many = graded(part, LIMITS.connections, {
    id: 'postgres.connections',
    host,
    message: (limit) =>
      `${host} has ${String(used)} of ${String(usable)} connections in use (limit ${percent(limit)})`,
    next: `who holds them: select usename, application_name, state, count(*) from pg_stat_activity group by 1, 2, 3`,
  });
  if ((oldestTransaction ?? 0) <= LIMITS.transaction) return many;
  return [
    ...many,
    warning({
      id: 'postgres.transaction',
      host,
      message: `a transaction on ${host} has been open for ${span(oldestTransaction ?? 0)} (limit ${span(LIMITS.transaction)}): vacuum waits for it`,
      next: 'which: select pid, usename, state, query from pg_stat_activity order by xact_start limit 1',
    }),
  ];
}
