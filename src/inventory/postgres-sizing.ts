import type { Cluster, Settings } from './cluster.js';

const MIB = 1024 ** 2;

export interface PostgresMachine {
  /** Bytes of the whole host. */
  readonly memory: number;
  readonly cores: number;
  readonly disk: 'ssd' | 'hdd';
  /** From `connectionBudget`. */
  readonly maxConnections: number;
  /** Odoo runs on the same host (`runsOdoo`): PostgreSQL then plans with a third of the memory. */
  readonly shared: boolean;
}

/** Bytes that PostgreSQL plans with. */
export function postgresMemory(memory: number, shared: boolean): number {
  return shared ? memory / 3 : memory;
}

/** PostgreSQL's units of memory, in bytes; letters of either case mean different things to it. */
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: MIB,
  GB: 1024 * MIB,
  TB: 1024 ** 2 * MIB,
};
/** Bytes of a page: `shared_buffers` without a unit counts these. */
const PAGE = 8192;

/**
 * The `shared_buffers` that the inventory sets, in bytes; undefined if it does not, or in no way that
 * PostgreSQL reads ("Setting Parameters", 19.1.1).
 */
export function givenSharedBuffers(cluster: Cluster): number | undefined {
  const [, value] =
    Object.entries(cluster.postgres.settings).find(
      ([key]) => key.toLowerCase() === 'shared_buffers',
    ) ?? [];
  const [, count, unit] = /^\s*(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?\s*$/.exec(String(value)) ?? [];
  if (count === undefined) return undefined;
  return Number(count) * (unit === undefined ? PAGE : (UNITS[unit] ?? PAGE));
}

function megabytes(bytes: number, least: number, most: number): string {
  return `${Math.floor(Math.max(least, Math.min(most, bytes / MIB)))}MB`;
}

/**
 * postgresql.conf keys that follow from the host's size.
 *
 * Rules: shared_buffers a quarter of memory, effective_cache_size three quarters (PostgreSQL manual,
 * "Resource Consumption"); work_mem so that every connection may sort three times at once in what
 * shared_buffers leaves; maintenance_work_mem a sixteenth, at most 1 GB because each autovacuum worker may
 * take it; random_page_cost 1.1 where seeking is free. Autovacuum starts at 5 % dead rows instead of 20 %
 * and may work ten times as fast on an SSD: Odoo's big tables (mail_message, stock_move) otherwise bloat for
 * weeks before the default sets in.
 */
export function postgresSizing(machine: PostgresMachine): Settings {
  const { cores, disk, maxConnections } = machine;
  const memory = postgresMemory(machine.memory, machine.shared);
  const ssd = disk === 'ssd';
  const big = memory >= 4 * 1024 * MIB;
  return {
    max_connections: maxConnections,
    shared_buffers: megabytes(memory / 4, 64, 32 * 1024),
    effective_cache_size: megabytes((memory * 3) / 4, 128, Infinity),
    work_mem: megabytes((memory * 3) / 4 / (maxConnections * 3), 4, 64),
    maintenance_work_mem: megabytes(memory / 16, 64, 1024),
    min_wal_size: big ? '1GB' : '256MB',
    max_wal_size: big ? '4GB' : '1GB',
    checkpoint_completion_target: 0.9,
    random_page_cost: ssd ? 1.1 : 4,
    effective_io_concurrency: ssd ? 200 : 2,
    max_worker_processes: Math.max(8, cores),
    max_parallel_workers: Math.max(2, cores),
    // Odoo's queries are many and short; a few processes for one report are enough.
    max_parallel_workers_per_gather: Math.max(1, Math.min(2, Math.floor(cores / 2))),
    autovacuum: 'on',
    autovacuum_max_workers: Math.max(3, Math.min(6, Math.floor(cores / 2))),
    autovacuum_naptime: '30s',
    autovacuum_vacuum_scale_factor: 0.05,
    autovacuum_analyze_scale_factor: 0.02,
    autovacuum_vacuum_cost_limit: ssd ? 2000 : 400,
  };
}
