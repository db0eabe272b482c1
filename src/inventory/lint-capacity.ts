import { databaseRole, hostsWith, runsOdoo, type Cluster, type Host } from './cluster.js';
import type { Finding } from './finding.js';
import { connectionBudget, type ConnectionBudget } from './connection-budget.js';
import { lintConnections } from './lint-connections.js';
import {
  fixedMemory,
  givenSharedBuffers,
  machineOf,
  CRON_MEMORY,
  odooSizing,
  postgresMemory,
  USERS_PER_WORKER,
  WORKER_MEMORY,
  type Machine,
} from './sizing.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** Bytes of one idle PostgreSQL connection with Odoo's catalogue in its caches. */
const CONNECTION_MEMORY = 5 * MIB;

/**
 * The part of memory above which more shared_buffers does not help (PostgreSQL manual, 20.4.1: "unlikely that
 * an allocation of more than 40% of RAM … will work better than a smaller amount").
 */
const MOST_SHARED_BUFFERS = 0.4;

/** What is known of a host; undefined if neither the inventory nor a probe says it. */
export type KnownMachine = (host: Host) => Machine | undefined;

function gigabytes(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GB`;
}

/** Bytes that a host's roles need when they are busy. */
function memoryNeed(
  cluster: Cluster,
  host: Host,
  found: Machine,
  budget: ConnectionBudget,
): number {
  const { memory } = machineOf(host, found);
  const { workers, cronThreads } = odooSizing(cluster, host, found);
  const postgres =
    databaseRole(host) === undefined
      ? 0
      : (givenSharedBuffers(cluster) ?? postgresMemory(memory, runsOdoo(host)) / 4) +
        budget.maxConnections * CONNECTION_MEMORY;
  return fixedMemory(host) + workers * WORKER_MEMORY + cronThreads * CRON_MEMORY + postgres;
}

function memoryOf(
  cluster: Cluster,
  machine: (host: Host) => Machine,
  budget: ConnectionBudget,
): Finding[] {
  const findings = cluster.hosts.flatMap((host): Finding[] => {
    const { memory } = machineOf(host, machine(host));
    const need = memoryNeed(cluster, host, machine(host), budget);
    if (need <= memory) return [];
    return [
      {
        severity: 'warning',
        subject: 'memory',
        host: host.name,
        message: `its roles (${host.roles.join(', ')}) need ${gigabytes(need)}, it has ${gigabytes(memory)}`,
        advice: 'more memory, or fewer roles on this host',
      },
    ];
  });
  if (findings.length > 0) return findings;
  return [
    { severity: 'fine', subject: 'memory', message: 'every host has the memory its roles need' },
  ];
}

function users(cluster: Cluster, machine: (host: Host) => Machine): Finding {
  const workers = hostsWith(cluster, 'app')
    .map((host) => odooSizing(cluster, host, machine(host)).workers)
    .reduce((sum, count) => sum + count, 0);
  const carried = workers * USERS_PER_WORKER;
  const message = `${workers} workers carry about ${carried} concurrent users; ${cluster.odoo.users} are wanted`;
  if (carried >= cluster.odoo.users) return { severity: 'fine', subject: 'users', message };
  const advice = 'more app hosts, or more cores and memory';
  return { severity: 'warning', subject: 'users', message, advice };
}

/** The inventory's own `shared_buffers` against the memory of the host that it is for, where that is known. */
function sharedBuffers(cluster: Cluster, known: KnownMachine): Finding[] {
  const bytes = givenSharedBuffers(cluster);
  if (bytes === undefined) return [];
  return hostsWith(cluster, 'pg-primary').flatMap((host): Finding[] => {
    const memory = host.memory ?? known(host)?.memory;
    if (memory === undefined || bytes <= memory * MOST_SHARED_BUFFERS) return [];
    const given = gigabytes(bytes);
    const finding = { subject: 'memory', host: host.name } as const;
    const advice = `about a quarter of its memory, or leave it out: it is computed`;
    return bytes >= memory
      ? [
          {
            ...finding,
            severity: 'error',
            message: `PostgreSQL would not start: shared_buffers ${given} of ${gigabytes(memory)} memory`,
            advice,
          },
        ]
      : [
          {
            ...finding,
            severity: 'warning',
            message: `shared_buffers ${given} is more than 40 % of its ${gigabytes(memory)}: little is left for the rest`,
            advice,
          },
        ];
  });
}

/** Connections, memory and users against what the machines have, if that is known of all of them. */
export function lintCapacity(cluster: Cluster, known: KnownMachine): Finding[] {
  const machines = new Map<string, Machine>();
  for (const host of cluster.hosts) {
    const found = known(host);
    if (found !== undefined) machines.set(host.name, found);
  }
  const unknown = cluster.hosts.filter(({ name }) => !machines.has(name));
  if (unknown.length > 0) {
    const names = unknown.map(({ name }) => name).join(', ');
    const message = `memory and cores are not given for ${names}: connections and memory were not checked`;
    const advice = 'apply detects them and checks; or give memory and cores';
    return [
      ...sharedBuffers(cluster, known),
      { severity: 'note', subject: 'memory', message, advice },
    ];
  }
  const machine = ({ name }: Host): Machine => {
    const found = machines.get(name);
    if (found === undefined) throw new Error(`${name} is not a host of this cluster`);
    return found;
  };
  const budget = connectionBudget(cluster, machine);
  return [
    users(cluster, machine),
    ...lintConnections(cluster, budget),
    ...sharedBuffers(cluster, known),
    ...memoryOf(cluster, machine, budget),
  ];
}
