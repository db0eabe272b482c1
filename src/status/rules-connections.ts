import { graded, problem, warning, type Alert } from './alert.js';
import type { ConnectionLimit } from './connection-limits.js';
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

/** Limits of a database's or a role's own: PgBouncer and max_connections know nothing of them. */
function limitRules(
  host: string,
  { limits }: PostgresServer,
  { expected }: Budget,
): readonly Alert[] {
  return limits.map((one) => {
    const { what, limit, closed } = one;
    if (one.expires !== null) return expiryRule(host, one.what, one.expires);
    const needed = one.needed ?? expected;
    const words = {
      id: 'postgres.limit',
      host,
      message:
        limit === null
          ? `${what} on ${host} lets nobody in: ${closed ?? ''}`
          : `${what} on ${host} has ${limit < 0 ? 'no CONNECTION LIMIT' : `a CONNECTION LIMIT of ${String(limit)}`}: ${held(one, needed)}`,
      next: 'odoo-prov apply FILE takes it back',
    };
    return limit === null || (limit >= 0 && limit < needed) ? problem(words) : warning(words);
  });
}

/** Open sessions go on: what comes back after a move or a restart is refused. */
function expiryRule(host: string, what: string, seconds: number): Alert {
  const words = {
    id: 'postgres.limit',
    host,
    message: `${what} on ${host} has a VALID UNTIL: in ${span(seconds)} its password lets nobody in any more`,
    next: 'odoo-prov apply FILE takes it back',
  };
  return seconds < LIMITS.passwordEnds ? problem(words) : warning(words);
}

function held({ whose, limit }: ConnectionLimit, needed: number): string {
  const refused = 'and those beyond the limit are refused';
  switch (whose) {
    case 'odoo':
      return `Odoo is expected to hold ${String(needed)} connections, ${refused}`;
    case 'replication':
      return `standbys and their guards need up to ${String(needed)} connections, ${refused}`;
    case 'reporting': {
      const given = `the inventory gives reports ${String(needed)} connections`;
      if (limit !== null && limit >= 0 && limit < needed) return `${given}, ${refused}`;
      return `${given}, and they may take more`;
    }
  }
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
