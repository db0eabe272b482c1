import type { Change } from '../resource/kind.js';
import { countByKind, describeChange, realChanges } from './change.js';
import type { Style } from './style.js';
import { plural } from './text.js';

/** A host with more changes than this (a first apply) is shown by counts, unless everything is asked for. */
const MANY = 20;

/** Whether changes are too many to be named one by one. */
export function isMany(changes: readonly Change[], all: boolean): boolean {
  return !all && realChanges(changes).length > MANY;
}

/**
 * What is going to be changed on a host, a line per change, or one line of counts when they are many.
 * @param all name each, however many
 */
export function plannedLines(
  host: string,
  changes: readonly Change[],
  options: { readonly check: boolean; readonly all: boolean; readonly style: Style },
): readonly string[] {
  const real = realChanges(changes);
  if (real.length === 0) return [];
  const verb = options.check ? 'would change' : 'changes';
  if (isMany(real, options.all)) {
    const hint = options.check ? '; --diff names them' : '';
    return [
      `${host}: ${options.style.changed(`${verb} ${plural(real.length, 'resource')}`)}: ${countByKind(real)}${hint}`,
    ];
  }
  return real.map((change) => `${host}: ${options.style.changed(verb)} ${describeChange(change)}`);
}
