import { Failure } from '../src/failure/failure.js';
import type { Host } from '../src/inventory/cluster.js';
import { strict, type Script } from '../src/shell/index.js';
import {
  classifyCommandFailure,
  createConnector,
  type Connector,
  type ConnectOptions,
  type Session,
} from '../src/transport/index.js';
import { FAILOVER_TESTER, parseFailoverTester } from '../src/batch/failover-test-lock.js';
import { hostIsTested } from '../src/run/locked-host.js';
import { HostLocks } from './host-locks.js';

/** What a procedure is given by its command. */
export interface ProcedureOptions {
  readonly connect: ConnectOptions;
  /** Shows a line: what is being done, or what came of it. */
  readonly tell: (line: string) => void;
  /** Shows how far the running step is, in the place of the line before. */
  readonly progress: (line: string) => void;
  /** The id of the failover-test that it is part of: its own lock on the hosts does not keep it off. */
  readonly failoverTest?: string;
}

export interface StepOptions {
  /** Seconds; 120 if not given. */
  readonly limit?: number;
  /** Gets each line that the step prints. */
  readonly onLine?: (line: string) => void;
  /** What to do when it fails, instead of what follows from its output. */
  readonly remedy?: string;
}

/** A sequence of steps on hosts of a cluster: the sessions, the locks, and what is told of it. */
export class Procedure {
  readonly options: ProcedureOptions;
  readonly #connector: Connector = createConnector();
  readonly #sessions = new Map<string, Session>();
  readonly #locks: HostLocks;

  constructor(options: ProcedureOptions) {
    this.options = options;
    this.#locks = new HostLocks(options.failoverTest);
  }

  /** Connects to hosts, those that are not connected yet. @throws Failure of the first that cannot be reached */
  async connect(hosts: readonly Host[]): Promise<void> {
    const open = hosts.filter(({ name }) => !this.#sessions.has(name));
    const ends = await Promise.allSettled(
      [...new Set(open)].map(async (host) => {
        const session = await this.#connector.connect(host, this.options.connect);
        this.#sessions.set(host.name, session);
      }),
    );
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Keeps every other run off these hosts until {@link close}. @throws Failure run-lock */
  async lock(hosts: readonly Host[]): Promise<void> {
    await this.#locks.take(hosts.map((host) => this.#session(host)));
  }

  /** Leaves a host alone that is broken on purpose, without keeping it for this run. @throws Failure run-lock */
  async requireUntested(host: Host): Promise<void> {
    const tester = parseFailoverTester(await this.ask(host, FAILOVER_TESTER));
    if (tester === undefined) return;
    throw hostIsTested(host, `${tester.by}, process ${tester.process}`);
  }

  /** Lets other runs on all hosts again. */
  async unlock(): Promise<void> {
    await this.#locks.release();
  }

  /** Asks a host something; what it printed. @throws Failure when a command of it fails */
  async ask(host: Host, script: Script, options: StepOptions = {}): Promise<string> {
    const { connect } = this.options;
    const answer = await this.#session(host).run(strict(script), {
      limit: options.limit ?? 120,
      ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
      ...(connect.signal === undefined ? {} : { signal: connect.signal }),
    });
    if (answer.code === 0) return answer.stdout;
    const failure = classifyCommandFailure(host.name, undefined, answer);
    if (options.remedy === undefined) throw failure;
    throw new Failure({ ...failure.details, remedy: options.remedy });
  }

  /** One step, told before it begins. */
  async step(host: Host, what: string, script: Script, options: StepOptions = {}): Promise<string> {
    this.options.tell(`${host.name}: ${what}`);
    return this.ask(host, script, options);
  }

  async close(): Promise<void> {
    await this.unlock();
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    await this.#connector.close();
  }

  #session(host: Host): Session {
    const session = this.#sessions.get(host.name);
    if (session === undefined) throw new Error(`${host.name} is not connected`);
    return session;
  }
}
