/** Something that is wrong, or will be. */
export interface Alert {
  /** A `problem` is one for somebody now: exit code 3. A `warning` can wait for working hours. */
  readonly severity: 'problem' | 'warning';
  /** A name that stays the same, for programs: `postgres.lag`. docs/status.md lists them. */
  readonly id: string;
  /** Null where it is a matter of the whole cluster. */
  readonly host: string | null;
  /** A sentence that names the host, what is wrong, and the limit where there is one. */
  readonly message: string;
  /** What to do next. */
  readonly next: string;
}

type Words = Pick<Alert, 'id' | 'host' | 'message' | 'next'>;

/** An alert that is a problem. */
export function problem(words: Words): Alert {
  return { severity: 'problem', ...words };
}

/** An alert that is a warning. */
export function warning(words: Words): Alert {
  return { severity: 'warning', ...words };
}

/**
 * One of two severities by how far a figure has gone; none below the first.
 * @param limits for what grows: from where on it is a warning, and a problem
 * @param words `message` gets the limit of the severity that it has
 */
export function graded(
  value: number,
  limits: { readonly warning: number; readonly problem: number },
  words: Omit<Words, 'message'> & { readonly message: (limit: number) => string },
): readonly Alert[] {
  if (value >= limits.problem)
    return [problem({ ...words, message: words.message(limits.problem) })];
  if (value < limits.warning) return [];
  return [warning({ ...words, message: words.message(limits.warning) })];
}
