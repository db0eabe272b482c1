import type { Cluster } from '../inventory/cluster.js';

/** Names of the scenarios, as operators write them. */
export type ScenarioName =
  | 'pgbouncer-down'
  | 'standby-down'
  | 'replica-down'
  | 'primary-killed'
  | 'primary-frozen'
  | 'primary-cut-off'
  | 'switchover'
  | 'archive-unreachable'
  | 'app-down'
  | 'cron-down'
  | 'gevent-down'
  | 'edge-down'
  | 'redis-down'
  | 'filestore-down'
  | 'rolling-restart'
  | 'host-reset'
  | 'host-frozen'
  | 'cable-cut'
  | 'power-cut'
  | 'point-in-time-recovery';

/** What an operator has beside the inventory. */
export interface Means {
  /** The host for copies, given with `--on`. */
  readonly scratch?: string | undefined;
  /** Whether machines can be broken from outside: those of a lab can. */
  readonly machines?: boolean;
}

/** What a cluster can be expected to do, from its topology alone. */
export interface Expectation {
  /**
   * `survives`: writes, or users, go on, at most `gap` seconds late. `outage`: they stop, and go on by themselves, or
   * when the host is back.
   */
  readonly kind: 'survives' | 'outage';
  /** One sentence: which part of the topology makes it so. */
  readonly why: string;
}

/** The fault itself, or its end where only the host's return can end the outage. */
export type RecoveryStart = 'fault' | 'heal';

/** What is known of a scenario without contacting anyone. */
export interface Scenario {
  readonly name: ScenarioName;
  /** One line: what is broken. */
  readonly title: string;
  /** Only when it is named: it may lose data, resets a machine, or copies the whole database. */
  readonly onRequest: boolean;
  /** From when on the recovery is measured: the fault, or the moment at which it is healed; some topologies need that. */
  readonly recoversFrom: RecoveryStart | ((cluster: Cluster) => RecoveryStart);
  /** What was acknowledged in the last moments may be lost where replication is asynchronous, within the RPO. */
  readonly mayLose?: true;
  /** By how much the timeline goes up: once for each promotion. */
  readonly promotions: number;
  /** What the inventory, or the operator, lacks for it; undefined when it can be run. */
  readonly lacks: (cluster: Cluster, means: Means) => string | undefined;
  /** For the whole: an outage of writers or of users is one. */
  readonly expects: (cluster: Cluster) => Expectation;
  /** For the writers alone, where it is not the same. */
  readonly expectsWrites?: (cluster: Cluster) => Expectation;
  /** Whether no write can be confirmed while it is broken. One that is was confirmed by a promise that nobody keeps. */
  readonly holdsWrites?: (cluster: Cluster) => boolean;
  /** For Odoo's users alone, where it is not the same. */
  readonly expectsUsers?: (cluster: Cluster) => Expectation;
  /** How many requests of users may fail, where it is not what the inventory says. */
  readonly failedRequests?: number;
  /** It is about Odoo: nothing to test where there is none. */
  readonly needsOdoo?: true;
}
