import { Failure } from '../failure/failure.js';
import { databaseHosts, databaseRole, hostsWith, type Cluster } from '../inventory/cluster.js';
import type { HotStandbyValues } from './hot-standby.js';
import { LONE_START_WORD } from './layout.js';
import { newestWriter } from './two-primaries.js';

/** What a database host says of its server, live. */
export interface Sight {
  readonly host: string;
  /** Takes writes: it runs and is no standby. */
  readonly writable: boolean;
  readonly running: boolean;
  /** It was stopped cleanly as the primary, and its data made a standby's: a switchover does that, and promotes another then. */
  readonly handedOver: boolean;
  /** It runs and does not answer: it hangs, or is frozen. Never `writable`. */
  readonly stuck: boolean;
  /** Its data is a standby's. */
  readonly standby: boolean;
  /** Another has taken over, or was about to: its guard keeps it down until it is a standby. */
  readonly fenced: boolean;
  readonly timeline: number;
  /** The one that its data is on: a standby that is stopped may have WAL of a newer one, and not be able to follow it. */
  readonly dataTimeline: number;
  /** Bytes of WAL since the cluster was made: written by a primary, received by a standby; at least, if it is stopped. */
  readonly lsn: bigint;
  /** When the newest transaction was committed that it has replayed; undefined for a primary, and before the first. */
  readonly newest: Date | undefined;
  /**
   * The timeline whose WAL it receives right now; undefined where it receives none. For a moment every few seconds also of one
   * that asks for a timeline of before and is about to be refused.
   */
  readonly received: number | undefined;
  /** A standby that went on with the old primary after a new one took over: it is on no timeline of now. */
  readonly pastFork: boolean;
  /** A rejoin started its data by itself to compare its rows, and has not ended that: it runs, or was cut. */
  readonly compared: boolean;
  /** Its replay is paused, by somebody or by PostgreSQL itself: it goes over to no other primary meanwhile. */
  readonly replayPaused: boolean;
  /** pgBackRest makes a backup of it at this moment. */
  readonly backingUp: boolean;
  /** With what it runs, and would run after a restart: empty where it does not run. */
  readonly hotStandby: HotStandbyValues;
  readonly hotStandbyAtStart: HotStandbyValues;
  readonly systemIdentifier: string;
}

/** `1A/2B3C` as bytes since the cluster was made (manual, "pg_lsn Type"). */
export function parseLsn(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/');
  return (BigInt(`0x${high || '0'}`) << 32n) + BigInt(`0x${low || '0'}`);
}

/** The reverse of {@link parseLsn}. */
export function lsnText(lsn: bigint): string {
  const part = (value: bigint): string => value.toString(16).toUpperCase();
  return `${part(lsn >> 32n)}/${part(lsn & 0xffffffffn)}`;
}

