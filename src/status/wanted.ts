import { databaseHosts, type Cluster } from '../inventory/cluster.js';
import { synchronousHosts } from '../postgres/synchronous.js';

/** What the inventory says of PostgreSQL that a look is judged by. */
export interface Wanted {
  /** The hosts whose word a synchronous commit waits for; none where it waits for nobody. */
  readonly synchronous: readonly string[];
  /** WAL is archived. */
  readonly archive: boolean;
  /** All database hosts, also those that were not asked. */
  readonly databases: readonly string[];
}

/** @param cluster the inventory's, whoever is primary now */
export function wantedOf(cluster: Cluster): Wanted {
  return {
    synchronous: synchronousHosts(cluster),
    archive: cluster.postgres.backup !== undefined,
    databases: databaseHosts(cluster).map(({ name }) => name),
  };
}
