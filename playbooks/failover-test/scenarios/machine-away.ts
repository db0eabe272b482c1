import type { ScenarioName } from '../../../src/failover-test/scenario.js';
import type { MachineFault } from '../machines.js';
import type { RunnableScenario } from '../trial.js';

/** Why machines are not broken from outside. */
export const ONLY_IN_A_LAB = 'needs somebody beside the machine: only in a lab of this machine';

/** Seconds for which it is away. */
const AWAY_SECONDS = 8;

/** The primary's whole machine is away for a while, and back as it was; nobody takes over meanwhile. */
export function machineAway(
  name: ScenarioName,
  title: string,
  fault: MachineFault,
): RunnableScenario {
  return {
    ...{ name, title, onRequest: true, recoversFrom: 'heal', promotions: 0 },
    lacks: (_, { machines }) => (machines === true ? undefined : ONLY_IN_A_LAB),
    expects: () => ({ kind: 'outage', why: 'one server takes the writes, and it does not answer' }),
    holdsWrites: () => true,
    run: async (trial) => {
      await trial.machineFault(trial.primary, fault);
      await trial.wait(AWAY_SECONDS);
      await trial.heal();
    },
  };
}
