import { hostsWith } from '../../../src/inventory/cluster.js';
import { postgresStopped } from '../fault.js';
import type { RunnableScenario } from '../trial.js';

const DOWN_SECONDS = 8;

/** A replica for reading stops. Nobody waits for it. */
export const replicaDown: RunnableScenario = {
  name: 'replica-down',
  title: 'PostgreSQL on a replica is stopped, and started again',
  onRequest: false,
  recoversFrom: 'heal',
  promotions: 0,
  lacks: (cluster) =>
    hostsWith(cluster, 'pg-replica').length === 0 ? 'no host has the role pg-replica' : undefined,
  expects: () => ({ kind: 'survives', why: 'no commit waits for a replica' }),
  run: async (trial) => {
    const [host] = hostsWith(trial.cluster, 'pg-replica');
    if (host === undefined) throw new Error('there is no replica');
    await trial.fault(postgresStopped(host, 'replica-down'));
    await trial.wait(DOWN_SECONDS);
    await trial.heal();
  },
};
