import { Failure } from '../../src/failure/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import type { ConnectOptions } from '../../src/transport/session.js';
import { HostLocks } from '../host-locks.js';
import { connectAll, type Reached } from '../primary/connect.js';
import { planFailover, runFailover } from '../primary/failover.js';
import { lookForMove } from '../primary/move-view.js';
import { planRejoin } from '../primary/rejoin-plan.js';
import { runRejoin } from '../primary/rejoin.js';
import type { Mover } from '../primary/steps.js';
import { planSwitchover, runSwitchover } from '../primary/switchover.js';
import type { Hosts } from './hosts.js';

type Tell = Mover['tell'];

/**
 * Moves of the primary, as the commands of the same names make them, over connections of their own. A fault of the test
 * itself refuses a switchover and a rejoin too: they come when it is healed.
 */
export class Moves {
  readonly #cluster: Cluster;
  readonly #hosts: Hosts;
  readonly #connect: ConnectOptions;
  readonly #settle: () => Promise<void>;
  readonly #stop: AbortSignal;
  #promotions = 0;

  /**
   * @param cluster as it is written
   * @param settle what the commands do at their end: an apply of the hosts concerned
   * @param stop Ctrl-C: a move that has not begun yet is not made, one that has comes to its end
   */
  constructor(
    cluster: Cluster,
    hosts: Hosts,
    connect: ConnectOptions,
    settle: () => Promise<void>,
    stop: AbortSignal,
  ) {
    this.#cluster = cluster;
    this.#hosts = hosts;
    this.#connect = connect;
    this.#settle = settle;
    this.#stop = stop;
  }

  /** How many times a primary was promoted so far. */
  get promotions(): number {
    return this.#promotions;
  }

  /**
   * @param onPromoted called right before clients are let through to the new primary
   * @throws AbortError at Ctrl-C before it has begun
   */
  async switchover(to: string | undefined, tell: Tell, onPromoted?: () => void): Promise<void> {
    await this.#over(undefined, tell, async (reached, mover) => {
      const view = await lookForMove(this.#cluster, reached);
      const plan = planSwitchover(this.#cluster, view, to);
      this.#stop.throwIfAborted();
      await runSwitchover({ ...mover, ...(onPromoted === undefined ? {} : { onPromoted }) }, plan);
      this.#promotions += 1;
    });
    await this.#settle();
  }

  /**
   * Takes one host for dead, also when SSH still reaches it.
   * @param onPromoted called right before clients are let through to the new primary
   * @returns the new primary
   * @throws AbortError at Ctrl-C before it has begun
   */
  async failover(dead: string, tell: Tell, onPromoted: () => void): Promise<string> {
    return this.#over(dead, tell, async (reached, mover) => {
      const view = await lookForMove(this.#cluster, reached);
      const plan = await planFailover(this.#cluster, view, {
        confirmDead: [dead],
        force: false,
        remembered: dead,
        withoutStandby: () => Promise.resolve(this.#cluster.postgres.replication.onStandbyLoss),
      });
      this.#stop.throwIfAborted();
      await runFailover({ ...mover, onPromoted }, plan);
      this.#promotions += 1;
      return plan.choice.candidate.host;
    });
  }

  /** @throws AbortError at Ctrl-C before it has begun */
  async rejoin(host: string, tell: Tell): Promise<void> {
    await this.#over(undefined, tell, async (reached, mover) => {
      const plan = await planRejoin(this.#cluster, reached, host);
      this.#stop.throwIfAborted();
      await runRejoin(mover, plan);
    });
    await this.#settle();
  }

  async #over<T>(
    dead: string | undefined,
    tell: Tell,
    work: (reached: Reached, mover: Mover) => Promise<T>,
  ): Promise<T> {
    const gone = dead === undefined ? [] : [dead];
    const all = await connectAll(this.#cluster, this.#hosts.connector, this.#connect, gone);
    const locks = new HostLocks(this.#hosts.test);
    try {
      const reached = dead === undefined ? all : without(all, dead);
      await locks.take([...reached.sessions.values()]);
      return await work(reached, { cluster: this.#cluster, sessions: reached.sessions, tell });
    } finally {
      await locks.release();
      await Promise.all([...all.sessions.values()].map((session) => session.close()));
    }
  }
}

/** As if that host could not be reached. */
function without({ sessions, unreached }: Reached, dead: string): Reached {
  const rest = new Map(sessions);
  rest.delete(dead);
  const cut = new Failure({
    reason: 'unreachable',
    host: dead,
    message: 'the failover-test has broken it',
    remedy: 'it heals by itself',
  });
  return { sessions: rest, unreached: new Map([...unreached, [dead, cut]]) };
}
