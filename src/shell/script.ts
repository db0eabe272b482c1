import { inspect } from 'node:util';
import { quote } from './quote.js';
import { REDACTED, Secret } from './secret.js';

type Fragment = string | { readonly quoted: Secret } | { readonly base64: Secret };
type Value = string | number | Secret | Script | readonly (string | number | Secret | Script)[];

/**
 * A piece of POSIX shell text that may carry secrets. Printing it shows them redacted;
 * {@link Script.render} gives the text that runs, and only goes over stdin.
 */
export class Script {
  readonly #fragments: readonly Fragment[];

  constructor(fragments: readonly Fragment[]) {
    this.#fragments = fragments;
  }

  /** Whether rendering would reveal a secret: such a script must never be an exec string. */
  get hasSecrets(): boolean {
    return this.#fragments.some((f) => typeof f !== 'string');
  }

  get fragments(): readonly Fragment[] {
    return this.#fragments;
  }

  /** The text to run, secrets included. */
  render(): string {
    return this.#fragments
      .map((f) => {
        if (typeof f === 'string') return f;
        if ('quoted' in f) return quote(f.quoted.reveal());
        return Buffer.from(f.base64.reveal()).toString('base64');
      })
      .join('');
  }

  toString(): string {
    return this.#fragments.map((f) => (typeof f === 'string' ? f : REDACTED)).join('');
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Shell text taken as it stands. */
export function raw(text: string): Script {
  return new Script([text]);
}

/** The base64 of a text or secret, for `base64 -d`: safe for any bytes, and hidden when printed. */
export function base64(content: string | Secret): Script {
  if (content instanceof Secret) return new Script([{ base64: content }]);
  return raw(Buffer.from(content).toString('base64'));
}

/**
 * A script that ends at its first command that fails, with that command's code, and at a variable that was never set. Every
 * script that changes something is run so: otherwise only its last command would say whether it succeeded.
 */
export function strict(script: Script): Script {
  return lines([raw('set -eu'), script]);
}

/** Several scripts, one after the other, a newline between them. */
export function lines(scripts: readonly Script[]): Script {
  return new Script(scripts.flatMap((s, i) => (i === 0 ? s.fragments : ['\n', ...s.fragments])));
}

/**
 * Shell text from a template literal, backslashes and all (only `\\${` and a backslashed backquote lose theirs). Every string, number and secret is quoted as one word, a list as
 * several words; a nested {@link Script} is put in as it is.
 */
export function sh(texts: TemplateStringsArray, ...values: readonly Value[]): Script {
  const fragments: Fragment[] = [];
  texts.raw.forEach((text, i) => {
    fragments.push(text.replaceAll('\\${', '${').replaceAll('\\`', '`'));
    const value = values[i];
    if (value !== undefined) fragments.push(...asFragments(value));
  });
  return new Script(dedent(fragments));
}

function asFragments(value: Value): Fragment[] {
  if (value instanceof Script) return [...value.fragments];
  if (value instanceof Secret) return [{ quoted: value }];
  if (typeof value === 'string' || typeof value === 'number') return [quote(String(value))];
  return value.flatMap((v, i) => (i === 0 ? asFragments(v) : [' ', ...asFragments(v)]));
}

/** A template that starts on a line of its own is not preceded by an empty line in the script. */
function dedent(fragments: Fragment[]): Fragment[] {
  const [first, ...rest] = fragments;
  return typeof first === 'string' ? [first.replace(/^\n/, ''), ...rest] : fragments;
}
