import { DATABASE_ROLES } from '../inventory/cluster.js';
import { slotOf } from '../postgres/layout.js';
import { parseLsn } from '../postgres/promotion.js';
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
    members: databases.map((host) => memberOf(host, primary)),
  };
}

/** What PostgreSQL on a host said of itself; undefined where it does not answer. */
export function serverOf(host: HostStatus): PostgresServer | undefined {
  return host.postgres?.server === 'up' ? host.postgres.data : undefined;
}

function memberOf(host: HostStatus, primary: HostStatus | undefined): DatabaseMember {
  const own = serverOf(host);
  const server = primary && serverOf(primary);
  const slot = server?.slots.find(({ name }) => name === slotOf({ name: host.host })) ?? null;
  const nothing = { role: null, timeline: null, lagBytes: null, lagSeconds: null, sync: null };
  if (own === undefined) return { ...nothing, host: host.host, state: silence(host), slot };
  if (!own.recovering) {
    const { timeline } = own;
    return {
      ...nothing,
      ...{ host: host.host, role: 'primary', state: 'writable', timeline, slot: null },
    };
  }
  const sent = server?.downstream.find((one) => isOf(one, host));
  const state = standbyState(own, sent);
  const follows = state !== 'not streaming';
  // A sender that hangs is listed with what the standby had said last.
  const lagBytes = (follows ? sent?.lagBytes : null) ?? lagOf(own, primary);
  return {
    host: host.host,
    role: host.roles.includes('pg-replica') ? 'replica' : 'standby',
    state,
    timeline: own.timeline,
    lagBytes,
    lagSeconds: follows ? lagSecondsOf(own, sent, lagBytes) : own.replayedAge,
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

/**
 * By both positions, asked at about the same time. Null where they cannot be compared: it is past the fork, or on a timeline of which
 * the primary's history does not say that its own goes on from there or later.
 */
function lagOf(own: PostgresServer, primary: HostStatus | undefined): number | null {
  const server = primary && serverOf(primary);
  if (server === undefined || own.pastFork) return null;
  if (own.timeline !== server.timeline) {
    const ends = primary?.postgres?.found?.wal?.history.ends ?? [];
    const end = ends.find(({ timeline }) => timeline === own.timeline);
    if (end === undefined || BigInt(own.position) > parseLsn(end.lsn)) return null;
  }
  return Math.max(0, server.position - own.position);
}

/**
 * How old the data of a standby is that follows. Where the sender has not measured it, the age of the newest transaction says so only
 * where some was received and not replayed: on a cluster where nobody writes it is old, and WAL that was on its way is no lag.
 */
function lagSecondsOf(
  own: PostgresServer,
  sent: Downstream | undefined,
  lagBytes: number | null,
): number | null {
  if (lagBytes === 0) return 0;
  const replayedAll = own.received !== null && own.position >= own.received;
  return sent?.lagSeconds ?? (sent !== undefined && replayedAll ? 0 : own.replayedAge);
}

/** A sender on the primary is no word of it: one that hangs stays there. */
function standbyState(own: PostgresServer, sent: Downstream | undefined): DatabaseMember['state'] {
  // A replica may also get its WAL from another standby: then only its own word tells.
  if (own.pastFork || own.receiver?.status !== 'streaming') return 'not streaming';
  return sent !== undefined && sent.state !== 'streaming' ? 'catching up' : 'streaming';
}
