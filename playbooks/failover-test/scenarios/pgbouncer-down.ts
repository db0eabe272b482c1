import { hostsWith } from '../../../src/inventory/cluster.js';
import { unitDown } from '../fault.js';
import type { RunnableScenario } from '../trial.js';

/** Seconds for which it stays down: longer than any pause of a client that merely connects anew. */
const DOWN_SECONDS = 8;

/** One PgBouncer stops; its clients take another one, if there is one. */
export const pgbouncerDown: RunnableScenario = {
  name: 'pgbouncer-down',
  title: 'a PgBouncer is killed, stays down, and is started again',
  onRequest: false,
  recoversFrom: 'heal',
  promotions: 0,
  lacks: () => undefined,
  expects: (cluster) => {
    const count = hostsWith(cluster, 'pgbouncer').length;
    return count > 1
      ? { kind: 'survives', why: `there are ${count} PgBouncers, and clients know all of them` }
      : { kind: 'outage', why: 'there is only one PgBouncer' };
  },
  expectsUsers: (cluster) => ({
    kind: 'outage',
    why:
      hostsWith(cluster, 'pgbouncer').length > 1
        ? "Odoo's open connections through it end, and requests with them"
        : 'there is only one PgBouncer',
  }),
  holdsWrites: (cluster) => hostsWith(cluster, 'pgbouncer').length === 1,
  run: async (trial) => {
    const [host] = hostsWith(trial.cluster, 'pgbouncer');
    if (host === undefined) throw new Error('the inventory was not checked: there is no PgBouncer');
    await trial.fault(unitDown(host, 'pgbouncer-down', 'pgbouncer.service', 'PgBouncer'));
    await trial.wait(DOWN_SECONDS);
    await trial.heal();
  },
};
