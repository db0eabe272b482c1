/** Emphasis for terminal text; every function gives the text unchanged where colour is off. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly changed: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
}

/** @param colour whether to emit ANSI sequences at all */
export function styleOf(colour: boolean): Style {
  const wrap =
    (on: number, off: number) =>
    (text: string): string =>
      colour && text !== '' ? `\u001b[${String(on)}m${text}\u001b[${String(off)}m` : text;
  return {
    good: wrap(32, 39),
    bad: wrap(31, 39),
    changed: wrap(33, 39),
    dim: wrap(2, 22),
    strong: wrap(1, 22),
  };
}

/**
 * Whether to colour what goes to a stream: never with NO_COLOR (https://no-color.org: set and not empty) or
 * TERM=dumb, always with FORCE_COLOR, else on a terminal.
 */
export function wantsColour(
  stream: { readonly isTTY?: boolean | undefined },
  environment: NodeJS.ProcessEnv = process.env,
): boolean {
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  if (!['', '0', 'false'].includes(environment['FORCE_COLOR'] ?? '')) return true;
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}
