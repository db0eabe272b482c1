import { hostsWith, type Cluster } from '../../../src/inventory/cluster.js';

/**
 * Whether a standby that takes over has none left that its commits could wait for, so that they wait for the old
 * primary: synchronous replication with one standby, which is not to go on alone.
 */
export function waitsForOldPrimary(cluster: Cluster): boolean {
  const { synchronous, onStandbyLoss } = cluster.postgres.replication;
  const standbys = hostsWith(cluster, 'pg-standby').length;
  return synchronous !== 'off' && onStandbyLoss === 'block' && standbys === 1;
}
