import { lintCluster, readInventory, type Cluster, type Finding } from '../inventory/index.js';
import { tell } from '../ui/terminal.js';
import { findingLines } from './finding-lines.js';
import { MistakesError } from './mistakes-error.js';

/**
 * Reads an inventory for a command that needs a correct one; its warnings are told.
 * @throws MistakesError with every mistake's place, Failure when the file cannot be read
 */
export function loadCluster(file: string, quiet = false): Cluster {
  const inventory = readInventory(file);
  if (!inventory.ok) {
    const records = inventory.diagnostics.map((mistake) => ({ type: 'mistake', ...mistake }));
    throw new MistakesError(inventory.text.trimEnd(), records);
  }
  if (inventory.text.trim() !== '' && !quiet) tell(inventory.text.trimEnd());
  return inventory.cluster;
}

/**
 * The same for a command that is about to change hosts: a cluster that breaks a principle is refused.
 * @throws MistakesError
 */
export function loadSoundCluster(file: string, quiet = false): Cluster {
  const cluster = loadCluster(file, quiet);
  const errors = lintCluster(cluster).filter((finding: Finding) => finding.severity === 'error');
  if (errors.length > 0) {
    const records = errors.map((finding) => ({ type: 'finding', ...finding }));
    throw new MistakesError(findingLines(errors).join('\n'), records);
  }
  return cluster;
}
