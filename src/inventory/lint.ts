import type { Cluster, Host } from './cluster.js';
import type { Finding } from './finding.js';
import { lintAvailability } from './lint-availability.js';
import { lintBackup } from './lint-backup.js';
import { lintCapacity, type KnownMachine } from './lint-capacity.js';
import { lintPrinciples } from './lint-principles.js';
import type { Machine } from './sizing.js';

export type { Finding } from './finding.js';

/** What the inventory itself says of a machine. */
function given({ memory, cores }: Host): Machine | undefined {
  return memory === undefined || cores === undefined ? undefined : { memory, cores };
}

/**
 * Looks at a checked cluster as a whole: the five principles, connections, memory, users, single points,
 * backups.
 *
 * @param known what is known of the machines: by default what the inventory says; apply gives the facts it read
 */
export function lintCluster(cluster: Cluster, known: KnownMachine = given): Finding[] {
  return [
    ...lintPrinciples(cluster),
    ...lintCapacity(cluster, known),
    ...lintAvailability(cluster),
    ...lintBackup(cluster),
  ];
}
