import type { Failure } from '../failure/failure.js';
import type { Change, Key } from '../resource/kind.js';
import type { Stage } from '../role/role.js';

/** Everything that happens in a run, in order. The three outputs (list, plain lines, JSON) read only this. */
export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly cluster: string;
      readonly hosts: readonly string[];
      readonly check: boolean;
    }
  | { readonly type: 'host-connecting'; readonly host: string }
  | {
      readonly type: 'host-probed';
      readonly host: string;
      readonly pass: number;
      readonly resources: number;
      readonly milliseconds: number;
    }
  | {
      readonly type: 'host-planned';
      readonly host: string;
      readonly pass: number;
      readonly changes: readonly Change[];
      /** Not applicable here, shown once (sysctls in a container). */
      readonly skipped: readonly { readonly key: Key; readonly why: string }[];
      /** Roles that the host was given earlier and no longer has. */
      readonly leftOver: readonly string[];
      /** With `check`: the restart that would not be made, and what it waits for. */
      readonly waits?: string;
    }
  | { readonly type: 'file-diff'; readonly host: string; readonly key: Key; readonly diff: string }
  | {
      /** A killed run's last step is still running there: its end is waited for. */
      readonly type: 'host-waiting';
      readonly host: string;
      /** Who ran it, and since when. */
      readonly holder: string;
    }
  | {
      readonly type: 'stage-waiting';
      readonly host: string;
      readonly stage: Stage;
      readonly for: readonly string[];
    }
  | {
      readonly type: 'stage-started';
      readonly host: string;
      readonly stage: Stage;
      readonly resources: number;
    }
  | {
      readonly type: 'resource-started';
      readonly host: string;
      readonly stage: Stage;
      readonly key: Key;
    }
  | {
      readonly type: 'resource-output';
      readonly host: string;
      readonly key: Key;
      readonly line: string;
    }
  | {
      readonly type: 'resource-changed';
      readonly host: string;
      readonly stage: Stage;
      readonly key: Key;
      readonly milliseconds: number;
    }
  | {
      readonly type: 'stage-skipped';
      readonly host: string;
      readonly stage: Stage;
      readonly why: string;
    }
  | { readonly type: 'host-failed'; readonly host: string; readonly failure: Failure }
  | { readonly type: 'host-done'; readonly host: string; readonly recap: HostRecap }
  | { readonly type: 'verify-started'; readonly checks: number }
  | {
      readonly type: 'verify-checked';
      readonly check: string;
      readonly host: string;
      readonly ok: boolean;
      readonly detail: string;
    }
  | { readonly type: 'run-done'; readonly recap: RunRecap };

export interface HostRecap {
  readonly host: string;
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unreachable: boolean;
  /** Stopped by Ctrl-C before it was done: not counted as failed. */
  readonly interrupted: boolean;
  /** All but a restart was done, which waits for consent or for other hosts: not counted as failed. */
  readonly waiting: boolean;
  /** What the run cost on the wire. */
  readonly wire: WireUse;
  readonly milliseconds: {
    readonly connect: number;
    readonly probe: number;
    readonly apply: number;
  };
}

/** What one host's session used. Counted by the transport. */
export interface WireUse {
  readonly connections: number;
  readonly execs: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface RunRecap {
  readonly hosts: readonly HostRecap[];
  readonly changed: number;
  readonly failed: number;
  readonly unreachable: number;
  readonly interrupted: number;
  readonly waiting: number;
  readonly milliseconds: number;
  readonly exitCode: number;
  /** The host that was primary last: it cannot be reached, and no database host that was reached holds a primary's data. */
  readonly primaryAway?: string;
}

export type Emit = (event: RunEvent) => void;
