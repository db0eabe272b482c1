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
  | 'archive-unreachable';

/** What a cluster can be expected to do, from its topology alone. */
export interface Expectation {
  /**
   * `survives`: writes go on, at most {@link SURVIVES_SECONDS} late. `outage`: they stop, and go on by
   * themselves, or when the host is back.
   */
  readonly kind: 'survives' | 'outage';
  /** One sentence: which part of the topology makes it so. */
  readonly why: string;
}

/** What is known of a scenario without contacting anyone. */
export interface Scenario {
  readonly name: ScenarioName;
  /** One line: what is broken. */
  readonly title: string;
  /** Only when it is named: it may lose data where replication is asynchronous. */
  readonly onRequest: boolean;
  /** From when on the recovery is measured: the fault, or the moment at which it is healed. */
  readonly recoversFrom: 'fault' | 'heal';
  /** By how much the timeline goes up: once for each promotion. */
  readonly promotions: number;
  /** What the inventory lacks for it; undefined when it can be run. */
  readonly lacks: (cluster: Cluster) => string | undefined;
  readonly expects: (cluster: Cluster) => Expectation;
}

/**
 * Longest time, in seconds, for which a client of a cluster that survives may be without a successful write: a
 * new connection through another host, and what a person takes for a slow page rather than for an outage.
 */
export const SURVIVES_SECONDS = 5;
