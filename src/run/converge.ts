import { randomBytes } from 'node:crypto';
import { finishAll } from '../concurrency/finish-all.js';
import { Failure } from '../failure/failure.js';
import { databaseHosts, type Host } from '../inventory/cluster.js';
import { changesOf, type Plan } from '../plan/diff.js';
import { inTurn, whyHeld, type Held, type Members } from '../plan/rolling.js';
import type { Session } from '../transport/session.js';
import type { RunContext } from './context.js';
import type { RunEvent, RunRecap } from './event.js';
import {
  guardCreation,
  guardRestore,
  guardSecrets,
  guardTopology,
  mustBeTakenBack,
  mustRejoin,
  remember,
} from './guard.js';
import { Look } from './look.js';
import { notConverged, splitPlan } from './not-converged.js';
import { primaryAway } from './primary-away.js';
import { notRestarted, waitsFor } from './restarts.js';
import { applyPlans, type Restarts } from './schedule.js';
import { Semaphore } from '../concurrency/semaphore.js';
import { Tallies } from './tally.js';

/** Looks, changes, looks again: more often than this is not convergence. */
const MAX_PASSES = 3;

/** What a run leaves: the recap, and the open sessions for those who go on with them: they close them. */
export interface Converged {
  readonly recap: RunRecap;
  readonly sessions: ReadonlyMap<string, Session>;
}

/** Ends all connections of a run: without it the program would not end either. */
export async function closeSessions(sessions: ReadonlyMap<string, Session>): Promise<void> {
  await Promise.all([...sessions.values()].map((session) => session.close()));
}

/**
 * Brings the chosen hosts to what their roles say. Every host is asked once, over one connection; where
 * nothing differs, that was all.
 * @throws Failure refused, before anything was changed
 */
export async function converge(context: RunContext): Promise<Converged> {
  return new Run(context).go();
}

class Run {
  readonly #context: RunContext;
  readonly #look: Look;
  readonly #sessions = new Map<string, Session>();
  readonly #tallies: Tallies;
  /** Restarts of database servers: whose turn it is, and which are not made. By the last look. */
  #restarts: Restarts = { order: [], held: new Map() };

  constructor(context: RunContext) {
    const emit = (event: RunEvent): void => {
      if (event.type === 'resource-changed') this.#tallies.of(event.host).changed += 1;
      context.emit(event);
    };
    this.#tallies = new Tallies(context.options.hosts, emit);
    this.#context = { ...context, emit };
    this.#look = new Look(context, randomBytes(8).toString('hex'));
  }

