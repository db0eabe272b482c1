import { type Script, sh } from '../shell/index.js';

export type PathType = 'file' | 'directory' | 'symlink' | 'other';

/** What is at a path. */
export interface PathFacts {
  readonly type: PathType;
  /** Four octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** Seconds since 1970 with a fraction, as find(1) prints them. */
  readonly modified: string;
  /** What a symbolic link says. */
  readonly target: string;
}

const FIELDS = 8;

/**
 * One find(1) over the positional parameters; nothing is printed for a path that does not exist. Fields end with NUL, so any
 * path is safe. `follow`: a symbolic link stands for what it points to.
 */
export function lookAtPaths(options: { readonly follow: boolean }): Script {
  const flag = options.follow ? sh`-H` : sh`-P`;
  return sh`find ${flag} "$@" -maxdepth 0 -printf 's\0%p\0%y\0%m\0%u\0%g\0%T@\0%l\0' 2>/dev/null || :`;
}

/**
 * Reads the records of {@link lookAtPaths}, by path, and gives back the NUL-ended words that are
 * none of them.
 */
export function readPaths(output: string): {
  readonly paths: ReadonlyMap<string, PathFacts>;
  readonly rest: readonly string[];
} {
  const words = output.split('\0');
  const paths = new Map<string, PathFacts>();
  const rest: string[] = [];
  for (let i = 0; i < words.length - 1;) {
    const [
      tag = '',
      path = '',
      type = '',
      mode = '',
      owner = '',
      group = '',
      modified = '',
      to = '',
    ] = words.slice(i, i + FIELDS);
    if (tag !== 's') {
      rest.push(tag);
      i += 1;
      continue;
    }
    paths.set(path, {
      type: typeOf(type),
      mode: mode.padStart(4, '0'),
      owner,
      group,
      modified,
      target: to,
    });
    i += FIELDS;
  }
  return { paths, rest };
}

/** find's `%y` in words. */
function typeOf(letter: string): PathType {
  switch (letter) {
    case 'f':
      return 'file';
    case 'd':
      return 'directory';
    case 'l':
      return 'symlink';
    default:
      return 'other';
  }
}

/** One sha256sum(1) over those positional parameters that are regular files. NUL-ended `hash  path`. */
export function hashFiles(): Script {
  return sh`
for file do
  shift
  if [ -f "$file" ] && [ ! -L "$file" ]; then set -- "$@" "$file"; fi
done
if [ $# -gt 0 ]; then sha256sum -z -- "$@"; fi`;
}

/** Reads what {@link hashFiles} printed: the hash by path. */
export function readHashes(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words
      .filter((word) => /^[0-9a-f]{64} [ *]/.test(word))
      .map((word) => [word.slice(66), word.slice(0, 64)]),
  );
}
