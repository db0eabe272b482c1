import { posix } from 'node:path';
import { sh } from '../shell/index.js';
import type { Kind, Observed, Resource } from './kind.js';
import { lookAtPaths, type PathFacts, readPaths } from './path-probe.js';

/** A directory, or a symlink to one (operators move data directories that way). */
export interface DirectoryResource extends Resource {
  readonly kind: 'directory';
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
}

export interface DirectoryOptions {
  /** Absolute path. Missing parents are made, owned by root with mode 0755. */
  readonly path: string;
  readonly owner?: string;
  readonly group?: string;
  /** Octal, `0755` if not given. */
  readonly mode?: string;
}

/** A directory with this owner, group and mode. What is in it is not looked at. */
export function directory(options: DirectoryOptions): DirectoryResource {
  const { path, owner = 'root', group = 'root', mode = '0755' } = options;
  return { kind: 'directory', id: path, path, owner, group, mode: mode.padStart(4, '0') };
}

/** Directories: that it is one, its owner, group and mode. */
export const directoryKind: Kind<DirectoryResource> = {
  name: 'directory',
  summary: 'a directory (or a symlink to one): owner, group, mode',

  probe(wanted) {
    return sh`(
set -- ${wanted.map((w) => w.path)}
${lookAtPaths({ follow: true })}
)`;
  },

  parse(output, wanted) {
    const { paths } = readPaths(output);
    return new Map(wanted.map((w) => [w.id, observed(paths.get(w.path))]));
  },

  want({ owner, group, mode }) {
    return { type: 'directory', owner, group, mode };
  },

  // chown may clear setgid, so chmod comes last; and only five digits make GNU chmod clear it.
  apply({ resource: { path, owner, group, mode } }) {
    return sh`(
path=${path}
if [ -e "$path" ] || [ -L "$path" ]; then
  if [ ! -d "$path" ]; then
    printf '%s\n' "$path is not a directory and is not replaced: move it away and run again" >&2
    exit 1
  fi
else
  umask 022
  mkdir -p -- ${posix.dirname(path)}
  umask 077
  # On a shared file system another host may make the same directory at this moment.
  mkdir -- "$path" || [ -d "$path" ]
fi
chown -- ${`${owner}:${group}`} "$path"
chmod -- ${mode.padStart(5, '0')} "$path"
)`;
  },
};

function observed(facts: PathFacts | undefined): Observed {
  if (facts === undefined) return 'absent';
  if (facts.type !== 'directory') return { type: facts.type };
  const { type, owner, group, mode } = facts;
  return { type, owner, group, mode };
}
