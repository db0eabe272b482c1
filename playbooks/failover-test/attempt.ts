import type { Check } from '../../src/failover-test/check.js';
import { Failure } from '../../src/failure/failure.js';
import type { RunnableScenario, Trial } from './trial.js';

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

/** The scenario itself, with calm before and after it. Heals whatever happens. */
export async function breakAndHeal(trial: Trial, scenario: RunnableScenario): Promise<Attempted> {
  const broken = await attempt(async () => {
    await trial.untilServed(20);
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
