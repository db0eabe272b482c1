import { Failure } from '../failure/failure.js';
import type { Plan, PlannedStage } from '../plan/diff.js';
import { whyHeld, type Rolling } from '../plan/rolling.js';
import type { RoleDefinition, Stage, StageName } from '../role/role.js';
import type { Session } from '../transport/session.js';
import { ApplyChannel } from './apply-channel.js';
import type { RunContext } from './context.js';
import { Semaphore } from '../concurrency/semaphore.js';

/** How a host's stages ended. */
export interface Outcome {
  /** What stopped them. */
  readonly failure?: Failure;
  /** Changes that were not begun because something they need is not there. */
  readonly skipped: number;
}

/** One host's part in a pass. */
export interface Work {
  readonly plan: Plan;
  readonly session: Session;
}

/**
 * Makes the changes of all plans, each host stage by stage. A stage waits only for the stages that its
 * role names, on the hosts that change them in this pass or could not be reached; nothing else waits.
 * @param lost hosts that this run chose but cannot change, and why: what needs them is skipped
 * @param rolling which hosts restart their database server, in turn, and which do not
 * @returns by host name
 */
export async function applyPlans(
  context: RunContext,
  works: readonly Work[],
  lost: ReadonlyMap<string, string>,
  rolling: Restarts,
): Promise<ReadonlyMap<string, Outcome>> {
  const schedule = new Schedule(context, works, lost, rolling);
  const room = new Semaphore(context.options.concurrency);
  const outcomes = await Promise.all(
    works.map(async (work): Promise<[string, Outcome]> => {
      return [work.plan.host, await schedule.workOn(work, room)];
    }),
  );
  return new Map(outcomes);
}

/** The turns of the stage `restart`. */
export type Restarts = Pick<Rolling, 'order' | 'held'>;

/** A promise to wait on: why the stage did not come about, or undefined when it did. */
class Milestone {
  readonly reached: Promise<string | undefined>;
  settle: (why?: string) => void = () => undefined;
  settled = false;

  constructor() {
    this.reached = new Promise((resolve) => {
      this.settle = (why): void => {
        this.settled = true;
        resolve(why);
      };
    });
  }
}

/** What a stage may wait for on another host. */
type Needed = StageName | 'restart';

class Schedule {
  readonly #context: RunContext;
  readonly #lost: ReadonlyMap<string, string>;
  readonly #rolling: Restarts;
  readonly #milestones = new Map<string, Milestone>();
  readonly #serial = new Map<Stage, Semaphore>();
  /** The first host of a pool that failed while it restarted. */
  readonly #stuck = new Map<Stage, string>();
  readonly #roles: ReadonlyMap<Stage, RoleDefinition>;

  constructor(
    context: RunContext,
    works: readonly Work[],
    lost: ReadonlyMap<string, string>,
    rolling: Restarts,
  ) {
    this.#context = context;
    this.#lost = lost;
    this.#rolling = rolling;
    this.#roles = new Map(context.roles.map((role) => [role.name, role]));
    for (const { plan } of works) {
      for (const { stage } of plan.stages)
        this.#milestones.set(`${plan.host} ${stage}`, new Milestone());
    }
    for (const role of context.roles) {
      if (role.serial !== undefined) this.#serial.set(role.name, new Semaphore(role.serial));
    }
  }

