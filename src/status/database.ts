import { DATABASE_ROLES } from '../inventory/cluster.js';
import { slotOf } from '../postgres/layout.js';
import type { DatabaseMember, DatabaseStatus, HostStatus } from './model.js';
import type { Downstream, PostgresServer } from './postgres.js';

/**
 * Who is what in the PostgreSQL cluster, by what the servers themselves say: the primary is the one that is
 * not in recovery, whatever the inventory calls it.
 * @param maxLag bytes of WAL that a standby may lack
 */
export function databaseOf(hosts: readonly HostStatus[], maxLag: number): DatabaseStatus {
  const databases = hosts.filter(({ roles }) =>
    DATABASE_ROLES.some((role) => roles.includes(role)),
  );
  const writable = databases
    .filter((host) => serverOf(host)?.recovering === false)
    .sort((a, b) => (serverOf(b)?.timeline ?? 0) - (serverOf(a)?.timeline ?? 0));
  const [primary] = writable;
  const server = primary && serverOf(primary);
  return {
    primary: primary?.host ?? null,
    writable: writable.map(({ host }) => host),
    timeline: server?.timeline ?? null,
    synchronous: server?.synchronousStandbyNames ?? '',
    maxLag,
    members: databases.map((host) => memberOf(host, server)),
  };
}

/** What PostgreSQL on a host said of itself; undefined where it does not answer. */
export function serverOf(host: HostStatus): PostgresServer | undefined {
  return host.postgres?.server === 'up' ? host.postgres.data : undefined;
}

function memberOf(host: HostStatus, primary: PostgresServer | undefined): DatabaseMember {
  const own = serverOf(host);
  const slot = primary?.slots.find(({ name }) => name === slotOf({ name: host.host })) ?? null;
  const nothing = { role: null, timeline: null, lagBytes: null, lagSeconds: null, sync: null };
  if (own === undefined) return { ...nothing, host: host.host, state: silence(host), slot };
  if (!own.recovering) {
    const { timeline } = own;
    return {
      ...nothing,
      ...{ host: host.host, role: 'primary', state: 'writable', timeline, slot: null },
    };
  }
  const sent = primary?.downstream.find((one) => isOf(one, host));
  const lagBytes = lagOf(own, primary, sent);
  return {
    host: host.host,
    role: host.roles.includes('pg-replica') ? 'replica' : 'standby',
    state: standbyState(own, sent),
    timeline: own.timeline,
    lagBytes,
    lagSeconds: lagBytes === 0 ? 0 : (sent?.lagSeconds ?? ageOf(own, sent)),
    sync: sent?.sync ?? null,
    slot,
  };
}

function silence(host: HostStatus): DatabaseMember['state'] {
  if (host.failure !== null) return 'unreachable';
  return host.postgres === null || host.postgres.server === 'up' ? 'unknown' : host.postgres.server;
}

/** The sender knows a standby by its `cluster_name`, which is the host's name, or by its address. */
function isOf(one: Downstream, host: HostStatus): boolean {
  return one.name === host.host || one.address === host.address;
}

/** By the primary's own account where it sends to it, else by both positions, asked at about the same time. */
function lagOf(
  own: PostgresServer,
  primary: PostgresServer | undefined,
  sent: Downstream | undefined,
): number | null {
  if (sent?.lagBytes !== undefined && sent.lagBytes !== null) return sent.lagBytes;
  return primary === undefined ? null : Math.max(0, primary.position - own.position);
}

/**
 * How old the data is where the sender has not measured it. The age of the newest transaction says so only where some
 * was received and not replayed: on a cluster where nobody writes it is old, and WAL that was on its way is no lag.
 */
function ageOf(own: PostgresServer, sent: Downstream | undefined): number | null {
  const replayedAll = own.received !== null && own.position >= own.received;
  return sent !== undefined && replayedAll ? 0 : own.replayedAge;
}

function standbyState(own: PostgresServer, sent: Downstream | undefined): DatabaseMember['state'] {
  if (own.pastFork) return 'not streaming';
  // A replica may also get its WAL from another standby: then only its own word tells.
  const receives = own.receiver?.status === 'streaming';
  if (sent !== undefined && sent.state !== 'streaming') return 'catching up';
  return receives ? 'streaming' : 'not streaming';
}
