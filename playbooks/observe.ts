import {
  databaseProbe,
  parseDatabases,
  parseRestoring,
  type FoundDatabase,
} from '../src/facts/database-facts.js';
import { observedCluster, topologyOf } from '../src/facts/topology.js';
import { Failure } from '../src/failure/failure.js';
import { databaseHosts, hostsWith, type Cluster, type Host } from '../src/inventory/cluster.js';
import { noPrimary, restoreNotEnded } from '../src/run/guard.js';
import { readState } from '../src/state/cluster-state.js';
import type { Procedure } from './procedure.js';

/** The cluster as it really is, and its primary. */
export interface ObservedPrimary {
  readonly cluster: Cluster;
  readonly primary: Host;
  /** PostgreSQL's own name for what is there; undefined where nothing is known of any data. */
  readonly systemIdentifier: string | undefined;
}

/** The same where there need not be one. */
export interface Observed extends ObservedPrimary {
  /** There is data, and none of the last primary's: `primary` is only who should be. */
  readonly withoutPrimary: boolean;
  /** Hosts with the data of a primary of before. */
  readonly formerPrimaries: readonly string[];
  /** A restore in place that has not come to its end: by host, to where it goes. */
  readonly cut: ReadonlyMap<string, string>;
}

/**
 * Asks every database host what it holds: who is primary now. They must be connected.
 * @throws Failure refused when two of them could be, or none, since data that a standby is beyond is not the primary's; and
 *   while a restore has not come to its end
 */
export async function observePrimary(
  procedure: Procedure,
  written: Cluster,
): Promise<ObservedPrimary> {
  const observed = await observeDatabases(procedure, written);
  if (observed.cut.size > 0) throw restoreNotEnded(observed.cut);
  if (observed.withoutPrimary) throw noPrimary(observed.formerPrimaries, []);
  return observed;
}

/**
 * The same where it is replaced anyway: there need not be a primary.
 * @throws Failure refused when two of them could be
 */
export async function observeDatabases(procedure: Procedure, written: Cluster): Promise<Observed> {
  const seen = new Map<string, readonly FoundDatabase[]>();
  const cut = new Map<string, string>();
  await Promise.all(
    databaseHosts(written).map(async (host) => {
      const answer = await procedure.ask(host, databaseProbe());
      seen.set(host.name, parseDatabases(answer));
      const restoring = parseRestoring(answer);
      if (restoring !== null) cut.set(host.name, restoring);
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
  const { systemIdentifier, withoutPrimary, formerPrimaries } = topology;
  return { cluster, primary, systemIdentifier, withoutPrimary, formerPrimaries, cut };
}
