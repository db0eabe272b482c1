import { unitName } from '../../../src/odoo/layout.js';
import { poolDown } from './pool-down.js';

/** One app host stops serving; the edges take the others. */
export const appDown = poolDown({
  name: 'app-down',
  role: 'app',
  unit: unitName('app'),
  what: "Odoo's HTTP service",
  title: "an app host's Odoo is killed, stays down, and is started again",
  several: (count) => `there are ${count} app hosts, and the edges take the others`,
  single: 'there is only one app host',
  usersGoOn: false,
});
