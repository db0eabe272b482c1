import { randomBytes } from 'node:crypto';
import {
  compilePreamble,
  compileStage,
  parseFrame,
  stepsOf,
  type Frame,
  type Step,
} from '../batch/apply.js';
import type { Runner } from '../batch/runner.js';
import { Failure } from '../failure/failure.js';
import type { Host } from '../inventory/cluster.js';
import type { Kinds, PlannedStage } from '../plan/diff.js';
import { keyOf, type Key } from '../resource/kind.js';
import { sh, type Script } from '../shell/index.js';
import { classifyCommandFailure } from '../transport/index.js';
import type { Session } from '../transport/session.js';
import type { Stage } from '../role/role.js';
import type { Emit } from './event.js';
import { asFailure, hostIsLocked, hostIsTested } from './locked-host.js';
import { withoutFrames } from './without-frames.js';

/** Seconds that one host's whole apply may take: the sum of all steps of a first installation, and more. */
const LIMIT = 4 * 3600;
/** Lines of a step's output kept for an error. */
const KEPT_LINES = 40;

/**
 * One shell on one host that is fed stage after stage, so that its lock is held from the first to the
 * last. One exec, however many stages.
 */
export class ApplyChannel {
  readonly #session: Session;
  readonly #kinds: Kinds;
  readonly #emit: Emit;
  readonly #nonce = randomBytes(8).toString('hex');
  readonly #feed = new Feed();
  readonly #ended: Promise<Failure>;
  #onFrame: (frame: Frame) => void = () => undefined;

