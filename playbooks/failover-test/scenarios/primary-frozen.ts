import { postgresFrozen } from '../fault.js';
import type { RunnableScenario } from '../trial.js';

const FROZEN_SECONDS = 8;

/** The primary's PostgreSQL stands still for a while, as when its disk does. */
export const primaryFrozen: RunnableScenario = {
  name: 'primary-frozen',
  title: 'PostgreSQL on the primary stands still, and goes on',
  onRequest: false,
  recoversFrom: 'heal',
  promotions: 0,
  lacks: () => undefined,
  expects: () => ({ kind: 'outage', why: 'one server takes the writes, and it does not answer' }),
  holdsWrites: () => true,
  run: async (trial) => {
    await trial.fault(postgresFrozen(trial.primary, 'primary-frozen'));
    await trial.wait(FROZEN_SECONDS);
    await trial.heal();
  },
};
