import { describe, expect, it } from 'vitest';
import { breakAndHeal } from '../../../playbooks/failover-test/attempt.js';
import { SCENARIOS } from '../../../playbooks/failover-test/scenarios/index.js';
import type { Trial } from '../../../playbooks/failover-test/trial.js';

/** A scenario on a cluster that serves everybody, or not; and what was done. */
async function run(served: boolean): Promise<readonly string[]> {
  const done: string[] = [];
  const did = (what: string) => (): Promise<void> => {
    done.push(what);
    return Promise.resolve();
  };
  const trial = {
    ...{ cluster: { failoverTest: { rto: 60 } }, wait: did('wait'), heal: did('heal') },
    untilServed: () => Promise.resolve(served),
  } as unknown as Trial;
  const [scenario] = SCENARIOS;
  if (scenario === undefined) throw new Error('there are scenarios');
  const { checks } = await breakAndHeal(trial, { ...scenario, run: did('break') });
  return [...done, ...checks.map(({ id, found = '' }) => `${id}: ${found.split('\n')[0] ?? ''}`)];
}

describe('what is broken', () => {
  it('is broken and healed where everybody is served before', async () => {
    expect(await run(true)).toEqual(['wait', 'break', 'wait', 'heal']);
  });

  it('is left alone where somebody still waits: the fault would be blamed for it', async () => {
    expect(await run(false)).toEqual([
      'heal',
      'scenario.steps: nothing was broken: not everybody was served before',
    ]);
  });
});
