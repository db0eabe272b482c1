import type { Cluster, Host, RoleName, Setting, Settings } from './cluster.js';
import { databaseRole, hostsWith } from './cluster.js';
import { roleFacts } from './roles.js';

export {
  givenSharedBuffers,
  postgresMemory,
  postgresSizing,
  type PostgresMachine,
} from './postgres-sizing.js';

/** What sizing needs to know of a machine; `Facts` has it. The inventory's own figures win over it. */
export interface Machine {
  /** Bytes. */
  readonly memory: number;
  readonly cores: number;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Users that one HTTP worker carries. Odoo, "Deploying Odoo": 1 worker ≈ 6 concurrent users. */
export const USERS_PER_WORKER = 6;
/** Bytes of one HTTP worker. Odoo, "Deploying Odoo": 0.8 × 150 MB + 0.2 × 1 GB. */
export const WORKER_MEMORY = 325 * MIB;
/** Bytes of one cron thread: jobs are the heavier fifth more often than a user's request is. */
export const CRON_MEMORY = 512 * MIB;
/** Bytes that a host needs before any role: kernel, systemd, sshd, and page cache to breathe. */
export const BASE_MEMORY = 256 * MIB;
/** PostgreSQL's part of a host that it shares with Odoo. */
const POSTGRES_PART = 1 / 3;
/** How the rest is split where users and jobs share a host. */
const APP_PART = 2 / 3;

/** `db_maxconn` of an HTTP worker or cron thread: a prefork process runs one request at a time. */
const DB_MAXCONN = 8;
/** `db_maxconn_gevent`: one process serves many sockets. */
const DB_MAXCONN_GEVENT = 32;

export interface MemoryLimit {
  /** Bytes of *virtual* memory after which a process is replaced at the end of its request. */
  readonly soft: number;
  /** Bytes of *virtual* memory that a process never gets more of. */
  readonly hard: number;
}

export interface OdooSizing {
  /** HTTP workers of this host's app service; 0 without the app role. */
  readonly workers: number;
  /** `max_cron_threads` of this host's cron service; 0 without the cron role. */
  readonly cronThreads: number;
  /** `db_maxconn` of the app and cron services. */
  readonly dbMaxconn: number;
  /** `db_maxconn_gevent` (16.0: `db_maxconn` of the gevent service). */
  readonly dbMaxconnGevent: number;
  /** `limit_memory_soft` and `limit_memory_hard` of each service's odoo.conf. */
  readonly limitMemory: Readonly<Record<'app' | 'cron' | 'gevent', MemoryLimit>>;
}

/** The odoo.conf keys that {@link odooSizing} computes: when `odoo.settings` gives one, it is in the result. */
export const SIZED_ODOO_KEYS = [
  'workers',
  'max_cron_threads',
  'db_maxconn',
  'db_maxconn_gevent',
  'limit_memory_soft',
  'limit_memory_hard',
] as const;

/** `odoo.settings` without what {@link odooSizing} has taken into account: for writing as it is. */
export function otherOdooSettings(cluster: Cluster): Settings {
  const sized = new Set<string>(SIZED_ODOO_KEYS);
  return Object.fromEntries(
    Object.entries(cluster.odoo.settings).filter(([key]) => !sized.has(key)),
  );
}

/** A machine's memory and cores, the inventory's figures first. */
export function machineOf(host: Host, found: Machine): Machine {
  return { memory: host.memory ?? found.memory, cores: host.cores ?? found.cores };
}

/** Bytes that a host needs whatever its size: the system, and the roles that do not grow with it. */
export function fixedMemory(host: Host): number {
  return host.roles.reduce((sum, role) => {
    const memory = roleFacts(role)?.memory ?? 'sized';
    return memory === 'sized' ? sum : sum + memory;
  }, BASE_MEMORY);
}

/** Bytes that HTTP workers and cron threads may use on a host, together. */
export function odooMemory(host: Host, memory: number): number {
  const fixed = fixedMemory(host);
  const postgres = databaseRole(host) === undefined ? 0 : memory * POSTGRES_PART;
  return Math.max(0, memory - fixed - postgres);
}

/** HTTP workers for all users: {@link USERS_PER_WORKER}. */
export function workersWanted(users: number): number {
  return Math.ceil(users / USERS_PER_WORKER);
}

interface Weights {
  readonly total: number;
  /** The heaviest app host, and the weight of the next one; 0 if there is no other. */
  readonly heaviest: Host | undefined;
  readonly second: number;
}

/** Every host is sized by all of them: with many hosts their weights are not summed up for each anew. */
const weightsKnown = new WeakMap<Cluster, Weights>();

function weightsOf(cluster: Cluster): Weights {
  let weights = weightsKnown.get(cluster);
  if (weights === undefined) {
    const hosts = hostsWith(cluster, 'app').toSorted((a, b) => b.weight - a.weight);
    weights = {
      total: hosts.reduce((sum, { weight }) => sum + weight, 0),
      heaviest: hosts[0],
      second: hosts[1]?.weight ?? 0,
    };
    weightsKnown.set(cluster, weights);
  }
  return weights;
}

/**
 * Workers that a host must carry while the heaviest of the other app hosts is down, so that one lost host
 * is not felt (facts: "+ 1 spare").
 */
function workersShare(cluster: Cluster, host: Host): number {
  const { total, heaviest, second } = weightsOf(cluster);
  const lost = heaviest?.name === host.name ? second : (heaviest?.weight ?? 0);
  return Math.ceil((workersWanted(cluster.odoo.users) * host.weight) / (total - lost));
}

function clamp(low: number, value: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/** A setting that is a number, in whatever way it was written. */
export function numberOf(value: Setting | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;
}

/**
 * Odoo's limits count *virtual* memory: below Odoo's own 2 GiB a fresh worker would be replaced after every
 * request, so less is never given; hard : soft = 2560 : 2048 as in Odoo's defaults.
 *
 * @param bytes what one process may use
 */
function memoryLimit(cluster: Cluster, bytes: number): MemoryLimit {
  const { limit_memory_soft: givenSoft, limit_memory_hard: givenHard } = cluster.odoo.settings;
  const soft = numberOf(givenSoft) ?? clamp(2 * GIB, Math.floor(bytes / MIB) * MIB, 4 * GIB);
  return { soft, hard: numberOf(givenHard) ?? Math.round(soft * 1.25) };
}

/** Cron threads: the seed's recipe of 4 on a host of its own, half of the cores beside users. */
function cronThreads(host: Host, cores: number, memory: number): number {
  if (!host.roles.includes('cron')) return 0;
  const byCores = host.roles.includes('app') ? Math.floor(cores / 2) : 2 * cores;
  return clamp(1, Math.min(byCores, Math.floor(memory / CRON_MEMORY)), 4);
}

/**
 * How many processes Odoo's services get on a host.
 *
 * Rules (Odoo, "Deploying Odoo"): users / 6 workers in all, of which a host carries its share by weight with
 * one other app host down; at most 2 × cores + 1 processes on a host, cron threads and the evented server
 * among them; 325 MB of memory a worker. Never fewer than 2 workers: printing a PDF needs one that answers
 * while another waits. A key given in `odoo.settings` wins.
 *
 * @param found what was read off the host; the inventory's memory and cores win
 */
export function odooSizing(cluster: Cluster, host: Host, found: Machine): OdooSizing {
  const { memory, cores } = machineOf(host, found);
  const settings = cluster.odoo.settings;
  const has = (role: RoleName): boolean => host.roles.includes(role);
  const both = has('app') && has('cron');
  const odoo = odooMemory(host, memory);
  const appMemory = odoo * (both ? APP_PART : 1);
  const cronMemory = odoo * (both ? 1 - APP_PART : 1);

  const threads = has('cron')
    ? (numberOf(settings['max_cron_threads']) ?? cronThreads(host, cores, cronMemory))
    : 0;
  const byCores = 2 * cores + 1 - threads - (has('gevent') ? 1 : 0);
  const byMemory = Math.floor(appMemory / WORKER_MEMORY);
  const workers = has('app')
    ? (numberOf(settings['workers']) ??
      Math.max(2, Math.min(workersShare(cluster, host), byCores, byMemory)))
    : 0;

  return {
    workers,
    cronThreads: threads,
    dbMaxconn: numberOf(settings['db_maxconn']) ?? DB_MAXCONN,
    dbMaxconnGevent: numberOf(settings['db_maxconn_gevent']) ?? DB_MAXCONN_GEVENT,
    limitMemory: {
      app: memoryLimit(cluster, appMemory / Math.max(1, workers)),
      cron: memoryLimit(cluster, cronMemory / Math.max(1, threads)),
      gevent: memoryLimit(cluster, 0),
    },
  };
}
