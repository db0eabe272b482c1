import { judgeCopy, type Moment } from '../../../src/failover-test/judge-copy.js';
import type { Means } from '../../../src/failover-test/scenario.js';
import { hostsWith, type Cluster, type Host } from '../../../src/inventory/cluster.js';
import type { RunnableScenario } from '../trial.js';

/**
 * The primary is moved to a standby and back; before and after that a moment is named. When the load has ended, both
 * are restored on another host: each copy must have the rows of its moment, by the ledger.
 */
export const pointInTimeRecovery: RunnableScenario = {
  name: 'point-in-time-recovery',
  title: 'the database is restored on another host, to a moment before and one after a switchover',
  onRequest: true,
  recoversFrom: 'fault',
  promotions: 2,
  lacks,
  hostLacks: async (trial) => (await copies()).whyNoCopy(trial),
  expects: () => ({
    kind: 'outage',
    why: 'writes wait while one server ends and the other begins; the copies are in nobody’s way',
  }),
  run: async (trial) => {
    const { cluster, hosts, primary, moves } = trial;
    const tell = (host: string, text: string): void => trial.mark('step', host, text);
    const { copyOf, nameMoment } = await copies();
    const [standby] = hostsWith(cluster, 'pg-standby');
    if (standby === undefined) throw new Error('there is no standby');
    const name = `odoo-prov-failover-test-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
    const at = (host: Host, suffix: string, when: string): Promise<Moment> =>
      nameMoment(hosts, host, cluster, `${name}-${suffix}`, when);
    const before = await at(primary, 'before', 'before the switchover');
    tell(primary.name, `restore point ${before.name}`);
    await trial.wait();
    trial.mark('fault', primary.name, `switchover to ${standby.name}`);
    await moves.switchover(standby.name, tell, trial.cutOverNow);
    await trial.untilServed(cluster.failoverTest.rto);
    await trial.wait();
    const after = await at(standby, 'after', 'after the switchover');
    tell(standby.name, `restore point ${after.name}`);
    await trial.wait();
    tell(primary.name, 'switchover back');
    await moves.switchover(primary.name, tell);
    trial.afterLoad(async (writes) => {
      for (const moment of [before, after]) {
        const copy = await copyOf(trial, moment);
        judgeCopy({ ...copy, moment, writes }).forEach((check) => trial.check(check));
      }
    });
  },
};

/** Loaded when it is needed: `--list` does without the SSH library. */
const copies = (): Promise<typeof import('../copies.js')> => import('../copies.js');

function lacks(cluster: Cluster, { scratch }: Means): string | undefined {
  const { backup } = cluster.postgres;
  if (backup === undefined) return 'postgres.backup is not set';
  if (hostsWith(cluster, 'pg-standby').length === 0) return 'no host has the role pg-standby';
  return backup.s3 !== undefined && scratch === undefined
    ? 'the backups are in a bucket: name a host for the copies with --on HOST'
    : undefined;
}
