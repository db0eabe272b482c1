import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { own } from './own.js';
import { didYouMean, oneOf, show, withArticle, words } from './words.js';

/** What zod hands to an error function. */
interface Issue {
  readonly input?: unknown;
}

/** `"x" is not supported by this version`: for what the format knows and the program cannot do yet. */
export function unsupported(what: string): string {
  return `${what} is not supported by this version`;
}

/** A text of a given form. */
export function text(what: string, expected: string, pattern: RegExp): z.ZodString {
  const error = (issue: Issue): string => words(`${show(issue.input)} is not ${what}`, expected);
  return z.string({ error }).regex(pattern, { error });
}

/** The path of a file on the operator's machine. */
export const filePath = text('a path', 'the path of a file', /^[^\0\r\n]+$/);

/** A whole number in a range. */
export function whole(what: string, least: number, most: number): z.ZodNumber {
  const error = (issue: Issue): string =>
    words(`${show(issue.input)} is not ${what}`, `a whole number from ${least} to ${most}`);
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** `true` or `false`. YAML 1.2 has no `yes` and `on`. */
export function flag(): z.ZodBoolean {
  return z.boolean({
    error: (issue) => words(`${show(issue.input)} is not a truth value`, 'true or false'),
  });
}

/**
 * One of some words.
 *
 * @param what for messages: `unknown <what> "…"`
 * @param later words that the format knows and this version does not support, with what it offers instead
 */
export function choice<const T extends readonly [string, ...string[]]>(
  what: string,
  values: T,
  later: Readonly<Record<string, string>> = {},
): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(values, {
    error: ({ input }: Issue): string => choiceWords(what, values, later, input),
  });
}

/** What is wrong with a word that is not among those {@link choice} offers. */
export function choiceWords(
  what: string,
  values: readonly string[],
  later: Readonly<Record<string, string>>,
  input: unknown,
): string {
  const expected = oneOf(values);
  if (typeof input !== 'string') {
    const meant =
      typeof input === 'number' ? values.find((value) => Number(value) === input) : undefined;
    const quoted = meant === undefined ? expected : `"${meant}", in quotes`;
    return words(`${show(input)} is not ${withArticle(what)}`, quoted);
  }
  const instead = own(later, input);
  if (instead !== undefined) return words(unsupported(`${what} "${input}"`), instead);
  return words(`unknown ${what} ${show(input)}${didYouMean(input, values)}`, expected);
}

/** A map with known keys only. */
export function section<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => words(`${show(issue.input)} is not a map`, oneOfKeys(Object.keys(shape))),
  });
}

function oneOfKeys(keys: readonly string[]): string {
  return `a map with the keys: ${keys.join(', ')}`;
}

const UNITS: Readonly<Record<string, number>> = {
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};
const SIZE = /^(\d+(?:\.\d+)?)(MB|GB|TB|MiB|GiB|TiB)$/;

/** A size with its unit, e.g. `16GB`; powers of 1024 as in postgresql.conf. */
export function size(): z.ZodString {
  return text('a size', 'a number and MB, GB or TB without a space, e.g. 16GB', SIZE);
}

/** A size of at least so many bytes. @param expected that, in words */
export function sizeFrom(least: number, reason: string, expected: string): z.ZodString {
  // What is no size at all has been told.
  return size().refine((given) => !SIZE.test(given) || bytesOf(given) >= least, {
    error: ({ input }) => words(`${show(input)}: ${reason}`, expected),
  });
}

/** Bytes of a text that {@link size} has accepted. */
export function bytesOf(given: string): number {
  const [, number = '0', unit = 'MB'] = SIZE.exec(given) ?? [];
  return Math.floor(Number(number) * (UNITS[unit] ?? 1));
}

const DOMAIN =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** A fully qualified domain name in lower case. */
export function domain(): z.ZodString {
  return text(
    'a domain name',
    'a full name in lower case without scheme, port or path, e.g. erp.acme.example',
    DOMAIN,
  );
}

/** The address by which the hosts and the operator reach a host. */
export function address(): z.ZodString {
  return z
    .string({ error: (issue) => addressWords(issue.input) })
    .refine((value) => isIPv4(value) && !/^(0|2[2-5]\d)\./.test(value), {
      error: (issue) => addressWords(issue.input),
    });
}

/** An address, or a network as `198.51.100.0/24`; not most of the internet. */
export function network(): z.ZodString {
  const error = (issue: Issue): string =>
    words(
      `${show(issue.input)} is not a network`,
      'an IPv4 address, or a network with 8 to 32 bits, e.g. 198.51.100.0/24',
    );
  return z.string({ error }).refine(
    (value) => {
      const [base = '', bits = '32', ...rest] = value.split('/');
      return (
        rest.length === 0 && isIPv4(base) && /^\d{1,2}$/.test(bits) && +bits >= 8 && +bits <= 32
      );
    },
    { error },
  );
}

function addressWords(input: unknown): string {
  const expected = 'the IPv4 address of one host, e.g. 198.51.100.11';
  if (typeof input === 'string' && isIPv6(input)) {
    return words(unsupported(`IPv6 address ${show(input)}`), expected);
  }
  return words(`${show(input)} is not a host's address`, expected);
}

/** Any key and plain value of a configuration file. */
export function settings(
  file: string,
): z.ZodRecord<z.ZodString, z.ZodUnion<readonly [z.ZodString, z.ZodNumber, z.ZodBoolean]>> {
  const value = (issue: Issue): string =>
    words(
      `${show(issue.input)} cannot be written to ${file}`,
      'one line of text, a number, true or false',
    );
  return z.record(
    text(`a key of ${file}`, 'letters, digits, dot, hyphen and underscore', /^[A-Za-z_][\w.-]*$/),
    z.union([z.string().regex(/^[^\r\n\0]*$/, { error: value }), z.number(), z.boolean()], {
      error: value,
    }),
    { error: (issue) => words(`${show(issue.input)} is not a map`, `keys and values of ${file}`) },
  );
}
