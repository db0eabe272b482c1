import { Failure } from '../../src/failure/failure.js';
import { databaseHosts, hostsWith, type Cluster, type Host } from '../../src/inventory/cluster.js';
import type { ConnectOptions, Connector, Session } from '../../src/transport/session.js';

/** Seconds for a connection: a host that is gone must not hold a failover up. */
const CONNECT_LIMIT = 8;
/** For one that the operator says is dead: enough to notice on a local network that it is not. */
const DEAD_CONNECT_LIMIT = 3;

export interface Reached {
  readonly sessions: ReadonlyMap<string, Session>;
  readonly unreached: ReadonlyMap<string, Failure>;
}

/** The hosts that moving the primary touches: databases, poolers, and the websockets' hosts. */
export function hostsConcerned(cluster: Cluster): readonly Host[] {
  return [...new Set([...databaseHosts(cluster), ...hostsWith(cluster, 'pgbouncer', 'gevent')])];
}

/**
 * Connects to all of them at once. Those that cannot be reached are told, not thrown.
 * @param dead hosts that are said to be dead
 */
export async function connectAll(
  cluster: Cluster,
  connector: Connector,
  options: ConnectOptions,
  dead: readonly string[],
): Promise<Reached> {
  const sessions = new Map<string, Session>();
  const unreached = new Map<string, Failure>();
  await Promise.all(
    hostsConcerned(cluster).map(async (host) => {
      try {
        const limit = dead.includes(host.name) ? DEAD_CONNECT_LIMIT : CONNECT_LIMIT;
        const session = await connector.connect(host, { limit, ...options });
        sessions.set(host.name, session);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        unreached.set(host.name, error);
      }
    }),
  );
  return { sessions, unreached };
}
