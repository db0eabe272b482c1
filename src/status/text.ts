/** The `key=value` lines of a text, by key; other lines are left out. */
export function valuesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()]] : [];
    }),
  );
}

/**
 * A number that a host printed.
 * @throws Error when it is none: what cannot be read must not count as zero
 */
export function numberOf(text: string | undefined, what: string): number {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new Error(`${what} is missing in what the host printed`);
  return value;
}
