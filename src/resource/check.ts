import type { Key, Resource } from './kind.js';

/** Health as state: what a command says when all is well. */
export interface CheckResource extends Resource {
  readonly kind: 'check';
  readonly name: string;
  readonly command: string;
  readonly expect: string;
  readonly within: number;
  readonly describes: string;
  readonly after: readonly Key[];
}

export interface CheckOptions {
  readonly name: string;
  /** Shell text that only looks, run as root, at most 5 s. Never holds a secret: it shows in process lists. */
  readonly command: string;
  /** The first line that it must print. */
  readonly expect: string;
  /** Seconds that apply waits for it. */
  readonly within: number;
  /** What is healthy, for people: `PostgreSQL answers`. */
  readonly describes: string;
  /** It is waited for again after a change of these, e.g. the unit that it looks at. */
  readonly after?: readonly Key[];
}

/** A health check. It changes nothing; apply waits for it and fails with what it saw last. */
export function check(options: CheckOptions): CheckResource {
  return { kind: 'check', id: options.name, ...options, after: options.after ?? [] };
}
