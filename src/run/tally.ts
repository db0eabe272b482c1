import { EXIT, exitCodeOf, type Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import type { Session } from '../transport/session.js';
import type { HostRecap, RunRecap } from './event.js';

/** The running figures of one host. */
export class Tally {
  ok = 0;
  changed = 0;
  skipped = 0;
  failure: Failure | undefined;
  /** Set for a host that is done with for this run, whatever still differs. */
  settled = false;
  readonly milliseconds = { connect: 0, probe: 0, apply: 0 };
}

/** One host's line of the recap. */
export function recapOf(host: Host, tally: Tally, session: Session | undefined): HostRecap {
  const unreachable =
    tally.failure !== undefined && exitCodeOf(tally.failure.reason) === EXIT.unreachable;
  const interrupted = tally.failure?.reason === 'interrupted';
  const waiting = tally.failure?.reason === 'consent';
  return {
    host: host.name,
    ok: tally.ok,
    changed: tally.changed,
    failed: tally.failure !== undefined && !unreachable && !interrupted && !waiting ? 1 : 0,
    skipped: tally.skipped,
    unreachable,
    interrupted,
    waiting,
    wire: { connections: 0, execs: 0, bytesSent: 0, bytesReceived: 0, ...session?.use },
    milliseconds: { ...tally.milliseconds },
  };
}

/**
 * The recap of a run. Its exit code is the gravest of its hosts': interrupted, refused, failed,
 * unreachable, then done (the caller knows whether changes are to be told by the code).
 */
export function runRecap(
  hosts: readonly HostRecap[],
  failures: readonly Failure[],
  milliseconds: number,
): RunRecap {
  const codes = failures.map((failure) => exitCodeOf(failure.reason));
  const gravest = [EXIT.interrupted, EXIT.refused, EXIT.failed, EXIT.usage, EXIT.unreachable];
  return {
    hosts,
    changed: hosts.reduce((sum, host) => sum + host.changed, 0),
    failed: hosts.filter((host) => host.failed > 0).length,
    unreachable: hosts.filter((host) => host.unreachable).length,
    interrupted: hosts.filter((host) => host.interrupted).length,
    waiting: hosts.filter((host) => host.waiting).length,
    milliseconds,
    exitCode: gravest.find((code) => codes.includes(code)) ?? EXIT.done,
  };
}
