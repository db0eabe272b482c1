import { sh, type Script } from '../shell/index.js';
import { numberOf } from './text.js';

export type RedisStatus =
  | {
      readonly answers: true;
      /** Devices that are logged in or visiting: a session of Odoo is one key. */
      readonly sessions: number;
      /** Bytes. */
      readonly memory: number;
      /** Bytes; 0 is no limit. */
      readonly maxMemory: number;
      /** Sessions pushed out for want of memory since its start. */
      readonly evicted: number;
      readonly clients: number;
      /** The append-only file: whether its last write, and its last rewrite, went well. */
      readonly persists: boolean;
    }
  | { readonly answers: false; readonly why: string };

/** The lines of INFO that are read; it has two hundred. */
const KEYS = [
  'aof_enabled',
  'aof_last_bgrewrite_status',
  'aof_last_write_status',
  'connected_clients',
  'db0',
  'evicted_keys',
  'maxmemory',
  'used_memory',
];

/** The password is read from a file that only root reads, into the environment: it is no argument of a process. */
export function redisProbe(): Script {
  return sh`
said=$(REDISCLI_AUTH=$(cat /etc/odoo-prov/redis.auth) timeout 5 redis-cli -h 127.0.0.1 -p 6379 info 2>&1 | tr -d '\r')
printf '%s\n' "$said" | grep -E ${`^(${KEYS.join('|')}):`} || printf '%s\n' "$said" | head -n 1`;
}

/** Reads what {@link redisProbe} printed. */
export function parseRedis(text: string): RedisStatus {
  const values = new Map(
    [...text.matchAll(/^(\w+):(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
  );
  if (!values.has('used_memory')) {
    const [said] = text.split('\n').filter((line) => line !== '');
    return { answers: false, why: said ?? 'it says nothing' };
  }
  const number = (key: string): number => numberOf(values.get(key), key);
  const aof = ['aof_last_write_status', 'aof_last_bgrewrite_status'].map((key) => values.get(key));
  return {
    answers: true,
    // A database without keys is not listed.
    sessions: Number(/keys=(\d+)/.exec(values.get('db0') ?? '')?.[1] ?? 0),
    memory: number('used_memory'),
    maxMemory: number('maxmemory'),
    evicted: number('evicted_keys'),
    clients: number('connected_clients'),
    persists: values.get('aof_enabled') !== '1' || aof.every((state) => state === 'ok'),
  };
}
