import { poolDown } from './pool-down.js';

/** One edge stops; browsers know the address of the other one. */
export const edgeDown = poolDown({
  name: 'edge-down',
  role: 'edge',
  unit: 'nginx.service',
  what: 'nginx',
  title: 'nginx on an edge is killed, stays down, and is started again',
  several: (count) =>
    `there are ${count} edges, and browsers take the other address that DNS names`,
  single: 'there is only one edge',
  usersGoOn: false,
});
