import { distance } from 'fastest-levenshtein';

/**
 * The candidate that a mistyped word most likely meant; undefined if none is near (more than a third of its
 * letters, at most 3, would have to change).
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  // Between numbers nearness says nothing: 20.0 is as near to 16.0 as to 19.0.
  if (!/[a-z]/i.test(word)) return candidates.find((candidate) => candidate.startsWith(`${word}.`));
  const lower = word.toLowerCase();
  let best: { readonly candidate: string; readonly away: number } | undefined;
  for (const candidate of candidates) {
    const away = distance(lower, candidate.toLowerCase());
    if (best === undefined || away < best.away) best = { candidate, away };
  }
  if (best === undefined) return undefined;
  const allowed = Math.min(3, Math.max(1, Math.ceil(best.candidate.length / 3)));
  return best.away <= allowed && best.away < best.candidate.length ? best.candidate : undefined;
}

/** `; did you mean "app"?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? '' : `; did you mean "${candidate}"?`;
}

/** A value of the inventory, short and in one line, for a message. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

/** `a role`, `an Odoo version`. */
export function withArticle(what: string): string {
  return `${/^[aeiou]/i.test(what) ? 'an' : 'a'} ${what}`;
}

export function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `one of: ${values.join(', ')}`;
}

const SEPARATOR = '\n';

/** What is wrong and what was expected, in the one string that zod lets an error be. */
export function words(message: string, expected: string): string {
  return `${message}${SEPARATOR}${expected}`;
}

/** The two parts of {@link words}; a text that zod made itself has only the first. */
export function splitWords(text: string): { message: string; expected?: string } {
  const at = text.indexOf(SEPARATOR);
  return at === -1
    ? { message: text }
    : { message: text.slice(0, at), expected: text.slice(at + 1) };
}
