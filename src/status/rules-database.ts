import { healText } from '../batch/armed-fault.js';
import { makeRoom, PUSH_LOG, saysNoRoom } from '../postgres/archive-failure.js';
import { restoreAgain } from '../postgres/cut-restore.js';
import { LOG_FOLDER } from '../postgres/settings.js';
import { staleWriters, stopOthers, writerText, type Writer } from '../postgres/two-primaries.js';
import { problem, warning, type Alert } from './alert.js';
import { isFull } from './backup.js';
import { serverOf } from './database.js';
import { downNext, firstNext, SERVICE } from './down-next.js';
import { LIMITS } from './limits.js';
import type { ClusterStatus, HostStatus } from './model.js';
import { UNFINISHED, type PostgresServer } from './postgres.js';
import { isRejoining, rejoiningText } from './rejoining.js';
import { connectionRules } from './rules-connections.js';
import { configurationRules } from './rules-configuration.js';
import { odooSessionRules } from './rules-odoo-sessions.js';
import { durabilityRules } from './rules-durability.js';
import { largerRules, slotRules, standbyRules, synchronousRules } from './rules-replication.js';
import { unitsOf } from './rules-units.js';
import { unusableRules } from './rules-unusable-files.js';
import { walGoneRule } from './rules-wal-gone.js';
import { unseenPrimary, type UnseenPrimary } from './unseen-primary.js';
import { counted, list, span } from './words.js';

/** What is wrong with PostgreSQL: the primary, its standbys, its slots, its connections. */
export function databaseRules(status: ClusterStatus): readonly Alert[] {
  const primary = status.hosts.find(({ host }) => host === status.database.primary);
  const server = primary && serverOf(primary);
  return [
    ...restoreRules(status),
    ...primaryRules(status),
    ...emptyRules(status, primary?.host),
    ...status.hosts.flatMap((host) => serverRules(host, status)),
    ...status.hosts.flatMap((one) => {
      const running = serverOf(one);
      return running === undefined ? [] : configurationRules(one.host, running);
    }),
    ...status.hosts.flatMap(unusableRules),
    ...status.hosts.flatMap((one) => durabilityRules(one, status)),
    ...status.database.members.flatMap((member) => [
      ...standbyRules(member, status),
      ...largerRules(member, status),
    ]),
    ...(primary && server
      ? [
          ...otherClusters(status, server),
          ...synchronousRules(primary.host, server),
          ...server.slots.flatMap((slot) => slotRules(primary.host, slot)),
          ...connectionRules(primary.host, server, status.budget),
          ...odooSessionRules(primary.host, server),
          ...archiveRules(primary.host, server, status),
        ]
      : []),
  ];
}

/** Clients that are let in now would write into what is neither the database of before nor the one asked for. */
function restoreRules({ hosts }: ClusterStatus): readonly Alert[] {
  const restoring = hosts.filter((host) => host.restoring);
  if (restoring.length === 0) return [];
  const names = restoring.map(({ host }) => host);
  return [
    problem({
      id: 'postgres.restoring',
      host: null,
      message: `a restore of the database has not come to its end on ${list(names)}: it runs, or was cut off`,
      next: `if it does not run: ${restoreAgain(restoring.map(({ restoringTo }) => restoringTo ?? ''))}`,
    }),
  ];
}

/** One host must take the writes: none is an outage, two is worse. */
function primaryRules(status: ClusterStatus): readonly Alert[] {
  const { database, hosts, allDatabases } = status;
  const { writable, members } = database;
  if (writable.length > 1) {
    const writers = writable.map((host) => ({
      host,
      timeline: members.find((member) => member.host === host)?.timeline ?? 0,
    }));
    return [
      problem({
        id: 'postgres.two-primaries',
        host: null,
        message: `${list(writers.map(writerText))} both take writes: what is written to one is missing on the other`,
        next: [stopOthers(writers), ...leftOn(hosts, staleWriters(writers))].join('. '),
      }),
    ];
  }
  if (writable.length === 1 || members.length === 0) return [];
  // What is to be done then is something else.
  if (hosts.some(({ restoring }) => restoring)) return [];
  const answered = hosts.filter((host) => serverOf(host) !== undefined);
  if (answered.length === 0) return [];
  // Where only some database hosts were asked, the primary may be among the others: a standby that receives says that it is.
  if (!allDatabases && members.some(({ state }) => state === 'streaming')) return [];
  const words = { id: 'postgres.no-primary', host: null };
  const unseen = unseenPrimary(status);
  if (unseen !== undefined) return [problem({ ...words, ...unseenText(unseen) })];
  return [
    problem({
      ...words,
      message: 'no database host that answered takes writes: Odoo cannot save anything',
      next: firstNext(status),
    }),
  ];
}

/** Rejoin is refused on a host on which a test that was killed has left something broken. */
function leftOn(hosts: readonly HostStatus[], stale: readonly Writer[]): readonly string[] {
  return hosts.flatMap(({ host, failoverTest }) => {
    if (failoverTest?.by !== null) return [];
    const { armed } = failoverTest;
    if (armed.length === 0 || !stale.some((writer) => writer.host === host)) return [];
    return [
      `A failover-test has left ${list(armed.map(({ scenario }) => scenario))} broken on ${host}, and rejoin is refused until it is healed: ${healText(host, armed)}`,
    ];
  });
}

