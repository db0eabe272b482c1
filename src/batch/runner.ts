/** Who runs, for a lock's note and the audit log. */
export interface Runner {
  /** `user@machine`. */
  readonly who: string;
  readonly version: string;
  /** ISO time at which the run began. */
  readonly started: string;
  /** The id of the failover-test that this run is, or is part of: its lock does not keep this run off. */
  readonly failoverTest?: string;
}

/** Who runs, on one line, as others are told. */
export function noteOf({ who, started, version }: Runner): string {
  return `${who} since ${started}, odoo-prov ${version}`;
}

/** Exit code of a shell that found its host held by another run. */
export const LOCKED = 75;
