/** One assertion of a scenario. */
export interface Check {
  /** A name that stays the same, for programs. docs/failover-test.md lists them. */
  readonly id: string;
  /** Where there is one for each host. */
  readonly host?: string;
  readonly ok: boolean;
  /** What was asserted, as a sentence that holds when it is ok. */
  readonly text: string;
  /** What was found instead. */
  readonly found?: string;
  /** What to do about it. */
  readonly next?: string;
}

/** The same assertion, of one host among others. */
export function onHost(host: string, check: Check): Check {
  return { ...check, host };
}

/** An assertion with what to say when it does not hold. */
export function assertion(
  id: string,
  text: string,
  ok: boolean,
  otherwise: { readonly found: string; readonly next: string },
): Check {
  return ok ? { id, ok, text } : { id, ok, text, ...otherwise };
}
