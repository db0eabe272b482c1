import { raw } from '../../../src/shell/index.js';
import { hostsWith } from '../../../src/inventory/cluster.js';
import { cutOffHost } from '../fault.js';
import { withoutNft } from '../without-nft.js';
import type { RunnableScenario } from '../trial.js';
import { waitsForOldPrimary } from './one-standby.js';

/** Seconds for which it stays cut off where nobody can write before it is back. */
const DOWN_SECONDS = 8;

/** Seconds for the old primary's guard to stop it: it looks every three. */
const GUARD_SECONDS = 30;

/**
 * The primary is cut off and does not notice; a standby takes over; the network comes back, and the old primary
 * must not take writes. It rejoins, and is made primary again.
 */
export const primaryCutOff: RunnableScenario = {
  name: 'primary-cut-off',
  title: 'the primary is cut off from the network: failover, rejoin, and back',
  onRequest: true,
  mayLose: true,
  recoversFrom: (cluster) => (waitsForOldPrimary(cluster) ? 'heal' : 'fault'),
  promotions: 2,
  lacks: (cluster) =>
    hostsWith(cluster, 'pg-standby').length === 0 ? 'no host has the role pg-standby' : undefined,
  hostLacks: withoutNft,
  expects: (cluster) => ({
    kind: 'outage',
    why: waitsForOldPrimary(cluster)
      ? 'the only standby is promoted by command (ha: manual), and its commits wait for another one: until the old primary is back'
      : 'a standby is promoted by command (ha: manual), and writes wait until it is',
  }),
  run: async (trial) => {
    const { primary, moves, hosts } = trial;
    const tell = (host: string, text: string): void => trial.mark('step', host, text);
    await trial.fault(cutOffHost(primary, 'primary-cut-off'));
    const successor = await moves.failover(primary.name, tell, trial.cutOverNow);
    // Where commits wait for the old primary, there is nothing to wait for before it is back.
    if (waitsForOldPrimary(trial.cluster)) await trial.wait(DOWN_SECONDS);
    else await trial.untilServed(trial.cluster.failoverTest.rto);
    await trial.heal();
    const fenced = await trial.until(GUARD_SECONDS, () => isDown(trial));
    if (fenced) trial.mark('step', primary.name, 'was stopped by its own guard');
    trial.check({
      id: 'primary.old-is-fenced',
      ok: fenced,
      text: `${primary.name} stopped by itself when it saw that ${successor} had taken over`,
      ...(fenced
        ? {}
        : {
            found: `it still runs ${GUARD_SECONDS} s after the network came back`,
            next: `on ${primary.name}: journalctl -u odoo-prov-postgres-guard; odoo-prov apply FILE sets the guard up`,
          }),
    });
    if (!fenced) await hosts.run(primary.name, raw("systemctl stop 'postgresql@*'"), 90);
    await moves.rejoin(primary.name, tell);
    await trial.untilServed(trial.cluster.failoverTest.rto);
    await trial.wait();
    trial.mark('step', primary.name, 'switchover back');
    await moves.switchover(primary.name, tell);
  },
};

async function isDown({
  hosts,
  primary,
}: Parameters<RunnableScenario['run']>[0]): Promise<boolean> {
  return (await hosts.run(primary.name, raw('ss -Htln sport = :5432'))) === '';
}
