import { EXIT, exitCodeOf, type Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import type { Session } from '../transport/session.js';
import type { HostRecap, RunEvent, RunRecap } from './event.js';

/** The running figures of one host. */
class Tally {
  ok = 0;
  changed = 0;
  skipped = 0;
  failure: Failure | undefined;
  /** Set for a host that is done with for this run, whatever still differs. */
  settled = false;
  readonly milliseconds = { connect: 0, probe: 0, apply: 0 };
}

/** The running figures of a run: one tally a host, from its first step on. */
export class Tallies {
  readonly #chosen: readonly Host[];
  readonly #emit: (event: RunEvent) => void;
  readonly #byHost = new Map<string, Tally>();
  readonly #began = Date.now();

  /** @param chosen the hosts that the run is about; others may be asked too */
  constructor(chosen: readonly Host[], emit: (event: RunEvent) => void) {
    this.#chosen = chosen;
    this.#emit = emit;
  }

  of(host: string): Tally {
    let tally = this.#byHost.get(host);
    if (tally === undefined) {
      tally = new Tally();
      this.#byHost.set(host, tally);
    }
    return tally;
  }

  /** The host is done with; its first failure is the one that counts. */
  fail(host: string, failure: Failure): void {
    const tally = this.of(host);
    tally.settled = true;
    if (tally.failure !== undefined) return;
    tally.failure = failure;
    // A host that was only asked because others are sized by it, or for a database, is no part of the run.
    if (!this.#chosen.some(({ name }) => name === host)) return;
    this.#emit({ type: 'host-failed', host, failure });
  }

  /** The end: tells each chosen host's line, and gives all of them. */
  recap(sessions: ReadonlyMap<string, Session>): RunRecap {
    const hosts = this.#chosen.map((host) => {
      const recap = recapOf(host, this.of(host.name), sessions.get(host.name));
      this.#emit({ type: 'host-done', host: host.name, recap });
      return recap;
    });
    const failures = this.#chosen.flatMap(({ name }) => this.of(name).failure ?? []);
    return runRecap(hosts, failures, Date.now() - this.#began);
  }
}

/** One host's line of the recap. */
function recapOf(host: Host, tally: Tally, session: Session | undefined): HostRecap {
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
 * The recap of a run. Its exit code is the gravest of its hosts': interrupted, refused, failed, unreachable, a restart that waits
 * for consent, then done (the caller knows whether changes are to be told by the code).
 */
export function runRecap(
  hosts: readonly HostRecap[],
  failures: readonly Failure[],
  milliseconds: number,
): RunRecap {
  const waits = failures.some(({ reason }) => reason === 'consent');
  const codes = failures
    .filter(({ reason }) => reason !== 'consent')
    .map(({ reason }) => exitCodeOf(reason));
  const gravest = [EXIT.interrupted, EXIT.refused, EXIT.failed, EXIT.usage, EXIT.unreachable];
  return {
    hosts,
    changed: hosts.reduce((sum, host) => sum + host.changed, 0),
    failed: hosts.filter((host) => host.failed > 0).length,
    unreachable: hosts.filter((host) => host.unreachable).length,
    interrupted: hosts.filter((host) => host.interrupted).length,
    waiting: hosts.filter((host) => host.waiting).length,
    milliseconds,
    exitCode: gravest.find((code) => codes.includes(code)) ?? (waits ? EXIT.refused : EXIT.done),
  };
}
