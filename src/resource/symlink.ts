import { posix } from 'node:path';
import { type Script, sh } from '../shell/index.js';
import type { Kind, Observed, Resource } from './kind.js';
import { lookAtPaths, type PathFacts, readPaths } from './path-probe.js';

export interface SymlinkResource extends Resource {
  readonly kind: 'symlink';
  readonly path: string;
  /** What the link says, as it is written in it; not given: there must be no link. */
  readonly target?: string;
}

/** A symbolic link at `path` that says `target`. A file in its place is replaced, a directory never. */
export function symlink(options: {
  readonly path: string;
  readonly target: string;
}): SymlinkResource {
  return { kind: 'symlink', id: options.path, path: options.path, target: options.target };
}

/** No symbolic link at `path`. Anything else that is there is left alone. */
export function absentSymlink(path: string): SymlinkResource {
  return { kind: 'symlink', id: path, path };
}

/** Symbolic links and what they say. */
export const symlinkKind: Kind<SymlinkResource> = {
  name: 'symlink',
  summary: 'a symbolic link and what it says, or that there is none',

  probe(wanted) {
    return sh`(
set -- ${wanted.map((w) => w.path)}
${lookAtPaths({ follow: false })}
)`;
  },

  parse(output, wanted) {
    const { paths } = readPaths(output);
    return new Map(wanted.map((w) => [w.id, observed(w, paths.get(w.path))]));
  },

  want({ target }) {
    return target === undefined ? 'absent' : { type: 'symlink', target };
  },

  apply({ resource: { path, target } }) {
    return target === undefined ? remove(path) : link(path, target);
  },
};

function observed(wanted: SymlinkResource, facts: PathFacts | undefined): Observed {
  if (facts === undefined) return 'absent';
  if (facts.type === 'symlink') return { type: 'symlink', target: facts.target };
  return wanted.target === undefined ? 'absent' : { type: facts.type };
}

function remove(path: string): Script {
  return sh`
path=${path}
if [ -L "$path" ]; then rm -f -- "$path"; fi`;
}

/** A link cannot be changed in place: a new one is renamed over the old. */
function link(path: string, target: string): Script {
  const left = posix.join(posix.dirname(path), `.${posix.basename(path)}.odoo-prov`);
  return sh`(
path=${path} left=${left}
if [ -d "$path" ] && [ ! -L "$path" ]; then
  printf '%s\n' "$path is a directory and is not replaced: move it away and run again" >&2
  exit 1
fi
rm -f -- "$left".*
trap 'rm -f -- "$left.$$"' EXIT
ln -s -- ${target} "$left.$$"
mv -fT -- "$left.$$" "$path"
)`;
}
