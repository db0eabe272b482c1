import { reveal, Secret } from '../shell/index.js';
import { compileTemplate } from './compile.js';

const compiled = new Map<string, (data: unknown) => string>();

/**
 * Fills a Handlebars template in. A name that the data lacks is an error, and nothing is HTML-escaped.
 * @param text the template
 * @param data plain values; where a {@link Secret} is among them, at any depth, the whole result is one
 */
export function renderTemplate(
  text: string,
  data: Readonly<Record<string, unknown>>,
): string | Secret {
  let template = compiled.get(text);
  if (template === undefined) {
    template = compileTemplate(text);
    compiled.set(text, template);
  }
  const seen = { secret: false };
  const result = template(unwrap(data, seen));
  return seen.secret ? new Secret(result) : result;
}

function unwrap(value: unknown, seen: { secret: boolean }): unknown {
  if (value instanceof Secret) {
    seen.secret = true;
    return reveal(value);
  }
  if (Array.isArray(value)) return value.map((v) => unwrap(v, seen));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unwrap(v, seen)]));
  }
  return value;
}
