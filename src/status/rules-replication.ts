import { lessText, lessThan, type Less } from '../postgres/hot-standby.js';
import { aheadNext } from '../postgres/past-fork.js';
import { LOG_FOLDER } from '../postgres/settings.js';
import { problem, warning, type Alert } from './alert.js';
import { serverOf } from './database.js';
import { LIMITS } from './limits.js';
import type { ClusterStatus, DatabaseMember } from './model.js';
import type { PostgresServer, Slot } from './postgres.js';
import { walGoneRule } from './rules-wal-gone.js';
import { counted, list, size, span } from './words.js';

/** A standby or replica that receives nothing, or shows data that is too old. */
export function standbyRules(member: DatabaseMember, status: ClusterStatus): readonly Alert[] {
  const { host, state, lagBytes, lagSeconds, timeline } = member;
  const { database } = status;
  const own = status.hosts.find((one) => one.host === host);
  if (member.role === null || member.role === 'primary') return [];
  const behind = lagBytes === null || lagBytes === 0 ? '' : `, and lags by ${size(lagBytes)}`;
  const log = `on ${host}: the newest file in ${LOG_FOLDER} says why`;
  if (state === 'not streaming') {
    const from = database.primary === null ? '' : ` from ${database.primary}`;
    if (own !== undefined && serverOf(own)?.pastFork === true) {
      return [
        problem({
          id: 'postgres.past-fork',
          host,
          message: `${host} went on with the old primary past the point where ${database.primary ?? 'another one'} took over, and cannot follow: it shows old data`,
          // One that waits asks its primary again and again, for WAL of the timeline that it is on.
          next:
            timeline === database.timeline
              ? aheadNext(host)
              : `odoo-prov rejoin FILE --host ${host}`,
        }),
      ];
    }
    if (own !== undefined && serverOf(own)?.replayPaused === true) {
      return [
        problem({
          id: 'postgres.paused',
          host,
          message: `${host} receives nothing${from}${behind}: its replay was paused, and it goes over to ${database.primary ?? 'a new primary'} only when that ends`,
          next: resumed(host, []),
        }),
      ];
    }
    const gone = walGoneRule(own, status);
    if (gone !== undefined) return [gone];
    const isOlder = timeline !== null && database.timeline !== null && timeline < database.timeline;
    const older = isOlder
      ? ` (it is on timeline ${String(timeline)}, the primary on ${String(database.timeline)})`
      : '';
    const message = `${host} receives nothing${from}${behind}${older}`;
    const next = isOlder
      ? `odoo-prov apply FILE lets it follow; ${log}`
      : `${heldSlot(member, database.primary)}${log}`;
    return [problem({ id: 'postgres.not-streaming', host, message, next })];
  }
  const server = own === undefined ? undefined : serverOf(own);
  if (server?.replayPaused === true) {
    const less = lessThanPrimary(server, status);
    const message = `${host} receives and does not replay, for ${less.length === 0 ? 'replay was paused' : `it has less than its primary: ${lessText(less)}`}${behind}`;
    return [problem({ id: 'postgres.paused', host, message, next: resumed(host, less) })];
  }
  if (lagBytes !== null && lagBytes > database.maxLag) {
    const message = `${host} lags by ${size(lagBytes)} (limit ${size(database.maxLag)})`;
    const next = `on ${host}: is its disk busy (iostat), or a long query in the way (pg_stat_activity)? Is the network to ${database.primary ?? 'the primary'} slow?`;
    return [problem({ id: 'postgres.lag', host, message, next })];
  }
  if (lagSeconds !== null && lagSeconds > LIMITS.lagSeconds) {
    const message = `${host} shows data that is ${span(lagSeconds)} old (limit ${span(LIMITS.lagSeconds)})`;
    const next = `on ${host}: does a long query hold up replay (pg_stat_activity)?`;
    return [warning({ id: 'postgres.old', host, message, next })];
  }
  return [];
}

/** What to do first where its slot is still in use by a process that sends it nothing: it gets no other connection meanwhile. */
function heldSlot({ slot }: DatabaseMember, primary: string | null): string {
  if (primary === null || typeof slot?.pid !== 'number') return '';
  const pid = String(slot.pid);
  return (
    `its slot ${slot.name} is held by process ${pid} on ${primary}. One whose connection was cut ends by itself (wal_sender_timeout); ` +
    `else, as postgres: select pg_terminate_backend(${pid}), and kill -CONT ${pid} where ps shows it stopped (T); never kill -9, ` +
    `which ends all of PostgreSQL there. Also `
  );
}

