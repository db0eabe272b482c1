import { sh } from '../shell/index.js';
import type { Kind, Resource } from './kind.js';

export interface GroupResource extends Resource {
  readonly kind: 'group';
  readonly name: string;
  readonly system: boolean;
}

/** A local group; `system` decides its number's range when it is made, and is not compared. */
export function group(options: {
  readonly name: string;
  readonly system?: boolean;
}): GroupResource {
  return { kind: 'group', id: options.name, name: options.name, system: options.system ?? true };
}

/** Local groups. */
export const groupKind: Kind<GroupResource> = {
  name: 'group',
  summary: 'a local group',

  // getent exits 2 when a name is not known: that is an answer.
  probe(wanted) {
    return sh`getent group -- ${wanted.map((w) => w.name)} || [ $? -eq 2 ]`;
  },

  parse(output, wanted) {
    const names = new Set(output.split('\n').map((line) => line.split(':')[0]));
    return new Map(wanted.map((w) => [w.id, names.has(w.name) ? { exists: true } : 'absent']));
  },

  want: () => ({ exists: true }),

  apply({ resource: { name, system } }) {
    return sh`
if ! getent group -- ${name} >/dev/null; then
  groupadd ${system ? ['--system'] : []} -- ${name}
fi`;
  },
};
