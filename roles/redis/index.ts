import { databaseRole } from '../../src/inventory/cluster.js';
import { BASE_MEMORY, machineOf } from '../../src/inventory/sizing.js';
import {
  aptPackage,
  check,
  directory,
  file,
  keyOf,
  sysctl,
  unit,
} from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

const PORT = 6379;
const MIB = 1024 ** 2;
const PASSWORD_FILE = '/etc/odoo-prov/redis.auth';

/** Where the sessions of Odoo's users are kept. */
export const redis: RoleDefinition = {
  name: 'redis',
  summary: 'Redis for sessions: password, append-only file, least recently used sessions go first',
  after: ['base'],
  on: (host) => host.roles.includes('redis'),

  install: () => [aptPackage({ name: 'redis-server' })],

  configure(site) {
    const { host } = site;
    const password = site.secret('redis-password');
    const config = file({
      path: '/etc/redis/redis.conf',
      content: site.template('redis/redis.conf.hbs', {
        address: host.address,
        port: PORT,
        password,
        maxMemory: maxMemory(site),
        settings: Object.entries(site.cluster.redis.settings).map(([key, value]) => ({
          key,
          value: typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value),
        })),
      }),
      owner: 'redis',
      group: 'redis',
      mode: '0640',
    });
    const dropIn = file({
      path: '/etc/systemd/system/redis-server.service.d/odoo-prov.conf',
      content: site.template('redis/service.conf.hbs', {}),
    });
    return [
      ...memoryPolicy(site),
      config,
      directory({ path: '/etc/systemd/system/redis-server.service.d' }),
      dropIn,
      unit({
        name: 'redis-server',
        running: true,
        enabled: true,
        restartFor: [keyOf(config), keyOf(dropIn), 'package:redis-server'],
      }),
      directory({ path: '/etc/odoo-prov', mode: '0700' }),
      file({
        path: PASSWORD_FILE,
        content: site.template('redis/auth.hbs', { password }),
        mode: '0600',
      }),
      check({
        name: 'redis-answers',
        command: `REDISCLI_AUTH=$(cat ${PASSWORD_FILE}) redis-cli -h ${host.address} -p ${String(PORT)} ping 2>&1`,
        expect: 'PONG',
        within: 30,
        describes: `Redis answers on ${host.address}:${String(PORT)}, with its password`,
      }),
    ];
  },
};

/**
 * Bytes of data. A session is 1–2 KB, so 100 MB hold 50,000 and more; a host of its own lends half of what
 * the system leaves, since rewriting the append-only file may need as much again for a moment.
 */
function maxMemory({ host, facts }: Site): string {
  const { memory } = machineOf(host, facts);
  const alone = host.roles.length === 1;
  const bytes = alone ? (memory - BASE_MEMORY) / 2 : 128 * MIB;
  return `${String(Math.max(64, Math.floor(bytes / MIB)))}mb`;
}

/**
 * Redis forks to rewrite its file, which the kernel may refuse for fear of running out; beside PostgreSQL,
 * which wants that fear, its data is small enough for the fork to be allowed anyway.
 */
function memoryPolicy({ host }: Site): readonly Resource[] {
  if (databaseRole(host) !== undefined) return [];
  return [sysctl({ key: 'vm.overcommit_memory', value: 1 })];
}