  async go(): Promise<Converged> {
    try {
      return await this.#converge();
    } catch (error) {
      await closeSessions(this.#sessions);
      throw error;
    }
  }

  async #converge(): Promise<Converged> {
    const { emit, options, cluster } = this.#context;
    const hosts = options.hosts.map((h) => h.name);
    emit({ type: 'run-started', cluster: cluster.name, hosts, check: options.check });
    await this.#lookAtAll();
    guardSecrets(this.#context, this.#look.seen);
    const { primary, formerPrimaries } = this.#look.topology();
    guardRestore(this.#look.seen);
    const silent = databaseHosts(cluster).filter(({ name }) => !this.#look.seen.has(name));
    guardTopology(
      this.#look.topology(),
      silent.map(({ name }) => name),
    );
    const stranded = this.#look.stranded();
    for (const { name } of options.hosts) {
      if (formerPrimaries.includes(name)) this.#tallies.fail(name, mustRejoin(name, primary));
      const why = stranded.get(name);
      if (why !== undefined) this.#tallies.fail(name, mustBeTakenBack(name, primary, why));
    }
    for (let pass = 1; ; pass += 1) {
      const plans = this.#plan(pass);
      if (options.diff && pass === 1) await this.#tellDiffs(plans);
      const ours = plans.map((plan) => this.#ours(plan)).filter((p) => changesOf(p).length > 0);
      if (options.check || ours.length === 0) break;
      if (pass > MAX_PASSES) {
        ours.forEach((plan) => this.#tallies.fail(plan.host, notConverged(plan, MAX_PASSES)));
        break;
      }
      await this.#context.saveSecrets();
      await this.#apply(ours);
      await this.#lookAgain(ours);
    }
    if (!options.check) this.#restarts.held.forEach((held, host) => this.#leave(host, held));
    const silences = silent.map(({ name }) => [name, this.#tallies.of(name).failure] as const);
    const remembered = this.#context.state.postgres?.primary;
    const away = primaryAway(this.#look.topology(), remembered, new Map(silences));
    const recap = this.#tallies.recap(this.#sessions);
    const told = away === undefined ? recap : { ...recap, primaryAway: away };
    return { recap: told, sessions: this.#sessions };
  }

  /** The chosen hosts, all database hosts, and those whose facts the others are sized by. */
  #toAsk(): readonly Host[] {
    const { cluster, options, state } = this.#context;
    const chosen = new Set([...options.hosts, ...databaseHosts(cluster)]);
    return cluster.hosts.filter((h) => chosen.has(h) || state.facts[h.name] === undefined);
  }

  async #lookAtAll(): Promise<void> {
    const room = new Semaphore(this.#context.options.concurrency);
    const hosts = this.#toAsk();
    // All of them, also when one fails: a connection that comes up later would be closed by nobody.
    await finishAll(hosts.map((host) => room.hold(() => this.#lookAt(host))));
    // The first question was worded by what was assumed of the hosts; where that was wrong, ask the rest.
    await finishAll(
      [...this.#sessions.values()].map((session) =>
        room.hold(() => this.#guarded(session.host, () => this.#look.complete(session))),
      ),
    );
  }

  async #lookAt(host: Host): Promise<void> {
    const { connector, emit, options } = this.#context;
    const tally = this.#tallies.of(host.name);
    emit({ type: 'host-connecting', host: host.name });
    await this.#guarded(host, async () => {
      const began = Date.now();
      const session = await connector.connect(host, options.connect);
      tally.milliseconds.connect = Date.now() - began;
      this.#sessions.set(host.name, session);
      await this.#ask(session, 1);
    });
  }

  async #ask(session: Session, pass: number): Promise<void> {
    const began = Date.now();
    await this.#look.ask(session);
    const milliseconds = Date.now() - began;
    this.#tallies.of(session.host.name).milliseconds.probe += milliseconds;
    const { host } = session;
    const resources = this.#look.count(host);
    this.#context.emit({ type: 'host-probed', host: host.name, pass, resources, milliseconds });
  }

  /** @returns the plans that have something to do, of the hosts that are not done with */
  #plan(pass: number): readonly Plan[] {
    const { options, emit } = this.#context;
    let odooIsThere = false;
    const rolling = inTurn(this.#members(), this.#context.kinds);
    this.#restarts = rolling;
    const plans = this.#reached().map((host) => {
      const { plan, leftOver, odoo } = this.#look.plan(host);
      const parted = rolling.plans.find((other) => other.host === host.name) ?? plan;
      const held = options.check ? rolling.held.get(host.name) : undefined;
      odooIsThere ||= odoo;
      const tally = this.#tallies.of(host.name);
      const changes = changesOf(options.check ? plan : parted);
      tally.ok = plan.ok;
      if (!tally.settled) {
        if (options.check) tally.changed = changes.length;
        emit({
          type: 'host-planned',
          host: host.name,
          pass,
          changes,
          skipped: plan.skipped,
          leftOver,
          ...(held === undefined ? {} : { waits: waitsFor(held) }),
        });
      }
      return parted;
    });
    const open = plans.filter((p) => changesOf(p).length > 0 && !this.#tallies.of(p.host).settled);
    this.#context.saveState(
      remember(this.#context, this.#look.seen, this.#look.topology(), odooIsThere),
    );
    guardCreation(this.#context, open, this.#look.seen);
    return open;
  }

  /** The database hosts, chosen or not: what one may do hangs on what the others have. */
  #members(): Members {
    const { options } = this.#context;
    const chosen = new Set(options.hosts.map(({ name }) => name));
    const cluster = this.#look.cluster();
    const all = databaseHosts(cluster);
    const there = all.filter(({ name }) => this.#look.seen.has(name));
    return {
      hosts: there.map((host) => ({
        plan: this.#look.plan(host).plan,
        available: chosen.has(host.name) && !this.#tallies.of(host.name).settled,
      })),
      silent: all.filter((host) => !there.includes(host)).map(({ name }) => name),
      primary: this.#look.topology().primary,
      consent: options.restartPrimary,
    };
  }

  /** What of a plan is ours to change. What to do for the rest is told when nothing else is left to be done. */
  #ours(plan: Plan): Plan {
    const { kinds, options } = this.#context;
    const { ours, others } = splitPlan(plan, kinds);
    if (others !== undefined && (options.check || changesOf(ours).length === 0)) {
      this.#tallies.fail(plan.host, others);
    }
    return ours;
  }

  /** A restart that this run did not make: those who wait for another's are only counted. */
  #leave(host: string, held: Held): void {
    const { cluster, emit, options } = this.#context;
    if (!options.hosts.some(({ name }) => name === host)) return;
    if (held.why !== 'primary' || !held.hosts.some((first) => this.#restarts.held.has(first))) {
      const failures = held.hosts
        .flatMap((name) => this.#tallies.of(name).failure ?? [])
        .filter(({ reason }) => reason !== 'interrupted');
      this.#tallies.fail(host, notRestarted(host, held, cluster, failures));
      return;
    }
    this.#tallies.of(host).skipped += 1;
    emit({ type: 'stage-skipped', host, stage: 'restart', why: whyHeld(held) });
  }

  async #tellDiffs(plans: readonly Plan[]): Promise<void> {
    // Loaded when it is wanted: a run without --diff starts sooner.
    const { tellFileDiffs } = await import('./file-diff.js');
    for (const plan of plans) {
      const session = this.#sessions.get(plan.host);
      if (session !== undefined) await tellFileDiffs(session, plan, this.#context.emit);
    }
  }

  async #apply(plans: readonly Plan[]): Promise<void> {
    const works = plans.flatMap((plan) => {
      const session = this.#sessions.get(plan.host);
      return session === undefined ? [] : [{ plan, session }];
    });
    const lost = new Map<string, string>();
    for (const host of this.#context.options.hosts) {
      const { failure } = this.#tallies.of(host.name);
      if (failure !== undefined) lost.set(host.name, `failed: ${failure.message}`);
    }
    const began = Date.now();
    const outcomes = await applyPlans(
      { ...this.#context, cluster: this.#look.cluster() },
      works,
      lost,
      this.#restarts,
    );
    for (const [name, outcome] of outcomes) {
      const tally = this.#tallies.of(name);
      tally.milliseconds.apply += Date.now() - began;
      tally.skipped += outcome.skipped;
      tally.settled = outcome.failure !== undefined || outcome.skipped > 0;
      tally.failure ??= outcome.failure;
    }
  }

  async #lookAgain(plans: readonly Plan[]): Promise<void> {
    await Promise.all(
      plans.map(async ({ host: name }) => {
        const session = this.#sessions.get(name);
        if (session !== undefined) await this.#guarded(session.host, () => this.#ask(session, 2));
      }),
    );
  }

  /** The chosen hosts that answered. */
  #reached(): readonly Host[] {
    return this.#context.options.hosts.filter((host) => this.#look.seen.has(host.name));
  }

  async #guarded(host: Host, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#tallies.fail(host.name, error);
    }
  }
}
