import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../../src/failover-test/check.js';
import type { Write } from '../../src/failover-test/ledger.js';
import type { Mark } from '../../src/failover-test/report.js';
import type { Scenario } from '../../src/failover-test/scenario.js';
import type { Cluster, Host } from '../../src/inventory/cluster.js';
import type { OdooUsers } from '../../src/load/odoo-users.js';
import type { Writers } from '../../src/load/writers.js';
import type { ConnectOptions } from '../../src/transport/session.js';
import { breakHost, healHost } from './armed.js';
import type { Fault } from './fault.js';
import type { Hosts } from './hosts.js';
import { MACHINE_FAULTS, type MachineFault, type Machines } from './machines.js';
import type { Moves } from './moves.js';

/** A scenario that can be run. */
export interface RunnableScenario extends Scenario {
  /** What a host lacks for it; asked right before it is run. */
  readonly hostLacks?: (
    trial: Pick<Trial, 'cluster' | 'hosts' | 'primary' | 'scratch'>,
  ) => Promise<string | undefined>;
  /** Breaks and heals. The clients write meanwhile. */
  readonly run: (trial: Trial) => Promise<void>;
}

export interface TrialOptions {
  /** The cluster as it really is. */
  readonly cluster: Cluster;
  readonly primary: Host;
  readonly hosts: Hosts;
  readonly moves: Moves;
  readonly connect: ConnectOptions;
  /** The host for copies that was given with `--on`. */
  readonly scratch: string | undefined;
  /** Undefined where nobody stands beside the hosts. */
  readonly machines: Machines | undefined;
  readonly writers: Writers;
  /** Undefined where Odoo is not part of the test. */
  readonly users: OdooUsers | undefined;
  readonly now: () => number;
  readonly onMark: (mark: Mark) => void;
  /** Ctrl-C. */
  readonly stop: AbortSignal;
}

/** What is looked at when the load has ended. @param writes of all clients */
type Proof = (writes: readonly Write[]) => Promise<void>;

/** Seconds for which clients write before a fault, and after it. */
const CALM_SECONDS = 3;

/** One scenario while it runs: what it may do to the cluster, and the record of what it did. */
export class Trial {
  readonly cluster: Cluster;
  readonly primary: Host;
  readonly hosts: Hosts;
  readonly moves: Moves;
  readonly scratch: string | undefined;
  /** For connections of their own, which end at Ctrl-C. */
  readonly connect: ConnectOptions;
  readonly marks: Mark[] = [];
  readonly checks: Check[] = [];
  readonly #options: TrialOptions;
  readonly #open: { readonly host: Host; readonly heal: () => Promise<void> }[] = [];
  readonly #proofs: Proof[] = [];
  #cutOver: number | undefined;
  #brokenFrom: number | undefined;
  #brokenUntil: number | undefined;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.cluster = options.cluster;
    this.primary = options.primary;
    this.hosts = options.hosts;
    this.moves = options.moves;
    this.scratch = options.scratch;
    this.connect = { ...options.connect, signal: options.stop };
  }

  /** Records that something happens now. */
  mark(kind: Mark['kind'], host: string, text: string): void {
    const mark = { at: this.#options.now(), kind, host, text };
    this.marks.push(mark);
    this.#options.onMark(mark);
  }

  /** When clients were let through to a promoted primary for the first time. */
  get cutOver(): number | undefined {
    return this.#cutOver;
  }

  /** From when the first fault was there until it began to be healed; undefined where none was, or it was not healed. */
  get broken(): { readonly from: number; readonly until: number } | undefined {
    const [from, until] = [this.#brokenFrom, this.#brokenUntil];
    return from === undefined || until === undefined ? undefined : { from, until };
  }

  /** Records that from now on clients must be led to a primary. */
  readonly cutOverNow = (): void => {
    this.#cutOver ??= this.#options.now();
  };

  /** Records an assertion of the scenario's own. */
  check(check: Check): void {
    this.checks.push(check);
  }

  /** Puts off what needs the whole ledger until the load has ended. */
  afterLoad(proof: Proof): void {
    this.#proofs.push(proof);
  }

  /** Does what was put off. @throws AbortError at Ctrl-C */
  async prove(writes: readonly Write[]): Promise<void> {
    for (const proof of this.#proofs) {
      this.#options.stop.throwIfAborted();
      await proof(writes);
    }
  }

  /** Breaks something; it is healed by {@link heal}, at the latest when the scenario ends. */
  async fault(fault: Fault): Promise<void> {
    this.#options.stop.throwIfAborted();
    this.#open.push({ host: fault.host, heal: () => healHost(this.hosts, fault) });
    this.mark('fault', fault.host.name, fault.text);
    await breakHost(this.hosts, fault);
    this.#brokenFrom ??= this.#options.now();
  }

  /** The same to a whole machine, from outside. */
  async machineFault(host: Host, fault: MachineFault): Promise<void> {
    const { machines, stop } = this.#options;
    stop.throwIfAborted();
    if (machines === undefined) throw new Error('nobody stands beside the hosts');
    const heal = async (): Promise<void> => {
      await machines.healMachine(host);
      await this.hosts.reconnect(host);
    };
    this.#open.push({ host, heal });
    this.mark('fault', host.name, MACHINE_FAULTS[fault]);
    await machines.breakMachine(host, fault);
    this.#brokenFrom ??= this.#options.now();
  }

  /** Heals what is broken, the last first. */
  async heal(): Promise<void> {
    this.#brokenUntil ??= this.#options.now();
    for (let fault = this.#open.at(-1); fault !== undefined; fault = this.#open.at(-1)) {
      await fault.heal();
      this.#open.pop();
      this.mark('heal', fault.host.name, 'healed');
    }
  }

  /** Lets clients write for a while. @throws AbortError at Ctrl-C */
  async wait(seconds = CALM_SECONDS): Promise<void> {
    await sleep(seconds * 1000, undefined, { signal: this.#options.stop });
  }

  /** Waits until it is so. @returns whether it became so in time */
  async until(seconds: number, holds: () => Promise<boolean> | boolean): Promise<boolean> {
    const end = this.#options.now() + seconds * 1000;
    for (;;) {
      if (await holds()) return true;
      if (this.#options.now() >= end) return false;
      await sleep(200, undefined, { signal: this.#options.stop });
    }
  }

  /** Waits until every client writes, and every user is answered, again. */
  async untilServed(seconds: number): Promise<boolean> {
    const { now, writers, users } = this.#options;
    const from = now();
    return this.until(
      seconds,
      () => writers.allWroteSince(from) && users?.allServedSince(from) !== false,
    );
  }
}
