import { postgresKilled } from '../fault.js';
import type { RunnableScenario } from '../trial.js';

/** The primary's PostgreSQL dies. systemd starts it again, and it recovers from its own WAL. */
export const primaryKilled: RunnableScenario = {
  name: 'primary-killed',
  title: 'PostgreSQL on the primary is killed, and starts again by itself',
  onRequest: false,
  recoversFrom: 'fault',
  promotions: 0,
  lacks: () => undefined,
  expects: () => ({
    kind: 'outage',
    why: 'one server takes the writes, and it restarts; nothing is promoted by itself',
  }),
  run: async (trial) => {
    await trial.fault(postgresKilled(trial.primary, 'primary-killed'));
    // By itself: healing is only for what did not come back.
    await trial.untilServed(trial.cluster.failoverTest.rto);
    await trial.heal();
  },
};