/** Bytes for people. */
export function bytesText(bytes: bigint): string {
  if (bytes < 1024n) return `${String(bytes)} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = Number(bytes) / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Starts a host's server by hand; a pattern would not start one that is stopped. */
export const START = 'systemctl restart postgresql';

/** Who is to be promoted, and what that costs. */
export interface Choice {
  readonly candidate: Sight;
  /** The other standbys that were seen. */
  readonly others: readonly Sight[];
  /** How far the candidate is behind the one that has most. */
  readonly behind: bigint;
  /** That one, which may be stopped; the candidate itself where nobody has more. */
  readonly most: Sight;
}

/**
 * Chooses the server that takes over: of the hosts that the inventory calls standbys (or was the primary) the
 * one that received most, a replica only where it is named or there is no other.
 * @param sights what was seen, by host; hosts that did not answer are left out
 * @param to the operator's own choice
 * @param silent hosts that did not answer, only to be named
 * @throws Failure refused, with what to do
 */
export function chooseCandidate(
  cluster: Cluster,
  sights: readonly Sight[],
  to: string | undefined,
  silent: readonly string[] = [],
): Choice {
  const newest = Math.max(0, ...sights.filter((s) => s.standby).map(({ timeline }) => timeline));
  const able = sights.filter((s) => s.standby && s.timeline === newest && !s.pastFork);
  const roleOf = (name: string): string | undefined => {
    const host = cluster.hosts.find((other) => other.name === name);
    return host === undefined ? undefined : databaseRole(host);
  };
  const byMost = able.filter((s) => s.running).sort(moreFirst);
  const preferred = byMost.filter(({ host }) => roleOf(host) !== 'pg-replica');
  const candidate =
    to === undefined ? (preferred[0] ?? byMost[0]) : byMost.find(({ host }) => host === to);
  if (candidate === undefined) {
    const names = byMost.map(({ host: name }) =>
      roleOf(name) === 'pg-replica' ? `${name} (a replica)` : name,
    );
    throw databaseHosts(cluster).length === 1
      ? onlyOne(cluster)
      : nobody(sights, to, names, silent);
  }
  const more = [...able].sort(moreFirst).find((s) => s.lsn > candidate.lsn);
  const most = more ?? candidate;
  const behind = most.lsn - candidate.lsn;
  const others = byMost.filter((other) => other !== candidate);
  const choice = { candidate, others, behind, most };
  // One that is stopped may never start again: by the operator's own choice it is left behind.
  const chosen = to !== undefined && !most.running;
  if (behind > BigInt(cluster.postgres.replication.maxLag) && !chosen) {
    throw most.running ? tooFarBehind(cluster, candidate, most, behind) : stoppedHasMore(choice);
  }
  return choice;
}

/** Sorts those that received most to the front; of two with as much the one that runs, which can hand it over. */
export function moreFirst(a: Sight, b: Sight): number {
  if (a.lsn !== b.lsn) return a.lsn < b.lsn ? 1 : -1;
  return Number(b.running) - Number(a.running);
}

/** Whether one of these is a host for which commits wait once another one is primary: no replica is. */
export function hasStandby(cluster: Cluster, others: readonly Sight[]): boolean {
  const names = hostsWith(cluster, 'pg-primary', 'pg-standby').map(({ name }) => name);
  return others.some(({ host }) => names.includes(host));
}

function onlyOne(cluster: Cluster): Failure {
  const names = databaseHosts(cluster).map(({ name }) => name);
  return new Failure({
    reason: 'refused',
    message: 'this cluster has no standby',
    expected: 'another database host in the inventory',
    found: `${names.join()} alone`,
    remedy:
      'give a host the role pg-standby in the inventory, then odoo-prov apply FILE makes it one. If the data is lost: odoo-prov restore FILE --latest, where there are backups',
  });
}

/**
 * @param able those that could take over, where the operator has named another
 * @param silent hosts that did not answer
 */
function nobody(
  sights: readonly Sight[],
  to: string | undefined,
  able: readonly string[],
  silent: readonly string[],
): Failure {
  const seen = sights.map(
    ({ host, standby, running, stuck, timeline, pastFork }) =>
      `${host}: ${standby ? 'a standby' : "a primary's data"}, ${running ? 'running' : stuck ? 'running without an answer' : 'not running'}, timeline ${String(timeline)}${pastFork ? ', past the point where it began' : ''}`,
  );
  const writer = sights.find((sight) => sight.writable && sight.host === to);
  if (writer !== undefined) return alreadyPrimary(writer);
  return new Failure({
    reason: 'refused',
    ...(to === undefined ? {} : { host: to }),
    message: to === undefined ? 'there is no standby that could take over' : 'it cannot take over',
    expected: 'a standby that runs, on the newest timeline that any of them has',
    found:
      [...seen, ...silent.map((host) => `${host}: no answer`)].join('; ') ||
      'no database host answered',
    remedy: able.length === 0 ? standbyBack(sights) : `choose ${able.join(' or ')} with --to`,
  });
}

/** Why a host that is to become the primary is left as it is. */
export function alreadyPrimary({ host, timeline }: Sight): Failure {
  return new Failure({
    reason: 'refused',
    host,
    message: 'it is the primary already',
    expected: 'a standby',
    found: `it takes writes on timeline ${String(timeline)}`,
    remedy: 'nothing is to be done',
  });
}

/** How there is a standby again. */
function standbyBack(sights: readonly Sight[]): string {
  const primary = newestWriter(sights.filter(({ writable }) => writable));
  const old = sights.filter((sight) => (!sight.standby || sight.pastFork) && sight !== primary);
  const stopped = sights.filter((s) => s.standby && !s.running && !s.pastFork);
  const newest = Math.max(0, ...sights.map(({ timeline }) => timeline));
  const last = sights.filter((s) => !s.standby && !s.running && s.timeline === newest);
  const ways = [
    ...(primary === undefined ? last.map(lastBack) : []),
    ...(primary === undefined
      ? []
      : old.map(({ host }) => `\`odoo-prov rejoin FILE --host ${host}\` makes ${host} a standby`)),
    ...stopped.map(({ host }) => `\`odoo-prov apply FILE --limit ${host}\` starts ${host}`),
  ];
  const way = ways.join('; ') || 'bring the host of a standby back';
  return primary === undefined ? way : `${primary.host} is primary and takes writes. ${way}`;
}

/** How the server that was primary last takes writes again, as far as these hosts know. Its guard does not start a fenced one. */
function lastBack({ host, fenced }: Sight): string {
  return fenced
    ? `${host} was primary last and is fenced: bring back the host that has taken over from it; if that and all others are lost for good, \`touch ${LONE_START_WORD}\` on ${host}, with PostgreSQL stopped on the others, lets \`odoo-prov apply FILE\` start it`
    : `\`odoo-prov apply FILE\` starts ${host}, which was primary last`;
}

function tooFarBehind(cluster: Cluster, candidate: Sight, most: Sight, behind: bigint): Failure {
  return new Failure({
    reason: 'refused',
    host: candidate.host,
    message: `it lacks ${bytesText(behind)} of WAL that ${most.host} has`,
    expected: `at most ${bytesText(BigInt(cluster.postgres.replication.maxLag))} (postgres.replication.max_lag)`,
    found: `${bytesText(behind)} behind`,
    remedy: `promote ${most.host} (--to ${most.host}), or wait until ${candidate.host} has caught up`,
  });
}

/** Why nobody is promoted without the operator's choice: what a stopped standby has more is there again once it runs. */
export function stoppedHasMore({ candidate, most, behind }: Choice): Failure {
  return new Failure({
    reason: 'refused',
    host: candidate.host,
    message: `it lacks ${bytesText(behind)} of WAL that ${most.host} has, a standby whose PostgreSQL ${silence(most)}`,
    expected: `PostgreSQL running on ${most.host}, so that nothing of that is lost`,
    found: `${bytesText(behind)} behind`,
    remedy: `start PostgreSQL on ${most.host} (there: ${START}), then run this again. If it does not start: --to ${candidate.host} goes on without it, and \`odoo-prov rejoin FILE --host ${most.host}\` saves later what only it has`,
  });
}

/** What a server that does not run does. */
export function silence({ stuck }: Sight): string {
  return stuck ? 'does not answer' : 'is stopped';
}
