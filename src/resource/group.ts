import { sh } from '../shell/index.js';
import type { Kind, Resource } from './kind.js';

export interface GroupResource extends Resource {
  readonly kind: 'group';
  readonly name: string;
  readonly system: boolean;
  readonly gid?: number;
}

/** A local group; `system` decides its number's range when it is made, and is not compared. */
export function group(options: {
  readonly name: string;
  readonly system?: boolean;
  /** Its number, where it must be the same on several hosts (a shared mount). */
  readonly gid?: number;
}): GroupResource {
  const { name, system = true, gid } = options;
  return { kind: 'group', id: name, name, system, ...(gid !== undefined && { gid }) };
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
    const numbers = new Map(
      output.split('\n').map((line): [string, number] => {
        const [name = '', , gid] = line.split(':');
        return [name, Number(gid)];
      }),
    );
    return new Map(
      wanted.map((w) => {
        const gid = numbers.get(w.name);
        return [w.id, gid === undefined ? 'absent' : { exists: true, gid }];
      }),
    );
  },

  want: ({ gid }) => ({ exists: true, ...(gid !== undefined && { gid }) }),

  apply({ resource: { name, system, gid } }) {
    const number = gid === undefined ? [] : ['--gid', gid];
    return sh`
if ! getent group -- ${name} >/dev/null; then
  groupadd ${system ? ['--system'] : []} ${number} -- ${name}
else
  groupmod ${number} -- ${name}
fi`;
  },
};
