import { inspect } from 'node:util';

/** What stands in every place where a secret would have been printed. */
export const REDACTED = '•••';

/**
 * A value that cannot be printed: string conversion, JSON and `util.inspect` all give {@link REDACTED}.
 * Only the rendering of scripts that go over stdin, and the encrypted store, call {@link Secret.reveal}.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plain value. Never pass it to anything that prints. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** The plain text of something that may be a secret. */
export function reveal(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}
