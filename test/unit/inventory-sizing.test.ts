import { describe, expect, test } from 'vitest';
import type { Cluster, Host } from '../../src/inventory/cluster.js';
import { connectionBudget } from '../../src/inventory/connection-budget.js';
import {
  odooSizing,
  otherOdooSettings,
  postgresSizing,
  type Machine,
} from '../../src/inventory/sizing.js';
import { clusterOf } from './inventory-text.js';

const GIB = 1024 ** 3;
const ONE = `
hosts:
  one: { address: 198.51.100.11, roles: [edge, app, cron, gevent, pgbouncer, redis, pg-primary] }
`;
const MANY = `
odoo: { users: 300 }
filestore: { type: posix }
hosts:
  edge1: { address: 198.51.100.11, roles: [edge] }
  app1: { address: 198.51.100.21, roles: [app], weight: 2 }
  app2: { address: 198.51.100.22, roles: [app] }
  app3: { address: 198.51.100.23, roles: [app] }
  cron1: { address: 198.51.100.31, roles: [cron] }
  cron2: { address: 198.51.100.32, roles: [cron] }
  gevent1: { address: 198.51.100.41, roles: [gevent] }
  data1: { address: 198.51.100.51, roles: [pgbouncer, redis, pg-primary] }
`;

function machine(gigabytes: number, cores: number): Machine {
  return { memory: gigabytes * GIB, cores };
}

function hostOf(cluster: Cluster, name: string): Host {
  const host = cluster.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}

function sized(text: string, name: string, found: Machine): readonly [number, number] {
  const cluster = clusterOf(text);
  const { workers, cronThreads } = odooSizing(cluster, hostOf(cluster, name), found);
  return [workers, cronThreads];
}

describe('Odoo', () => {
  test.each([
    // 2 × cores + 1 processes, of which cron threads and the evented server take their part.
    { machine: machine(16, 4), expected: [6, 2] },
    // 50 users / 6 = 9 workers: more cores give no more.
    { machine: machine(64, 16), expected: [9, 4] },
    // Memory: 4 GB less a third for PostgreSQL and 960 MB fixed; of 1771 MB two thirds for users.
    { machine: machine(4, 8), expected: [3, 1] },
    // Never fewer than 2 workers and 1 thread.
    { machine: machine(1, 1), expected: [2, 1] },
  ])('everything on one host of $machine.cores cores', ({ machine: found, expected }) => {
    expect(sized(ONE, 'one', found)).toEqual(expected);
  });

  test('300 users need 50 workers; each app host carries its share with the heaviest of the others down', () => {
    const big = machine(64, 32);
    expect(sized(MANY, 'app1', big)).toEqual([34, 0]);
    expect(sized(MANY, 'app2', big)).toEqual([25, 0]);
    expect(sized(MANY, 'app3', machine(64, 8))).toEqual([17, 0]);
    expect(sized(MANY, 'app3', machine(4, 8))).toEqual([11, 0]);
  });

  test('a cron host has 4 threads, fewer on a small machine; other roles have none', () => {
    expect(sized(MANY, 'cron1', machine(8, 8))).toEqual([0, 4]);
    expect(sized(MANY, 'cron1', machine(8, 1))).toEqual([0, 2]);
    expect(sized(MANY, 'cron1', machine(1, 8))).toEqual([0, 1]);
    expect(sized(MANY, 'gevent1', machine(8, 8))).toEqual([0, 0]);
  });

  test("the inventory's memory and cores win over what was found", () => {
    const text = ONE.replace('address', 'memory: 64GB, cores: 16, address');
    expect(sized(text, 'one', machine(1, 1))).toEqual([9, 4]);
  });

  test('limits count virtual memory: 2 GiB at least, 4 GiB at most, hard a quarter above', () => {
    const cluster = clusterOf(MANY);
    const cron = hostOf(cluster, 'cron1');
    const small = odooSizing(cluster, cron, machine(2, 4));
    expect(small.limitMemory.cron).toEqual({ soft: 2 * GIB, hard: 2.5 * GIB });
    const large = odooSizing(cluster, cron, machine(64, 4));
    expect(large.limitMemory.cron).toEqual({ soft: 4 * GIB, hard: 5 * GIB });
    expect(large.limitMemory.gevent).toEqual({ soft: 2 * GIB, hard: 2.5 * GIB });
    expect([large.dbMaxconn, large.dbMaxconnGevent]).toEqual([8, 32]);
  });

  test('a setting that is given wins, and is not written a second time', () => {
    const settings = '{ workers: 5, max_cron_threads: 3, db_maxconn: 16, limit_request: 1000 }';
    const cluster = clusterOf(`odoo: { settings: ${settings} }${ONE}`);
    const result = odooSizing(cluster, hostOf(cluster, 'one'), machine(64, 16));
    expect(result).toMatchObject({ workers: 5, cronThreads: 3, dbMaxconn: 16 });
    expect(otherOdooSettings(cluster)).toEqual({ limit_request: 1000 });
  });
});

