import { databaseHosts, hostsWith, type Cluster, type Settings } from '../inventory/cluster.js';

/**
 * Whose word a synchronous commit waits for: the inventory's standbys, and its primary, which is one once another was promoted;
 * never a replica.
 * @returns their names; none where commits are to wait for nobody
 */
export function synchronousHosts(written: Cluster): readonly string[] {
  if (databaseHosts(written).length < 2) return [];
  if (written.postgres.replication.synchronous === 'off') return [];
  return hostsWith(written, 'pg-primary', 'pg-standby').map(({ name }) => name);
}

/** postgresql.conf keys that say what a commit waits for. */
export function synchronousSettings(written: Cluster): Settings {
  const names = synchronousHosts(written).map((name) => `"${name}"`);
  const { synchronous } = written.postgres.replication;
  return {
    synchronous_standby_names: names.length === 0 ? '' : `ANY 1 (${names.join(', ')})`,
    synchronous_commit: synchronous === 'remote_apply' ? 'remote_apply' : 'on',
  };
}