  async workOn({ plan, session }: Work, room: Semaphore): Promise<Outcome> {
    const { runner, kinds, emit, options } = this.#context;
    const channel = new ApplyChannel(session, runner, kinds, emit, options.connect.signal);
    const stop = (): void =>
      void channel.stop().catch((e: unknown) => this.#cannotStop(plan.host, e));
    options.stop.addEventListener('abort', stop, { once: true });
    let skipped = 0;
    try {
      await channel.open();
      for (const planned of plan.stages) {
        const why = await this.#wait(plan.host, planned.stage);
        if (why !== undefined) {
          this.#skip(plan.host, planned.stage, why);
          skipped += planned.changes.length;
          continue;
        }
        if (options.stop.aborted) throw interrupted(plan.host);
        const { stage, changes } = planned;
        emit({ type: 'stage-started', host: plan.host, stage, resources: changes.length });
        await this.#inTurn(plan.host, planned, () => room.hold(() => channel.run(planned)));
        this.#milestones.get(`${plan.host} ${stage}`)?.settle();
      }
      return { skipped };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      emit({ type: 'host-failed', host: plan.host, failure: error });
      return { failure: error, skipped };
    } finally {
      options.stop.removeEventListener('abort', stop);
      for (const { stage } of plan.stages) {
        this.#milestones.get(`${plan.host} ${stage}`)?.settle(`${plan.host} failed`);
      }
      await channel.close();
    }
  }

  /**
   * Waits for what a stage needs of other hosts. A role that its own host has it needs of no other: stages
   * of one host are made in order. Of a role's hosts one that is well is enough: the rest of a pool that
   * could not be reached, or failed, keeps nobody from being served. A restart needs all those before it.
   * @returns why it will not come, if so
   */
  async #wait(host: string, stage: Stage): Promise<string | undefined> {
    const needs = this.#needs(host, stage);
    const open = [...needs]
      .flatMap(([name, others]) => others.map((other) => ({ name, other })))
      .filter(({ name, other }) => this.#milestones.get(`${other} ${name}`)?.settled === false);
    if (open.length > 0) {
      const names = open.map(({ name, other }) => `${name} on ${other}`);
      this.#context.emit({ type: 'stage-waiting', host, stage, for: names });
    }
    for (const [name, others] of needs) {
      const reasons = await Promise.all(others.map((other) => this.#missing(name, other)));
      const missing = reasons.filter((why) => why !== undefined);
      const enough = name === 'restart' ? missing.length === 0 : missing.length < reasons.length;
      if (!enough) return missing[0];
    }
    return undefined;
  }

  /** The hosts that a stage needs, by role. */
  #needs(host: string, stage: Stage): ReadonlyMap<Needed, readonly string[]> {
    const { cluster } = this.#context;
    const { order, held } = this.#rolling;
    if (stage === 'restart') return new Map([['restart', order.slice(0, order.indexOf(host))]]);
    const after = (this.#roles.get(stage)?.after ?? []).map((name): [Needed, readonly string[]] => {
      if (name === 'restart') return [name, [...held.keys(), ...order]];
      const on = cluster.hosts.filter((h) => this.#roles.get(name)?.on(h, cluster) === true);
      return [name, on.map((h) => h.name)];
    });
    return new Map(after.filter(([, names]) => names.length > 0 && !names.includes(host)));
  }

  /** Waits for one role on one host. @returns why it is not there, if so */
  async #missing(name: Needed, other: string): Promise<string | undefined> {
    const held = name === 'restart' ? this.#rolling.held.get(other) : undefined;
    if (held !== undefined) return `it needs restart on ${other}: ${whyHeld(held)}`;
    const lost = this.#lost.get(other);
    if (lost !== undefined) return `it needs ${name} on ${other}, which ${lost}`;
    const why = await this.#milestones.get(`${other} ${name}`)?.reached;
    return why === undefined ? undefined : `it needs ${name} on ${other}: ${why}`;
  }

  /**
   * Holds a stage back that restarts something running, so that its pool restarts a few at a time, and
   * not at all after one of the pool did not come back.
   */
  async #inTurn(host: string, planned: PlannedStage, work: () => Promise<void>): Promise<void> {
    const { stage } = planned;
    const turn = this.#serial.get(stage);
    if (turn === undefined || !restartsRunningUnit(planned)) return work();
    await turn.hold(async () => {
      const first = this.#stuck.get(stage);
      if (first !== undefined) throw heldBack(host, stage, first);
      try {
        await work();
      } catch (error) {
        this.#stuck.set(stage, host);
        throw error;
      }
    });
  }

  #skip(host: string, stage: Stage, why: string): void {
    this.#milestones.get(`${host} ${stage}`)?.settle(why);
    this.#context.emit({ type: 'stage-skipped', host, stage, why });
  }

  #cannotStop(host: string, error: unknown): void {
    this.#context.emit({
      type: 'resource-output',
      host,
      key: 'run:stop',
      line: `could not be told to stop: ${String(error)}`,
    });
  }
}

function restartsRunningUnit(planned: PlannedStage): boolean {
  return planned.changes.some(
    (change) =>
      change.resource.kind === 'unit' && change.differences.some((d) => d.field === 'restart'),
  );
}

function interrupted(host: string): Failure {
  return new Failure({
    reason: 'interrupted',
    host,
    message: 'stopped before its next stage, as asked',
    remedy: 'run apply again: it goes on where this stopped',
  });
}

function heldBack(host: string, stage: Stage, first: string): Failure {
  return new Failure({
    reason: 'not-converged',
    host,
    resource: stage,
    message: `was left as it is: ${first} did not come back from the same change`,
    expected: `${stage} healthy on ${first}`,
    found: `${first} failed`,
    remedy: `mend ${first} first, then run apply again`,
  });
}
