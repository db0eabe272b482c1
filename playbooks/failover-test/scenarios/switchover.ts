import { hostsWith } from '../../../src/inventory/cluster.js';
import type { RunnableScenario } from '../trial.js';
import { waitsForOldPrimary } from './one-standby.js';

/** The primary is moved to a standby, as for maintenance, and back. */
export const switchover: RunnableScenario = {
  name: 'switchover',
  title: 'the primary is moved to a standby, and back',
  onRequest: false,
  recoversFrom: 'fault',
  promotions: 2,
  lacks: (cluster) =>
    hostsWith(cluster, 'pg-standby').length === 0 ? 'no host has the role pg-standby' : undefined,
  expects: (cluster) => ({
    kind: 'outage',
    why: waitsForOldPrimary(cluster)
      ? 'writes wait while one server ends and the other begins, and then for the old one: commits need it as the only standby'
      : 'writes wait while one server ends and the other begins; transactions in flight fail',
  }),
  run: async (trial) => {
    const { primary, moves } = trial;
    const tell = (host: string, text: string): void => trial.mark('step', host, text);
    const [standby] = hostsWith(trial.cluster, 'pg-standby');
    trial.mark('fault', primary.name, `switchover to ${standby?.name ?? 'a standby'}`);
    await moves.switchover(standby?.name, tell, trial.cutOverNow);
    await trial.untilServed(trial.cluster.failoverTest.rto);
    await trial.wait();
    trial.mark('step', primary.name, 'switchover back');
    await moves.switchover(primary.name, tell);
  },
};
