/** One result of looking at a cluster as a whole, without contacting anyone. */
export interface Finding {
  /** `error`: refused. `warning`: it runs, and will hurt. `note`: worth knowing. `fine`: it was looked at and holds. */
  readonly severity: 'error' | 'warning' | 'note' | 'fine';
  /** What was looked at: a principle of the architecture by its number, or a subject. */
  readonly subject:
    | 1
    | 2
    | 3
    | 4
    | 5
    | 'connections'
    | 'memory'
    | 'users'
    | 'replication'
    | 'availability'
    | 'names'
    | 'backup';
  /** The host that is meant, if it is one. */
  readonly host?: string;
  readonly message: string;
  /** What to do about it; not with `fine`. */
  readonly advice?: string;
}

/** Concurrent users up to which one server is a sound start (the second seed: "For 50-200 Users"). */
export const SMALL = 200;
/** Concurrent users from which pools on hosts of their own are needed (the second seed: "For 500+ Users"). */
export const LARGE = 500;
