import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseFrame } from '../batch/apply.js';
import { compileFailoverTestLock } from '../batch/failover-test-lock.js';
import type { Runner } from '../batch/runner.js';
import { Failure } from '../failure/failure.js';
import type { Script } from '../shell/index.js';
import type { Session } from '../transport/session.js';
import { asFailure, hostIsLocked, hostIsTested } from './locked-host.js';

/** Seconds that a whole failover-test may take: copies of large databases take hours. */
const LIMIT = 7 * 24 * 3600;
/** Seconds in which a host that is well has let go. */
const RELEASE_SECONDS = 5;

/** A host kept for one failover-test: a shell there that does nothing but hold the lock, as long as its connection lives. */
export class FailoverTestLock {
  readonly #end: () => void;
  readonly #ended: Promise<Failure>;

  private constructor(end: () => void, ended: Promise<Failure>) {
    this.#end = end;
    this.#ended = ended;
  }

  /**
   * Takes a host; what the same test has taken over a connection that is gone is taken over.
   * @throws Failure run-lock, naming the failover-test or the run that has it
   */
  static async take(
    session: Session,
    runner: Runner & { failoverTest: string },
  ): Promise<FailoverTestLock> {
    const nonce = randomBytes(8).toString('hex');
    const { host } = session;
    let end = (): void => undefined;
    const released = new Promise<void>((resolve) => (end = resolve));
    let say: (failure: Failure | undefined) => void = () => undefined;
    const said = new Promise<Failure | undefined>((resolve) => (say = resolve));
    const ended = session
      .run(compileFailoverTestLock(runner, nonce), {
        limit: LIMIT,
        feed: nothingUntil(released),
        onLine: (line) => {
          const frame = parseFrame(line, nonce);
          if (frame?.type === 'ready') say(undefined);
          if (frame?.type === 'tested') say(hostIsTested(host, frame.holder));
          if (frame?.type === 'locked') say(hostIsLocked(host, frame.holder));
        },
      })
      .then(
        ({ stderr }) => notHeld(session, stderr),
        (error: unknown) => asFailure(error, host),
      );
    const failure = await Promise.race([said, ended]);
    if (failure === undefined) return new FailoverTestLock(end, ended);
    end();
    throw failure;
  }

  /** Lets others on the host again. One that does not answer lets them when its connection ends. */
  async release(): Promise<void> {
    this.#end();
    const enough = new AbortController();
    const late = sleep(RELEASE_SECONDS * 1000, undefined, { signal: enough.signal });
    await Promise.race([this.#ended, late]).finally(() => enough.abort());
  }
}

function notHeld({ host }: Session, stderr: string): Failure {
  return new Failure({
    reason: 'cut-answer',
    host: host.name,
    message: 'the shell that keeps this host for the failover-test ended by itself',
    output: stderr,
    remedy: 'look at the network and at `journalctl -u ssh` there, then run this again',
  });
}

/** Keeps a shell's standard input open. */
function nothingUntil(released: Promise<void>): AsyncIterable<Script> {
  const next = async (): Promise<IteratorReturnResult<undefined>> => {
    await released;
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
