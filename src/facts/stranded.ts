import { databaseHosts, type Cluster, type Host } from '../inventory/cluster.js';
import { isPastFork, newestHistory } from '../postgres/past-fork.js';
import { ownData, type FoundDatabase } from './database-facts.js';

/**
 * Why only a rejoin takes a stopped standby back: it cannot follow, or its data was started by itself to be compared,
 * by a rejoin that runs or was cut.
 */
export type Stranded = 'past fork' | 'compared';

/** @param all what all database hosts hold: one of them knows where the timelines were left */
export function strandedBy(
  found: FoundDatabase,
  all: readonly FoundDatabase[],
): Stranded | undefined {
  if (!found.standby || found.server === 'runs') return undefined;
  if (found.server === 'compared') return 'compared';
  if (found.wal === undefined) return undefined;
  const { ends } = newestHistory(all.flatMap(({ wal }) => wal ?? []));
  return isPastFork(found.wal, ends) ? 'past fork' : undefined;
}

/** All of them in a cluster, by host. @param seen what a host holds; undefined for one that did not answer */
export function strandedStandbys(
  cluster: Cluster,
  seen: (host: Host) => readonly FoundDatabase[] | undefined,
): ReadonlyMap<string, Stranded> {
  const holding = databaseHosts(cluster).flatMap((host) => {
    const data = ownData(seen(host) ?? []);
    return data === undefined ? [] : [{ host: host.name, data }];
  });
  const all = holding.map(({ data }) => data);
  return new Map(
    holding.flatMap(({ host, data }) => {
      const why = strandedBy(data, all);
      return why === undefined ? [] : [[host, why] as const];
    }),
  );
}
