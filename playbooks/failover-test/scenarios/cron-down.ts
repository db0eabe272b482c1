import { unitName } from '../../../src/odoo/layout.js';
import { poolDown } from './pool-down.js';

/** One cron host stops; what it was at is rolled back, and done by another one. */
export const cronDown = poolDown({
  name: 'cron-down',
  role: 'cron',
  unit: unitName('cron'),
  what: "Odoo's cron service",
  title: "a cron host's Odoo is killed, stays down, and is started again",
  several: (count) => `there are ${count} cron hosts, and each takes any job`,
  single: 'there is only one cron host: jobs wait until it is back',
  usersGoOn: true,
});
