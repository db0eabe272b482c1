import { REDACTED, type Secret } from '../shell/index.js';

/** Shorter values (an empty or one-letter password that somebody set) would blank out ordinary text. */
const SHORTEST = 6;

/**
 * Replaces every known secret in a text: the last defence behind {@link Secret}, for what a program on a host
 * prints. Also finds a secret's base64 form, in which scripts carry it.
 * @param text anything that is about to leave to a terminal, a log or JSON
 * @param store where the secrets are
 */
export function redact(text: string, store: { values(): readonly Secret[] }): string {
  return redactor(store)(text);
}

/** The same as a function, cheaper for many texts; sees secrets that are made later, too. */
export function redactor(store: { values(): readonly Secret[] }): (text: string) => string {
  return (text) => {
    let clean = text;
    for (const secret of store.values()) {
      const value = secret.reveal();
      if (value.length < SHORTEST) continue;
      clean = clean
        .replaceAll(value, REDACTED)
        .replaceAll(Buffer.from(value).toString('base64'), REDACTED);
    }
    return clean;
  };
}
