import { type Script, sh } from '../shell/index.js';
import type { Key } from './kind.js';
import { type PathFacts } from './path-probe.js';

/**
 * What a unit has taken in. Its start time says that for files that are older. A reload, and a file
 * that is newer than the clock says, need a record of ours: the invocation that took them in, with the
 * modification time of each file then. A record without its end does not count, so that it needs no
 * atomic write.
 */
export type Work = 'restart' | 'reload';

/** What was recorded for one unit and kind of work. */
export interface Stamp {
  readonly invocation: string;
  /** Modification time, or `-` for a file that was not there, by path. */
  readonly modified: ReadonlyMap<string, string>;
}

const FOLDER = '/var/lib/odoo-prov/units';
const DPKG_INFO = '/var/lib/dpkg/info';

/** Shell words for the paths whose modification time tells that a resource changed. */
export function watchedPaths(keys: readonly Key[]): Script {
  const words = keys.flatMap((key): Script[] => {
    const [kind, id] = splitKey(key);
    if (kind === 'file' || kind === 'symlink') return [sh`${id}`];
    // dpkg writes a package's file list anew whenever it unpacks it.
    if (kind === 'package')
      return [sh`${`${DPKG_INFO}/${id}.list`} ${`${DPKG_INFO}/${id}`}:*.list`];
    return [];
  });
  return sh`${words}`;
}

/** Shell: prints the records of all units. */
export function readStamps(): Script {
  return sh`cat ${FOLDER}/*.restart ${FOLDER}/*.reload 2>/dev/null || :`;
}

/**
 * Shell functions: `look KIND PATH…` notes the files' times in base64, before the unit reads them;
 * `record KIND TIMES INVOCATION` keeps them when the unit has taken them in.
 */
export function stampFunctions(): Script {
  return sh`
look() {
  {
    printf 't\0%s\0%s\0' "$unit" "$1"
    shift
    for file do
      if [ -e "$file" ] || [ -L "$file" ]; then
        find -P "$file" -maxdepth 0 -printf '%T@\0%p\0'
      else
        printf '%s\0%s\0' - "$file"
      fi
    done
  } | base64 -w 0
}
record() {
  mkdir -p ${FOLDER}
  { printf '%s' "$2" | base64 -d; printf 'e\0%s\0' "$3"; } > ${FOLDER}/"$unit.$1"
}`;
}

/** Reads {@link readStamps} out of NUL-ended words: by `unit work`. */
export function parseStamps(words: readonly string[]): ReadonlyMap<string, Stamp> {
  const stamps = new Map<string, Stamp>();
  for (let i = 0; i < words.length; i += 1) {
    if (words[i] !== 't') continue;
    const [unit = '', work = ''] = words.slice(i + 1, i + 3);
    const modified = new Map<string, string>();
    let at = i + 3;
    for (; isTime(words[at]); at += 2) modified.set(words[at + 1] ?? '', words[at] ?? '');
    const invocation = words[at + 1];
    if (words[at] !== 'e' || invocation === undefined) continue;
    stamps.set(`${unit} ${work}`, { invocation, modified });
    i = at + 1;
  }
  return stamps;
}

function isTime(word: string | undefined): boolean {
  return word !== undefined && /^(-|\d+(\.\d+)?)$/.test(word);
}

/** When and as what a unit runs. */
export interface Run {
  readonly invocation: string;
  /** Seconds since 1970 at which its start began; what was written earlier, it has read. */
  readonly started: number;
}

/**
 * The first path that the unit has not taken in.
 * @param paths what is on the host now, by path
 */
export function firstStale(
  keys: readonly Key[],
  paths: ReadonlyMap<string, PathFacts>,
  run: Run,
  stamp: Stamp | undefined,
): string | undefined {
  const recorded = stamp?.invocation === run.invocation ? stamp.modified : undefined;
  return keys
    .flatMap((key) => pathsOf(key, [...paths.keys(), ...(recorded?.keys() ?? [])]))
    .find((path) => {
      const now = paths.get(path)?.modified;
      const then = recorded?.get(path);
      if (then !== undefined) return then !== (now ?? '-');
      return now !== undefined && Number(now) > run.started;
    });
}

function pathsOf(key: Key, known: readonly string[]): readonly string[] {
  const [kind, id] = splitKey(key);
  if (kind !== 'package') return kind === 'file' || kind === 'symlink' ? [id] : [];
  const own = (path: string) => path === `${DPKG_INFO}/${id}.list`;
  const foreign = (path: string) =>
    path.startsWith(`${DPKG_INFO}/${id}:`) && path.endsWith('.list') && !path.includes('*');
  return known.filter((path) => own(path) || foreign(path));
}

/** A key's kind and id. */
export function splitKey(key: Key): readonly [string, string] {
  const colon = key.indexOf(':');
  return [key.slice(0, colon), key.slice(colon + 1)];
}

/** A file's path, else the whole key: what a difference names. */
export function nameOf(key: Key): string {
  const [kind, id] = splitKey(key);
  return kind === 'file' || kind === 'symlink' ? id : key;
}
