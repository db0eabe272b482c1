/** One thing that a working cluster does. */
export interface VerifyCheck {
  /** e.g. `login page`, `app1 answers`. */
  readonly check: string;
  /** The host that it was looked at from. */
  readonly host: string;
  readonly ok: boolean;
  /** What was seen; for a failure also what to do next. */
  readonly detail: string;
}
