import { raw } from '../../../src/shell/index.js';
import { hostsWith } from '../../../src/inventory/cluster.js';
import type { RunnableScenario, Trial } from '../trial.js';
import { waitsForOldPrimary } from './one-standby.js';

/** Seconds for which it stays away where nobody can write before it is back. */
const AWAY_SECONDS = 8;

/** Seconds for the old primary's guard to stop it: it looks every three. */
const GUARD_SECONDS = 30;

/** How a primary is lost. */
interface Loss extends Pick<RunnableScenario, 'name' | 'title' | 'lacks' | 'hostLacks'> {
  readonly lose: (trial: Trial) => Promise<void>;
  /** After its return: waits until its guard has had its say. */
  readonly settle?: (trial: Trial) => Promise<void>;
}

/**
 * The primary is lost, a standby takes over; the old one comes back and must not take writes. It rejoins, and is made
 * primary again.
 */
export function primaryLost({ lose, settle, lacks, ...loss }: Loss): RunnableScenario {
  return {
    ...loss,
    onRequest: true,
    mayLose: true,
    recoversFrom: (cluster) => (waitsForOldPrimary(cluster) ? 'heal' : 'fault'),
    promotions: 2,
    lacks: (cluster, means) =>
      hostsWith(cluster, 'pg-standby').length === 0
        ? 'no host has the role pg-standby'
        : lacks(cluster, means),
    expects: (cluster) => ({
      kind: 'outage',
      why: waitsForOldPrimary(cluster)
        ? 'the only standby is promoted by command (ha: manual), and its commits wait for another one: until the old primary is back'
        : 'a standby is promoted by command (ha: manual), and writes wait until it is',
    }),
    run: async (trial) => {
      const { primary, moves, hosts } = trial;
      const tell = (host: string, text: string): void => trial.mark('step', host, text);
      await lose(trial);
      const successor = await moves.failover(primary.name, tell, trial.cutOverNow);
      // Where commits wait for the old primary, there is nothing to wait for before it is back.
      if (waitsForOldPrimary(trial.cluster)) await trial.wait(AWAY_SECONDS);
      else await trial.untilServed(trial.cluster.failoverTest.rto);
      await trial.heal();
      await settle?.(trial);
      const fenced = await trial.until(GUARD_SECONDS, () => isDown(trial));
      if (fenced) trial.mark('step', primary.name, 'is kept down by its own guard');
      trial.check({
        id: 'primary.old-is-fenced',
        ok: fenced,
        text: `PostgreSQL of ${primary.name} was down by itself after ${successor} had taken over`,
        ...(fenced
          ? {}
          : {
              found: `it runs ${GUARD_SECONDS} s after the host came back`,
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
}

async function isDown({ hosts, primary }: Trial): Promise<boolean> {
  return (await hosts.run(primary.name, raw('ss -Htln sport = :5432'))) === '';
}
