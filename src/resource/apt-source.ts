import type { Resource } from './kind.js';

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
  readonly kind: 'apt-source';
  readonly ensure: 'present';
}

export interface AbsentAptSource extends Resource {
  readonly kind: 'apt-source';
  readonly ensure: 'absent';
  readonly name: string;
}

export type AptSourceResource = PresentAptSource | AbsentAptSource;

/** A package repository: its deb822 source, its key and its pins, each compared by itself. */
export function aptSource(options: AptSourceOptions): PresentAptSource {
  return { kind: 'apt-source', id: options.name, ensure: 'present', ...options };
}

/** None of the files that {@link aptSource} makes for this name. */
export function absentAptSource(name: string): AbsentAptSource {
  return { kind: 'apt-source', id: name, ensure: 'absent', name };
}
