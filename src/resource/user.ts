import { type Script, sh } from '../shell/index.js';
import type { Kind, Resource, State } from './kind.js';

export interface UserResource extends Resource {
  readonly kind: 'user';
  readonly name: string;
  readonly system: boolean;
  readonly home: string;
  readonly shell: string;
  readonly group: string;
  readonly groups: readonly string[];
  readonly uid?: number;
}

export interface UserOptions {
  readonly name: string;
  /** Its number, where it must be the same on several hosts (a shared mount). */
  readonly uid?: number;
  /** Decides its number's range when it is made; not compared. True if not given. */
  readonly system?: boolean;
  /** Not created: declare it with `directory`. `/nonexistent` if not given. */
  readonly home?: string;
  /** `/usr/sbin/nologin` if not given. */
  readonly shell?: string;
  /** Primary group, which must exist; the group of the same name if not given, made with the user. */
  readonly group?: string;
  /** Groups that it must also be in. Others that it is in are left alone. */
  readonly groups?: readonly string[];
}

/** A local user who cannot log in by password. */
export function user(options: UserOptions): UserResource {
  return {
    kind: 'user',
    id: options.name,
    name: options.name,
    system: options.system ?? true,
    home: options.home ?? '/nonexistent',
    shell: options.shell ?? '/usr/sbin/nologin',
    group: options.group ?? options.name,
    groups: options.groups ?? [],
    ...(options.uid !== undefined && { uid: options.uid }),
  };
}

/** Local users: home, shell, primary group, and membership of the groups asked for. */
export const userKind: Kind<UserResource> = {
  name: 'user',
  summary: 'a local user: home, shell, groups; without a password',

  probe(wanted) {
    return sh`
getent passwd -- ${wanted.map((w) => w.name)} || [ $? -eq 2 ]
echo
getent group`;
  },

  parse(output, wanted) {
    const [passwd = '', groupLines = ''] = output.split(/(?:^|\n)\n/);
    const users = new Map(records(passwd).map((fields) => [fields[0], fields]));
    const groups = records(groupLines);
    return new Map(
      wanted.map((w) => {
        const user = users.get(w.name);
        return [w.id, user === undefined ? 'absent' : observed(w, user, groups)];
      }),
    );
  },

  want({ home, shell, group, groups, uid }) {
    return { home, shell, group, groups: joined(groups), ...(uid !== undefined && { uid }) };
  },

  // usermod refuses some changes while the user runs processes; then it says so.
  apply({ resource }) {
    const { name, system, home, shell, groups } = resource;
    const number = resource.uid === undefined ? [] : ['--uid', resource.uid];
    const extra = groups.length > 0 ? ['--append', '--groups', groups.join(',')] : [];
    return sh`
umask 022
if ! getent passwd -- ${name} >/dev/null; then
  useradd ${system ? ['--system'] : []} --no-create-home ${number} ${primaryGroup(resource)} -- ${name}
fi
usermod ${number} --home ${home} --shell ${shell} --gid ${resource.group} ${extra} -- ${name}`;
  },
};

/** Its own group is made with the user; another one must be there. */
function primaryGroup({ group }: UserResource): Script {
  return sh`$(if getent group -- ${group} >/dev/null; then echo --gid ${group}; else echo --user-group; fi)`;
}

function observed(
  wanted: UserResource,
  passwd: readonly string[],
  groups: readonly (readonly string[])[],
): State {
  const [, , uid, gid, , home = '', shell = ''] = passwd;
  const member = groups.filter(([, , , members = '']) => members.split(',').includes(wanted.name));
  const names = member.map(([name = '']) => name);
  const primary = groups.find(([, , number]) => number === gid)?.[0] ?? gid ?? '';
  return {
    uid: Number(uid),
    home,
    shell,
    group: primary,
    groups: joined(wanted.groups.filter((g) => g === primary || names.includes(g))),
  };
}

function records(text: string): string[][] {
  return text.split('\n').map((line) => line.split(':'));
}

function joined(names: readonly string[]): string {
  return [...new Set(names)].sort().join(',');
}
