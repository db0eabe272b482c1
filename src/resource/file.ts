import { lines, raw, reveal, type Script, Secret, sh } from '../shell/index.js';
import { removeFile, writeAtomically } from './atomic-write.js';
import type { Kind, Observed, Resource } from './kind.js';
import { hashFiles, lookAtPaths, type PathFacts, readHashes, readPaths } from './path-probe.js';
import { sha256 } from './sha256.js';

/** A file with all of its content. */
export interface PresentFile extends Resource {
  readonly kind: 'file';
  readonly ensure: 'present';
  readonly path: string;
  readonly content: string | Secret;
  readonly owner: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
  readonly validate?: string;
  readonly backup: boolean;
}

/** A path at which there must be no file (a symlink counts as one). */
export interface AbsentFile extends Resource {
  readonly kind: 'file';
  readonly ensure: 'absent';
  readonly path: string;
}

export type FileResource = PresentFile | AbsentFile;

export interface FileOptions {
  /** Absolute path. Its folder must exist: declare it with `directory` before. */
  readonly path: string;
  readonly content: string | Secret;
  readonly owner?: string;
  readonly group?: string;
  /** Octal, `0644` if not given. */
  readonly mode?: string;
  /** A shell command that must succeed before the file is put in place; `{}` is the new file's path. */
  readonly validate?: string;
  /** Keep the file that is replaced as `<path>.~odoo-prov~` (one generation). */
  readonly backup?: boolean;
}

/** A file with this content, owner, group and mode; replaced atomically. */
export function file(options: FileOptions): PresentFile {
  const { path, content, owner = 'root', group = 'root', mode = '0644', backup = false } = options;
  return {
    kind: 'file',
    id: path,
    ensure: 'present',
    path,
    content,
    owner,
    group,
    mode: mode.padStart(4, '0'),
    ...(options.validate !== undefined && { validate: options.validate }),
    backup,
  };
}

/** No file (and no symlink) at this path. A directory there is never removed: apply fails and says so. */
export function absentFile(path: string): AbsentFile {
  return { kind: 'file', id: path, ensure: 'absent', path };
}

/** Files: type, content (by hash), owner, group and mode. */
export const fileKind: Kind<FileResource> = {
  name: 'file',
  summary: 'a file: content, owner, group, mode; validated and replaced atomically',

  probe(wanted, salt) {
    const secret = wanted.filter((w) => hasSecret(w)).map((w) => w.path);
    const plain = wanted.filter((w) => !hasSecret(w)).map((w) => w.path);
    return lines([
      sh`(
set -- ${[...plain, ...secret]}
${lookAtPaths({ follow: false })}
set -- ${plain}
${hashFiles()}
)`,
      ...(secret.length > 0 ? [saltedHashes(secret, salt)] : []),
    ]);
  },

  parse(output, wanted) {
    const { paths, rest } = readPaths(output);
    const hashes = readHashes(rest);
    return new Map(wanted.map((w) => [w.id, observed(paths.get(w.path), hashes.get(w.path))]));
  },

  want(resource, salt) {
    if (resource.ensure === 'absent') return 'absent';
    return {
      type: 'file',
      sha256: sha256((hasSecret(resource) ? salt : '') + reveal(resource.content)),
      owner: resource.owner,
      group: resource.group,
      mode: resource.mode,
    };
  },

  apply({ resource }) {
    return resource.ensure === 'absent' ? removeFile(resource.path) : writeAtomically(resource);
  },
};

function hasSecret(resource: FileResource): boolean {
  return resource.ensure === 'present' && resource.content instanceof Secret;
}

/** A hash that says nothing about the content to who does not know this run's salt. */
function saltedHashes(paths: readonly string[], salt: string): Script {
  return sh`
for file in ${paths}; do
  if [ -f "$file" ] && [ ! -L "$file" ]; then
    hash=$({ printf '%s' ${salt}; cat -- "$file"; } | sha256sum)
    printf '%s  %s\0' "${raw('${hash%% *}')}" "$file"
  fi
done`;
}

function observed(facts: PathFacts | undefined, hash: string | undefined): Observed {
  if (facts === undefined) return 'absent';
  if (facts.type !== 'file') return { type: facts.type };
  const { type, owner, group, mode } = facts;
  return { type, sha256: hash ?? 'unreadable', owner, group, mode };
}
