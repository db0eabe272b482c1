import { hostsWith, type Cluster } from '../../../src/inventory/cluster.js';
import { postgresStopped } from '../fault.js';
import type { RunnableScenario } from '../trial.js';

const DOWN_SECONDS = 8;

/** Whether commits wait for this one alone, as long as it is away. */
function waitsForIt(cluster: Cluster): boolean {
  const { synchronous, onStandbyLoss } = cluster.postgres.replication;
  const standbys = hostsWith(cluster, 'pg-standby');
  return synchronous !== 'off' && onStandbyLoss === 'block' && standbys.length === 1;
}

/** The standby that would take over stops. With synchronous replication commits need another one. */
export const standbyDown: RunnableScenario = {
  name: 'standby-down',
  title: 'PostgreSQL on a standby is stopped, and started again',
  onRequest: false,
  recoversFrom: 'heal',
  promotions: 0,
  lacks: (cluster) =>
    hostsWith(cluster, 'pg-standby').length === 0 ? 'no host has the role pg-standby' : undefined,
  expects: (cluster) => {
    if (cluster.postgres.replication.synchronous === 'off') {
      return { kind: 'survives', why: 'commits wait for no standby' };
    }
    const count = hostsWith(cluster, 'pg-standby').length;
    return count > 1
      ? { kind: 'survives', why: `commits wait for any one of ${count} standbys` }
      : { kind: 'outage', why: 'commits wait for the only standby' };
  },
  holdsWrites: waitsForIt,
  run: async (trial) => {
    const [host] = hostsWith(trial.cluster, 'pg-standby');
    if (host === undefined) throw new Error('there is no standby');
    await trial.fault(postgresStopped(host, 'standby-down'));
    await trial.wait(DOWN_SECONDS);
    await trial.heal();
  },
};