/** Standbys know better than this look who is primary; they are not to be promoted beside it. */
function unseenText({ standbys, address, host }: UnseenPrimary): Pick<Alert, 'message' | 'next'> {
  const receive = `${list(standbys)} ${standbys.length === 1 ? 'receives' : 'receive'} from`;
  return host === null
    ? {
        message: `${receive} a primary that is not in this inventory: ${address}`,
        next: 'put that host back into the inventory, as pg-standby: who is primary is seen. No failover: that primary is alive',
      }
    : {
        message: `no database host that answered takes writes, but ${receive} ${host}, which cannot be reached from here`,
        next: `find out why SSH does not get to ${host}: it may well take writes. Only if it is off: odoo-prov failover FILE (--dry-run shows how)`,
      };
}

/** Hosts without a database: a copy is to be made, or everything is lost. One that was never set up is told as such. */
function emptyRules(
  { hosts, database }: ClusterStatus,
  primary: string | undefined,
): readonly Alert[] {
  const empty = hosts.filter(
    (host) =>
      host.postgres?.server === 'absent' &&
      !host.restoring &&
      (host.services === null || host.roles.some((role) => unitsOf(host, role).length > 0)),
  );
  if (empty.length === 0) return [];
  const words = { id: 'postgres.absent', host: null };
  if (database.members.every(({ state }) => state === 'absent')) {
    const saved = hosts.some(({ backup }) => backup !== null && backup.newest !== null);
    const apply = 'odoo-prov apply FILE --check says what can be done';
    return [
      problem({
        ...words,
        message: `${list(empty.map(({ host }) => host))} ${empty.length === 1 ? 'holds' : 'hold'} no database`,
        next: saved
          ? `if it was there and is gone from every database host: odoo-prov restore FILE --latest brings it back from the backups (--dry-run says every step); ${apply}`
          : apply,
      }),
    ];
  }
  return empty.map(({ host, postgres }) => {
    const cut = postgres?.server === 'absent' && postgres.why === UNFINISHED;
    const clone = `odoo-prov apply FILE ${cut ? 'begins that anew' : `clones it from ${primary ?? 'the primary'}`}`;
    return problem({
      ...words,
      host,
      message: `${host} holds no database${cut ? `: ${UNFINISHED}` : ''}`,
      next:
        primary === undefined
          ? `bring the primary back first; then ${clone}`
          : cut
            ? `if neither apply nor rejoin runs: ${clone}`
            : clone,
    });
  });
}

function serverRules(one: HostStatus, status: ClusterStatus): readonly Alert[] {
  const { host, postgres, restoring } = one;
  if (postgres === null || postgres.server === 'up' || restoring) return [];
  const words = { id: `postgres.${postgres.server}`, host };
  switch (postgres.server) {
    case 'absent':
      return [];
    case 'down':
      if (isRejoining(one)) return [problem({ ...words, ...rejoiningText(host) })];
      return [
        problem({
          ...words,
          message: `PostgreSQL on ${host} is ${postgres.why}${one.startFailed === null ? '' : `; its last start failed: ${one.startFailed}`}`,
          next: downNext(one, status),
        }),
      ];
    case 'failed':
      return [
        walGoneRule(one, status) ??
          problem({
            ...words,
            message: `PostgreSQL on ${host} runs and does not answer: ${postgres.why}`,
            next: `on ${host}: ${SERVICE}, and the newest file in ${LOG_FOLDER}`,
          }),
      ];
  }
}

/** A host that holds something else than a copy of the primary's data. */
function otherClusters(status: ClusterStatus, primary: PostgresServer): readonly Alert[] {
  return status.hosts.flatMap((host) => {
    const found =
      host.postgres?.server === 'up'
        ? host.postgres.data.systemIdentifier
        : host.postgres?.found?.systemIdentifier;
    if (found === undefined || found === primary.systemIdentifier) return [];
    return [
      problem({
        id: 'postgres.other-cluster',
        host: host.host,
        message: `${host.host} holds another database cluster (${found}) than the primary (${primary.systemIdentifier})`,
        next: `find out where that data came from before anything replaces it`,
      }),
    ];
  });
}

function archiveRules(
  host: string,
  { archive }: PostgresServer,
  { hosts, cluster }: ClusterStatus,
): readonly Alert[] {
  if (archive === null) return [];
  const { failing, waiting, waitingAge, last, lastAge, lastFailed, error } = archive;
  const late = (waitingAge ?? 0) > LIMITS.archiveWaiting;
  if (!failing && !late) return [];
  const limit = `(limit ${span(LIMITS.archiveWaiting)})`;
  const since =
    last === null
      ? 'has never archived anything'
      : `has archived nothing for ${span(lastAge ?? 0)}`;
  const full = hosts.find(
    ({ backup }) => error !== null && backup?.room && saysNoRoom(error, backup.room.path),
  );
  const log =
    error === null ? `the newest file in ${LOG_FOLDER} says why` : `${PUSH_LOG} says more`;
  const words = {
    id: 'postgres.archive',
    host,
    message:
      `${host} ${failing ? `cannot archive ${lastFailed ?? 'WAL'}, and ${since}` : 'is slow to archive WAL'}` +
      (waiting === 0
        ? ''
        : `: ${counted(waiting, 'segment', 'wait')}, the oldest for ${span(waitingAge ?? 0)} ${limit}`) +
      (failing && error !== null ? `. pgBackRest says: ${error}` : ''),
    next: `${full ? fullNext(full, cluster) : `on ${host}: ${log}`}; until it works, a lost disk loses what waits`,
  };
  return [failing && late ? problem(words) : warning(words)];
}

/** Where the look at the repository says the same, what to do is told there. */
function fullNext({ host, backup }: HostStatus, stanza: string): string {
  const { path = '' } = backup?.room ?? {};
  return backup?.room && isFull(backup.room)
    ? `make room in ${path} on ${host}`
    : makeRoom(host, path, stanza);
}