/** Why PostgreSQL itself pauses replay ("recovery paused because of insufficient parameter settings"). */
function lessThanPrimary({ hotStandby }: PostgresServer, status: ClusterStatus): readonly Less[] {
  return lessThan(hotStandby, primaryOf(status)?.hotStandby ?? {});
}

function primaryOf({ hosts, database }: ClusterStatus): PostgresServer | undefined {
  const primary = hosts.find(({ host }) => host === database.primary);
  return primary && serverOf(primary);
}

/**
 * A standby that has more of a setting than its primary, which PostgreSQL allows: were it promoted, its standbys, the old
 * primary among them, would have too little. Where the primary waits for a restart to take that setting in, another line says so.
 */
export function largerRules({ host }: DatabaseMember, status: ClusterStatus): readonly Alert[] {
  const primary = primaryOf(status);
  const own = status.hosts.find((one) => one.host === host);
  const server = own && serverOf(own);
  if (primary === undefined || server?.recovering !== true) return [];
  const { waiting } = primary.configuration;
  const more = lessThan(primary.hotStandby, server.hotStandby).filter(
    ({ name }) => !waiting.includes(name),
  );
  if (more.length === 0) return [];
  const from = status.database.primary ?? 'the primary';
  const values = (which: 'has' | 'needs'): string =>
    list(more.map((one) => `${one.name} ${String(one[which])}`));
  return [
    warning({
      id: 'postgres.larger',
      host,
      message: `${host} runs with ${values('needs')}, the primary ${from} with ${values('has')}: ${from} could not follow ${host}`,
      next: `odoo-prov apply FILE gives both what the inventory says; until then switchover to ${host} is refused`,
    }),
  ];
}

/** Told to go on, a server that has too little would end, and not start again. */
function resumed(host: string, less: readonly Less[]): string {
  if (less.length === 0) return `on ${host}, as postgres: select pg_wal_replay_resume()`;
  return `odoo-prov apply FILE restarts ${host} with as much; not pg_wal_replay_resume(), which ends it`;
}

/** With synchronous replication and nobody to wait for, every commit waits for ever, or for nobody. */
export function synchronousRules(host: string, server: PostgresServer): readonly Alert[] {
  if (server.aloneFor !== null) {
    return [
      problem({
        id: 'postgres.alone',
        host,
        message: `${host} has been saving alone for ${span(server.aloneFor)}, without a synchronous standby: if it is lost now, so may be all of that time`,
        next: 'bring a standby back; commits wait for it again as soon as it has caught up',
      }),
    ];
  }
  if (server.synchronousStandbyNames === '') return [];
  const names = server.downstream
    .filter(({ sync, state }) => (sync === 'sync' || sync === 'quorum') && state === 'streaming')
    .map(({ name }) => name);
  if (names.length > 0) {
    if (server.commitsWaiting === 0) return [];
    return [
      problem({
        id: 'postgres.synchronous',
        host,
        message: `writes on ${host} wait: ${counted(server.commitsWaiting, 'commit', 'wait')} for the word of a standby for more than 1 s, though ${list(names)} ${names.length === 1 ? 'is' : 'are'} connected`,
        next: `is a standby frozen, its disk full or slow (iostat), or the network? Until one answers, no transaction is confirmed`,
      }),
    ];
  }
  return [
    problem({
      id: 'postgres.synchronous',
      host,
      message: `writes on ${host} wait: no synchronous standby (${server.synchronousStandbyNames}) is connected`,
      next: 'bring a standby back; until then no transaction is confirmed',
    }),
  ];
}

/** A slot whose standby is away: WAL fills the disk, or the standby must be cloned again. */
export function slotRules(host: string, slot: Slot): readonly Alert[] {
  const { name, walStatus, retained, active } = slot;
  if (walStatus === 'lost') {
    const message = `the slot ${name} on ${host} is lost: the WAL that its standby needs is gone`;
    const next = 'the standby must be cloned again, unless the archive has what it lacks';
    return [problem({ id: 'postgres.slot-lost', host, message, next })];
  }
  if (walStatus === 'unreserved') {
    const message = `the slot ${name} on ${host} keeps ${size(retained)} and is about to lose them`;
    const next = 'bring its standby back now: after the next checkpoint it must be cloned again';
    return [problem({ id: 'postgres.slot-unreserved', host, message, next })];
  }
  if (walStatus === 'extended' && !active) {
    const message = `the slot ${name} on ${host} is not used and keeps ${size(retained)} of WAL`;
    const next = 'bring its standby back, or drop the slot when it has none any more';
    return [warning({ id: 'postgres.slot-unused', host, message, next })];
  }
  return [];
}
