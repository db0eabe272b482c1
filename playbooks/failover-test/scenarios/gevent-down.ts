import { unitName } from '../../../src/odoo/layout.js';
import { poolDown } from './pool-down.js';

/** One gevent host stops; its websockets are opened anew on another one, and get what they missed. */
export const geventDown = poolDown({
  name: 'gevent-down',
  role: 'gevent',
  unit: unitName('gevent'),
  what: "Odoo's evented service",
  title: "a gevent host's Odoo is killed, stays down, and is started again",
  several: (count) => `there are ${count} gevent hosts, and websockets are opened anew`,
  single: 'there is only one gevent host: messages wait until it is back',
  usersGoOn: true,
});