describe('connections', () => {
  test('one host: 6 workers, 2 threads, gevent and the app service’s own evented child', () => {
    const load = { resident: 10, expected: 25, worst: 128, listeners: 4 };
    expect(connectionBudget(clusterOf(ONE), () => machine(16, 4))).toEqual({
      busiest: load,
      pgbouncers: 1,
      // 6 + 2 + 2
      resident: 10,
      listeners: 4,
      // 6 × 2 + 2 × 2 + 8 + 1
      expected: 25,
      // (6 + 2) × 8 + 2 × 32
      worst: 128,
      // 25 × 1.25, in tens
      poolSize: 40,
      // 2 threads + 2 evented + 10, in fives
      postgresPoolSize: 15,
      // PostgreSQL's own default is enough for 75
      maxConnections: 100,
    });
  });

  test('a cluster of three app hosts, two cron hosts, one gevent host', () => {
    expect(connectionBudget(clusterOf(MANY), () => machine(16, 8))).toMatchObject({
      resident: 63,
      // 3 × 17 workers and 2 × 4 threads × 2, + 8, + 3 idle
      expected: 129,
      worst: 59 * 8 + 4 * 32,
      poolSize: 170,
      postgresPoolSize: 25,
      maxConnections: 220,
    });
  });

  test('several PgBouncers: each has a pool for what it gets when one of the others is down', () => {
    const three = MANY.replace(
      'roles: [pgbouncer, redis, pg-primary]',
      'roles: [redis, pg-primary]',
    );
    const pools = [1, 2, 3].map(
      (n) => `  pool${n}: { address: 198.51.100.6${n}, roles: [pgbouncer] }\n`,
    );
    const budget = connectionBudget(clusterOf(three + pools.join('')), () => machine(16, 8));
    // app1 (35), cron1 (8) and, with pool1 down for app1, …: two app hosts and a cron host of six at most.
    expect(budget).toMatchObject({ pgbouncers: 3, expected: 129, resident: 63 });
    expect(budget.busiest.expected).toBeGreaterThan(129 / 3);
    expect(budget.busiest.expected).toBeLessThan(129);
    expect(budget.poolSize).toBe(Math.ceil((budget.busiest.expected * 1.25) / 10) * 10);
    expect(budget.maxConnections).toBeGreaterThanOrEqual(
      3 * (budget.poolSize + budget.postgresPoolSize) + 20,
    );
  });

  test('in transaction mode a process has one connection, while it is in a transaction', () => {
    const text = `pgbouncer: { pool_mode: transaction }${MANY}`;
    expect(connectionBudget(clusterOf(text), () => machine(16, 8))).toMatchObject({
      // 63 × 1.25, in tens
      poolSize: 80,
      maxConnections: 130,
    });
  });

  test('what the inventory gives wins', () => {
    const text =
      'pgbouncer: { settings: { default_pool_size: 30 } }\n' +
      `postgres: { settings: { max_connections: "60" } }${ONE}`;
    expect(connectionBudget(clusterOf(text), () => machine(16, 4))).toMatchObject({
      poolSize: 30,
      maxConnections: 60,
    });
  });
});

describe('PostgreSQL', () => {
  const base = { cores: 8, disk: 'ssd', maxConnections: 200, shared: false } as const;

  test('a host of its own with 16 GB', () => {
    expect(postgresSizing({ ...base, memory: 16 * GIB })).toEqual({
      max_connections: 200,
      shared_buffers: '4096MB',
      effective_cache_size: '12288MB',
      work_mem: '20MB',
      maintenance_work_mem: '1024MB',
      min_wal_size: '1GB',
      max_wal_size: '4GB',
      checkpoint_completion_target: 0.9,
      random_page_cost: 1.1,
      effective_io_concurrency: 200,
      max_worker_processes: 8,
      max_parallel_workers: 8,
      max_parallel_workers_per_gather: 2,
      autovacuum: 'on',
      autovacuum_max_workers: 4,
      autovacuum_naptime: '30s',
      autovacuum_vacuum_scale_factor: 0.05,
      autovacuum_analyze_scale_factor: 0.02,
      autovacuum_vacuum_cost_limit: 2000,
    });
  });

  test('beside Odoo it plans with a third', () => {
    expect(postgresSizing({ ...base, memory: 12 * GIB, shared: true })).toMatchObject({
      shared_buffers: '1024MB',
      effective_cache_size: '3072MB',
    });
  });

  test('a small host with a disk that seeks', () => {
    const small = {
      memory: GIB,
      cores: 1,
      disk: 'hdd',
      maxConnections: 100,
      shared: true,
    } as const;
    expect(postgresSizing(small)).toMatchObject({
      shared_buffers: '85MB',
      work_mem: '4MB',
      maintenance_work_mem: '64MB',
      max_wal_size: '1GB',
      random_page_cost: 4,
      effective_io_concurrency: 2,
      max_worker_processes: 8,
      max_parallel_workers: 2,
      max_parallel_workers_per_gather: 1,
      autovacuum_max_workers: 3,
      autovacuum_vacuum_cost_limit: 400,
    });
  });
});

test('sizing all hosts looks at each weight a fixed number of times, however many there are', () => {
  let looks = 0;
  const [app] = clusterOf(MANY).hosts.filter(({ name }) => name === 'app1');
  if (app === undefined) throw new Error('no app1');
  const counted = (name: string): Host =>
    Object.defineProperty({ ...app, name }, 'weight', { get: () => ((looks += 1), 1) });
  const hosts = Array.from({ length: 300 }, (_, i) => counted(`app${i}`));
  const cluster: Cluster = { ...clusterOf(MANY), hosts };
  for (const host of hosts) odooSizing(cluster, host, machine(4, 2));
  // Sorting by weight takes two looks per comparison; each host looking at all others would be 180 000.
  expect(looks).toBeLessThan(300 * 20);
});