  /** @param signal gives the running step up */
  constructor(session: Session, runner: Runner, kinds: Kinds, emit: Emit, signal?: AbortSignal) {
    this.#session = session;
    this.#kinds = kinds;
    this.#emit = emit;
    this.#ended = session
      .run(compilePreamble(runner, this.#nonce), {
        limit: LIMIT,
        feed: this.#feed,
        ...(signal === undefined ? {} : { signal }),
        onLine: (line) => {
          const frame = parseFrame(line, this.#nonce);
          if (frame !== undefined) this.#onFrame(frame);
        },
      })
      .then(
        (answer) => this.#endedEarly(answer.stderr),
        (error: unknown) => withoutFrames(asFailure(error, session.host), this.#nonce),
      );
  }

  /**
   * Waits until the host is locked for this run; what a killed run left running is let end first.
   * @throws Failure run-lock, naming the live run that has it, or the failover-test
   */
  async open(): Promise<void> {
    await this.#expect((frame, finish) => {
      if (frame.type === 'ready') finish();
      if (frame.type === 'waiting') this.#tellWaiting(frame.holder);
      if (frame.type === 'stopped') finish(this.#stopped());
      if (frame.type === 'locked') finish(hostIsLocked(this.#session.host, frame.holder));
      if (frame.type === 'tested') finish(hostIsTested(this.#session.host, frame.holder));
    });
  }

  /** Makes the changes of one stage. @throws Failure at the first that fails, or when it was stopped */
  async run(planned: PlannedStage): Promise<void> {
    const steps = stepsOf(planned.changes, this.#kinds);
    const progress = new StageProgress(planned, steps, this.#session.host, this.#emit);
    const done = this.#expect((frame, finish) => {
      if (frame.type === 'stopped') finish(this.#stopped());
      else if (frame.type === 'done') finish(frame.ok ? undefined : this.#notNoted());
      else {
        const failure = progress.read(frame);
        if (failure !== undefined) finish(failure);
      }
    });
    this.#feed.push(compileStage(planned.stage, steps, this.#nonce));
    await done;
  }

  /** Lets the running step end and begins no other. */
  async stop(): Promise<void> {
    await this.#session.run(sh`touch ${`/run/odoo-prov/stop.${this.#nonce}`}`);
  }

  /** Ends the shell, and with it the lock. */
  async close(): Promise<void> {
    this.#feed.end();
    await this.#ended;
  }

  /** Gives every frame to `handle` until it finishes, or the shell ends first. */
  async #expect(
    handle: (frame: Frame, finish: (failure?: Failure) => void) => void,
  ): Promise<void> {
    const finished = new Promise<Failure | undefined>((resolve) => {
      this.#onFrame = (frame) => {
        handle(frame, resolve);
      };
    });
    const failure = await Promise.race([finished, this.#ended]);
    if (failure !== undefined) throw failure;
  }

  #endedEarly(stderr: string): Failure {
    return new Failure({
      reason: 'cut-answer',
      host: this.#session.host.name,
      message: 'the shell on the host ended before its work was done',
      output: stderr,
      remedy:
        'run apply again: it goes on where this stopped. What ran last is in /var/log/odoo-prov/ there',
    });
  }

  /** A step that fails says so itself; this is for a host that could not tell how it ended. */
  #notNoted(): Failure {
    return new Failure({
      reason: 'command-failed',
      host: this.#session.host.name,
      message: 'how the last step ended could not be noted on the host',
      expected: 'room in /run',
      remedy:
        'look there (df /run, df -i /run), then run this again: it goes on where this stopped',
    });
  }

  #tellWaiting(holder: string): void {
    this.#emit({ type: 'host-waiting', host: this.#session.host.name, holder });
  }

  #stopped(): Failure {
    return new Failure({
      reason: 'interrupted',
      host: this.#session.host.name,
      message: 'stopped after the running step, as asked',
      remedy: 'run apply again: it goes on where this stopped',
    });
  }
}

/** Turns the frames of one stage into events, and a step's bad end into a failure. */
class StageProgress {
  readonly #stage: Stage;
  /** Health checks that were fine before: asking them again is no change. */
  readonly #confirmed: ReadonlySet<Key>;
  readonly #steps: readonly Step[];
  readonly #host: Host;
  readonly #emit: Emit;
  #step: Step | undefined;
  #began = 0;
  #output: string[] = [];

  constructor(planned: PlannedStage, steps: readonly Step[], host: Host, emit: Emit) {
    this.#stage = planned.stage;
    const confirmed = planned.changes.filter((change) => change.confirm === true);
    this.#confirmed = new Set(confirmed.map((change) => keyOf(change.resource)));
    this.#steps = steps;
    this.#host = host;
    this.#emit = emit;
  }

  read(frame: Frame): Failure | undefined {
    if (frame.type === 'begin') this.#begin(this.#steps[frame.step]);
    if (frame.type === 'out') this.#print(frame.line);
    return frame.type === 'end' ? this.#end(frame.code) : undefined;
  }

  #begin(step: Step | undefined): void {
    this.#step = step;
    this.#began = Date.now();
    this.#output = [];
    for (const key of step?.keys ?? []) {
      this.#emit({ type: 'resource-started', host: this.#host.name, stage: this.#stage, key });
    }
  }

  #print(line: string): void {
    this.#output.push(line);
    if (this.#output.length > KEPT_LINES) this.#output.shift();
    const key = this.#step?.keys[0];
    if (key === undefined) return;
    this.#emit({ type: 'resource-output', host: this.#host.name, key, line });
  }

  #end(code: number): Failure | undefined {
    const keys = this.#step?.keys ?? [];
    if (code !== 0) {
      const answer = { code, stdout: this.#output.join('\n'), stderr: '' };
      return classifyCommandFailure(this.#host.name, keys.join(', '), answer);
    }
    const milliseconds = Math.round((Date.now() - this.#began) / keys.length);
    for (const key of keys.filter((k) => !this.#confirmed.has(k))) {
      const where = { host: this.#host.name, stage: this.#stage };
      this.#emit({ type: 'resource-changed', ...where, key, milliseconds });
    }
    return undefined;
  }
}

/** Scripts handed from the run to the shell's stdin as they become due. */
class Feed implements AsyncIterable<Script> {
  readonly #queue: Script[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  push(script: Script): void {
    this.#queue.push(script);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Script> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
