import { serverOf } from '../status/database.js';
import type { ClusterStatus, DatabaseMember, HostStatus } from '../status/model.js';
import type { PostgresServer, Slot } from '../status/postgres.js';
import { counted, list, size, span } from '../status/words.js';
import type { StatusView } from './status-view.js';
import { printable, table, wrap } from './text.js';

/** The database tier: who is primary, its standbys, archive, connections, PgBouncer's pools, Odoo's jobs. */
export function databaseLines(status: ClusterStatus, view: StatusView): readonly string[] {
  const { database, hosts, budget } = status;
  const primary = hosts.find(({ host }) => host === database.primary);
  const server = primary && serverOf(primary);
  return [
    ...(database.members.length === 0 ? [] : ['', ...topologyLines(status, view)]),
    ...(server === undefined
      ? []
      : [
          ...fact('connections', connections(server, budget.maxConnections), view),
          ...(server.archive === null ? [] : fact('archive', archive(server.archive), view)),
        ]),
    ...hosts.flatMap(({ backup }) => (backup === null ? [] : fact('backup', newest(backup), view))),
    ...hosts.flatMap(({ filestoreBackup }) =>
      filestoreBackup === null ? [] : fact('filestore', newestSnapshot(filestoreBackup), view),
    ),
    ...hosts.flatMap(({ host, kept }) =>
      kept === null || kept.length === 0 ? [] : fact('kept', `${host}: ${kept.join(', ')}`, view),
    ),
    ...(primary?.jobs ? fact('jobs', jobs(primary.jobs), view) : []),
    ...poolLines(hosts, view),
  ];
}

/** `  word        text`, wrapped. */
function fact(word: string, text: string, { width }: StatusView): readonly string[] {
  const indent = 13;
  return wrap(printable(text), width - indent).map((line, i) =>
    i === 0 ? `${word.padEnd(indent)}${line}` : `${' '.repeat(indent)}${line}`,
  );
}

function topologyLines({ database }: ClusterStatus, { style }: StatusView): readonly string[] {
  const { members, writable, timeline, synchronous } = database;
  const commits =
    synchronous === '' ? 'commits wait for no standby' : `synchronous: ${synchronous}`;
  const head =
    writable.length === 0
      ? 'PostgreSQL: no primary was seen'
      : `PostgreSQL: ${list(writable)} ${writable.length === 1 ? 'is' : 'are'} primary, timeline ${String(timeline)}, ${commits}`;
  const strong = style.strong(head);
  if (members.length === 1 && writable.length === 1) return [strong];
  const [heading = '', ...rows] = table(
    [['host', 'role', 'state', 'timeline', 'lag', 'behind', 'slot'], ...members.map(cells)],
    [3, 4, 5],
  );
  return [strong, style.dim(heading), ...rows];
}

function cells(member: DatabaseMember): readonly string[] {
  const { host, role, state, sync, timeline, lagBytes, lagSeconds, slot } = member;
  return [
    host,
    role ?? '-',
    sync === null || sync === 'async' ? state : `${state}, ${sync}`,
    timeline === null ? '-' : String(timeline),
    lagBytes === null ? '-' : size(lagBytes),
    lagSeconds === null ? '-' : span(lagSeconds),
    slot === null ? '-' : slotText(slot),
  ];
}

function slotText({ active, walStatus, retained }: Slot): string {
  const state = walStatus === 'lost' || walStatus === 'unreserved' ? walStatus : undefined;
  return `${state ?? (active ? 'active' : 'not used')}, keeps ${size(retained)}`;
}

function connections({ connections: c }: PostgresServer, budget: number): string {
  const open = `${String(c.active)} active, ${String(c.idleInTransaction)} idle in a transaction`;
  const locks = c.waiting === 0 ? '' : `, ${String(c.waiting)} wait for a lock`;
  return `${String(c.used)} of ${String(c.max)} (${open}${locks}); budget ${String(budget)}`;
}

function archive(a: NonNullable<PostgresServer['archive']>): string {
  // PostgreSQL counts anew after a crash.
  const last = a.last === null ? 'nothing counted yet' : `${a.last}, ${span(a.lastAge ?? 0)} ago`;
  const waiting =
    a.waiting === 0
      ? 'no segment waits'
      : `${counted(a.waiting, 'segment', 'wait')}, the oldest for ${span(a.waitingAge ?? 0)}`;
  const failed =
    a.lastFailed === null
      ? ''
      : `; last failure ${a.lastFailed}, ${span(a.lastFailedAge ?? 0)} ago`;
  return `${last}, ${waiting}${failed}`;
}

function newest({ newest: found, room, message }: NonNullable<HostStatus['backup']>): string {
  if (found === null) return `none (${message})`;
  const left = room === null ? '' : `, ${size(room.available)} left`;
  return `${found.label} (${found.type}), ${span(found.age)} ago; repository: ${message}${left}`;
}

function newestSnapshot({ age }: NonNullable<HostStatus['filestoreBackup']>): string {
  return age === null ? 'no snapshot' : `snapshot ${span(age)} ago`;
}

function jobs({ active, lastRunAge, overdue }: NonNullable<HostStatus['jobs']>): string {
  const last = lastRunAge === null ? 'none has run yet' : `last run ${span(lastRunAge)} ago`;
  return `${String(active)} scheduled, ${last}, ${overdue === 0 ? 'none overdue' : `one overdue for ${span(overdue)}`}`;
}

/** A line for each database of each PgBouncer, its users' pools together. */
function poolLines(hosts: readonly HostStatus[], { style }: StatusView): readonly string[] {
  const rows = hosts.flatMap(({ host, pgbouncer }) => {
    if (!pgbouncer?.answers) return [];
    return pgbouncer.databases.map(({ name, size: most }) => {
      const pools = pgbouncer.pools.filter(({ database }) => database === name);
      const sum = (of: (pool: (typeof pools)[number]) => number): string =>
        String(pools.reduce((all, pool) => all + of(pool), 0));
      return [
        host,
        name,
        sum((pool) => pool.clientsActive),
        sum((pool) => pool.clientsWaiting),
        span(Math.max(0, ...pools.map(({ longestWait }) => longestWait))),
        sum((pool) => pool.serversActive),
        sum((pool) => pool.serversIdle),
        String(most),
      ];
    });
  });
  if (rows.length === 0) return [];
  const heading = [
    'PgBouncer',
    'database',
    'clients',
    'waiting',
    'longest',
    'servers',
    'idle',
    'most',
  ];
  const [first = '', ...rest] = table([heading, ...rows], [2, 3, 4, 5, 6, 7]);
  return ['', style.dim(first), ...rest];
}
