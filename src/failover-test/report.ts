import type { Check } from './check.js';
import type { Gaps, Second } from './gaps.js';
import type { Limits } from './judge-writes.js';
import type { Loss } from './ledger.js';
import type { Expectation, ScenarioName } from './scenario.js';
import type { UserFigures } from './users.js';

/** Something that happened during a scenario. */
export interface Mark {
  /** Milliseconds since the scenario began. */
  readonly at: number;
  readonly kind: 'fault' | 'heal' | 'step';
  readonly host: string;
  readonly text: string;
}

/** What was counted and measured. */
export interface Figures {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly unknownStored: number;
  readonly lost: Loss;
  /** Milliseconds. */
  readonly gaps: Gaps;
  /** Errors that clients got, with how often. */
  readonly errors: Readonly<Record<string, number>>;
}

/** One scenario that was run. */
export interface ScenarioReport {
  readonly scenario: ScenarioName;
  readonly title: string;
  readonly expectation: Expectation;
  /** What is expected of Odoo's users alone, where it is not the same. */
  readonly usersExpectation?: Expectation;
  /** `survived` and `recovered` are passes: writes went on, or stopped and went on as expected. */
  readonly verdict: 'survived' | 'recovered' | 'failed' | 'interrupted';
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly milliseconds: number;
  readonly checks: readonly Check[];
  readonly figures: Figures | null;
  /** Null where Odoo is not part of the test. */
  readonly users: UserFigures | null;
  readonly marks: readonly Mark[];
  /** Writes of each second. */
  readonly series: readonly Second[];
  /** Requests of users of each second; empty where Odoo is not part of the test. */
  readonly requests: readonly Second[];
}

/** A scenario that was not run. */
export interface Skipped {
  readonly scenario: ScenarioName;
  readonly why: string;
  /** The one before it left the cluster so: nobody knows what this one would have done. */
  readonly unhealthy?: true;
}

/** A whole run. Fields are added, never renamed. */
export interface Report {
  readonly cluster: string;
  readonly version: string;
  readonly started: string;
  readonly ended: string;
  readonly limits: Limits;
  /** `off`, `on`, `remote_apply`. */
  readonly synchronous: string;
  readonly clients: number;
  /** Users of Odoo who work; with why there are none. */
  readonly users: number;
  readonly withoutOdoo?: string;
  readonly hosts: readonly { readonly host: string; readonly roles: readonly string[] }[];
  readonly verdict: 'passed' | 'failed' | 'interrupted';
  readonly scenarios: readonly ScenarioReport[];
  /** Scenarios that were not run, and why. */
  readonly skipped: readonly Skipped[];
  /** Who was primary at the beginning, and at the end; null if nobody was seen. */
  readonly primary: { readonly before: string; readonly now: string | null };
  /** What leads back to the primary that there was, in this order; empty where it is primary. */
  readonly wayBack: readonly string[];
  /** The cluster is as it was before. */
  readonly afterwards: readonly Check[];
}

/**
 * What a scenario's checks come to.
 * @param usersWaited by {@link haveWaited}: an outage that only the users were expected to have is no survival either
 */
export function verdictOf(
  checks: readonly Check[],
  expectation: Expectation,
  usersWaited: boolean,
): 'survived' | 'recovered' | 'failed' {
  if (checks.some(({ ok }) => !ok)) return 'failed';
  return expectation.kind === 'survives' && !usersWaited ? 'survived' : 'recovered';
}

/** Whether users felt more than they may where a cluster survives. */
export function haveWaited({ gaps, failed }: UserFigures, limits: Limits): boolean {
  return gaps.max > limits.gap * 1000 || failed > limits.failedRequests;
}

/** Why a run in which no scenario was run is no proof; undefined where one was. */
export function whyNothing({
  scenarios,
  verdict,
}: Pick<Report, 'scenarios' | 'verdict'>): string | undefined {
  return scenarios.length > 0 || verdict === 'interrupted'
    ? undefined
    : 'nothing was tested: every scenario that was chosen was skipped';
}

/**
 * What a run comes to.
 * @param stopped by Ctrl-C, also between two scenarios; what failed before that has failed
 */
export function verdictOfRun(
  { scenarios, skipped, afterwards }: Pick<Report, 'scenarios' | 'skipped' | 'afterwards'>,
  stopped: boolean,
): Report['verdict'] {
  if (scenarios.some(({ verdict }) => verdict === 'failed')) return 'failed';
  if (stopped) return 'interrupted';
  const failed =
    scenarios.length === 0 ||
    skipped.some(({ unhealthy }) => unhealthy === true) ||
    afterwards.some(({ ok }) => !ok);
  return failed ? 'failed' : 'passed';
}
