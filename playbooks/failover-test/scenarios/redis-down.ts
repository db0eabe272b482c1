import { poolDown } from './pool-down.js';

/** Redis stops. Nobody is served meanwhile, and nobody has to log in again. */
export const redisDown = poolDown({
  name: 'redis-down',
  role: 'redis',
  unit: 'redis-server.service',
  what: 'Redis',
  title: 'Redis is killed, stays down, and is started again',
  several: (count) => `there are ${count} Redis`,
  single: 'there is only one Redis: it holds the sessions',
  usersGoOn: false,
});
