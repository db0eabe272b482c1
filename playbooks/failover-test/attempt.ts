import type { Check } from '../../src/failover-test/check.js';
import { Failure } from '../../src/failure/failure.js';
import type { RunnableScenario, Trial } from './trial.js';

/** Seconds for users to log in and to be answered. Broken sooner, the fault would be blamed for how slow that was. */
const SERVED_SECONDS = 60;

/** What came of steps: nothing, Ctrl-C, or failed assertions. */
export interface Attempted {
  readonly interrupted: boolean;
  readonly checks: readonly Check[];
}

/** Does something; what goes wrong in it is a failed assertion. */
export async function attempt(work: () => Promise<void>): Promise<Attempted> {
  try {
    await work();
    return { interrupted: false, checks: [] };
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') {
      return { interrupted: true, checks: [] };
    }
    if (!(error instanceof Failure)) throw error;
    if (error.reason === 'interrupted') return { interrupted: true, checks: [] };
    return { interrupted: false, checks: [stepFailed(error)] };
  }
}

/** Does something, and gives what went wrong with it. */
export async function failureOf(work: () => Promise<void>): Promise<Failure | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** The scenario itself, with calm before and after it. Heals whatever happens. */
export async function breakAndHeal(trial: Trial, scenario: RunnableScenario): Promise<Attempted> {
  const broken = await attempt(async () => {
    if (!(await trial.untilServed(SERVED_SECONDS))) throw notServed();
    await trial.wait();
    await scenario.run(trial);
    await trial.untilServed(trial.cluster.failoverTest.rto);
    await trial.wait();
  });
  // Also after a failure and after Ctrl-C; what cannot be healed here heals by the host's own timer.
  const healed = await attempt(() => trial.heal());
  return {
    interrupted: broken.interrupted || healed.interrupted,
    checks: [...broken.checks, ...healed.checks],
  };
}

function notServed(): Failure {
  return new Failure({
    reason: 'not-converged',
    message: 'nothing was broken: not everybody was served before',
    expected: `every client writes, and every user is answered and has a websocket, within ${SERVED_SECONDS} s`,
    found: `after ${SERVED_SECONDS} s somebody was still waiting`,
    remedy:
      'what users were told is in the report; where nothing is wrong with the cluster, it or this machine is too busy: run the scenario again later',
  });
}

function stepFailed({ details }: Failure): Check {
  return {
    id: 'scenario.steps',
    ok: false,
    text: 'every step of the scenario could be done',
    found: [
      [details.host, details.message].filter((part) => part !== undefined).join(': '),
      ...[details.found, details.output?.trim()].filter(
        (part): part is string => part !== undefined && part !== '',
      ),
    ].join('\n'),
    next: details.remedy,
  };
}
