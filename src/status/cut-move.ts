import { DATABASE_ROLES } from '../inventory/cluster.js';
import { serverOf } from './database.js';
import type { ClusterStatus } from './model.js';

/**
 * Whether a move of the primary was cut off: what the hosts hold is standbys' data only, and one that runs receives
 * nothing. Then `apply` refuses, and a failover ends it.
 */
export function isMoveCut({ database, hosts }: Pick<ClusterStatus, 'database' | 'hosts'>): boolean {
  const { writable, members } = database;
  const holding = hosts
    .filter(({ roles }) => DATABASE_ROLES.some((role) => roles.includes(role)))
    .filter(({ postgres }) => postgres?.server !== 'absent');
  return (
    writable.length === 0 &&
    members.some(({ state }) => state === 'not streaming') &&
    holding.every((host) => serverOf(host)?.recovering ?? host.postgres?.found?.standby ?? false)
  );
}
