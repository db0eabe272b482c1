import { databaseProbe, parseDatabases, type FoundDatabase } from '../src/facts/database-facts.js';
import { observedCluster, topologyOf } from '../src/facts/topology.js';
import { Failure } from '../src/failure/failure.js';
import { databaseHosts, hostsWith, type Cluster, type Host } from '../src/inventory/cluster.js';
import { readState } from '../src/state/cluster-state.js';
import type { Procedure } from './procedure.js';

/** The cluster as it really is, and its primary. */
export interface ObservedPrimary {
  readonly cluster: Cluster;
  readonly primary: Host;
  /** PostgreSQL's own name for what is there; undefined where nothing is known of any data. */
  readonly systemIdentifier: string | undefined;
}

/**
 * Asks every database host what it holds: who is primary now. They must be connected.
 * @throws Failure refused when two of them could be
 */
export async function observePrimary(
  procedure: Procedure,
  written: Cluster,
): Promise<ObservedPrimary> {
  const seen = new Map<string, readonly FoundDatabase[]>();
  await Promise.all(
    databaseHosts(written).map(async (host) => {
      seen.set(host.name, parseDatabases(await procedure.ask(host, databaseProbe())));
    }),
  );
  const topology = topologyOf(
    written,
    (host) => seen.get(host.name),
    readState(written.file).postgres,
  );
  if (topology.rivals.length > 0) {
    throw new Failure({
      reason: 'refused',
      message: 'two hosts hold the data of a primary',
      found: [topology.primary, ...topology.rivals].join(', '),
      remedy: 'find out which is right, and move the data of the other away',
    });
  }
  const cluster = observedCluster(written, topology);
  const [primary] = hostsWith(cluster, 'pg-primary');
  if (primary === undefined) throw new Error('the inventory was not checked: there is no primary');
  return { cluster, primary, systemIdentifier: topology.systemIdentifier };
}
