import { lines, sh } from '../shell/index.js';
import { removeFile, writeAtomically } from './atomic-write.js';
import type { Kind, Resource } from './kind.js';
import { hashFiles, readHashes } from './path-probe.js';
import { sha256 } from './sha256.js';

/** One stanza of apt_preferences(5). */
export interface AptPin {
  /** Package names or patterns; `*` if not given. */
  readonly packages?: string;
  /** What is pinned, e.g. `release a=unstable` or `origin "nightly.odoo.com"`. */
  readonly pin: string;
  readonly priority: number;
}

export interface AptSourceOptions {
  /** Names the files: letters, digits, `-`, `_`. */
  readonly name: string;
  readonly uris: readonly string[];
  /** A suite that ends in `/` is a flat repository and has no components. */
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** The repository's ASCII-armoured public key; apt's own keyrings are used if not given. */
  readonly key?: string;
  /** Further deb822 fields, e.g. `{ 'Check-Valid-Until': 'no' }`. */
  readonly options?: Readonly<Record<string, string>>;
  readonly pin?: AptPin | readonly AptPin[];
}

export interface PresentAptSource extends Resource, AptSourceOptions {
  readonly kind: 'aptSource';
  readonly ensure: 'present';
}

export interface AbsentAptSource extends Resource {
  readonly kind: 'aptSource';
  readonly ensure: 'absent';
  readonly name: string;
}

export type AptSourceResource = PresentAptSource | AbsentAptSource;

/** A package repository: its deb822 source, its key and its pins, each compared by itself. */
export function aptSource(options: AptSourceOptions): PresentAptSource {
  return { kind: 'aptSource', id: options.name, ensure: 'present', ...options };
}

/** None of the files that {@link aptSource} makes for this name. */
export function absentAptSource(name: string): AbsentAptSource {
  return { kind: 'aptSource', id: name, ensure: 'absent', name };
}

/** Apt sources: the stanza, the key and the pins, each by its hash, so that drift is named. */
export const aptSourceKind: Kind<AptSourceResource> = {
  name: 'aptSource',
  summary: 'a package repository: deb822 source, key and pins',

  probe(wanted) {
    return sh`(
set -- ${wanted.flatMap((w) => Object.values(pathsOf(w.name)))}
${hashFiles()}
)`;
  },

  parse(output, wanted) {
    const hashes = readHashes(output.split('\0'));
    return new Map(
      wanted.map((w) => {
        const paths = pathsOf(w.name);
        const found = PARTS.map((part) => [part, hashes.get(paths[part]) ?? 'none'] as const);
        const nothing = found.every(([, hash]) => hash === 'none');
        return [w.id, nothing ? 'absent' : Object.fromEntries(found)];
      }),
    );
  },

  want(resource) {
    if (resource.ensure === 'absent') return 'absent';
    const contents = contentsOf(resource);
    return Object.fromEntries(
      PARTS.map((part) => {
        const content = contents[part];
        return [part, content === undefined ? 'none' : sha256(content)];
      }),
    );
  },

  // The key comes first and the source last: apt never sees a source whose key is not there yet.
  apply({ resource }) {
    const paths = pathsOf(resource.name);
    const contents = resource.ensure === 'absent' ? {} : contentsOf(resource);
    return lines([
      sh`(umask 022; mkdir -p /etc/apt/keyrings /etc/apt/preferences.d /etc/apt/sources.list.d)`,
      ...PARTS.map((part) => {
        const content = contents[part];
        if (content === undefined) return removeFile(paths[part]);
        const owner = { owner: 'root', group: 'root', mode: '0644' };
        return writeAtomically({ path: paths[part], content, ...owner });
      }),
    ]);
  },
};

const PARTS = ['key', 'pin', 'source'] as const;
type Part = (typeof PARTS)[number];

/** Where apt looks; `.asc` tells it that a key is armoured. */
function pathsOf(name: string): Readonly<Record<Part, string>> {
  return {
    key: `/etc/apt/keyrings/${name}.asc`,
    pin: `/etc/apt/preferences.d/${name}.pref`,
    source: `/etc/apt/sources.list.d/${name}.sources`,
  };
}

function contentsOf(resource: PresentAptSource): Readonly<Partial<Record<Part, string>>> {
  const { key, pin } = resource;
  const pins = pin === undefined ? [] : 'pin' in pin ? [pin] : pin;
  return {
    ...(key !== undefined && { key: key.endsWith('\n') ? key : `${key}\n` }),
    ...(pins.length > 0 && { pin: pins.map(preferenceOf).join('\n') }),
    source: sourceOf(resource),
  };
}

/** A deb822 stanza, see sources.list(5). */
function sourceOf(resource: PresentAptSource): string {
  const fields: readonly (readonly [string, string])[] = [
    ['Types', 'deb'],
    ['URIs', resource.uris.join(' ')],
    ['Suites', resource.suites.join(' ')],
    ['Components', resource.components.join(' ')],
    ['Signed-By', resource.key === undefined ? '' : pathsOf(resource.name).key],
    ...Object.entries(resource.options ?? {}),
  ];
  return fields
    .filter(([, value]) => value !== '')
    .map(([field, value]) => `${field}: ${value}\n`)
    .join('');
}

/** A stanza of apt_preferences(5). */
function preferenceOf({ packages = '*', pin, priority }: AptPin): string {
  return `Package: ${packages}\nPin: ${pin}\nPin-Priority: ${String(priority)}\n`;
}
