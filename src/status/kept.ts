import { KEPT } from '../postgres/restore-script.js';
import { SCRATCH } from '../postgres/scratch-script.js';
import { raw, sh, type Script } from '../shell/index.js';

/** Prints the folders of data that is no database's any more: what restores and rejoins kept, and a copy of a moment. */
export function keptProbe(): Script {
  return sh`
for path in ${KEPT}/* ${raw('/var/lib/postgresql/*/*.before-rejoin-*')} ${SCRATCH}; do
  [ ! -e "$path" ] || echo "$path"
done`;
}

/** Reads what {@link keptProbe} printed. */
export function parseKept(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
