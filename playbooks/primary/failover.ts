import { finishAll } from '../../src/concurrency/finish-all.js';
import { Failure } from '../../src/failure/failure.js';
import { observedCluster } from '../../src/facts/topology.js';
import { databaseHosts, type Cluster } from '../../src/inventory/cluster.js';
import {
  bytesText,
  chooseCandidate,
  hasStandby,
  silence,
  START,
  stoppedHasMore,
  type Choice,
  type Sight,
} from '../../src/postgres/promotion.js';
import { isOutdated } from '../../src/postgres/outdated.js';
import { severalPrimaries } from '../../src/postgres/two-primaries.js';
import { archiveReceived } from './archive-received.js';
import { catchUp } from './catch-up.js';
import { pausingText } from './enough-settings.js';
import { leadFollowers } from './followers.js';
import { leftFaultsText } from './left-fault.js';
import { requireNoLivingSender } from './living-sender.js';
import { cutText, type MoveView } from './move-view.js';
import { pausedText } from './paused-replay.js';
import { backupText, type View } from './sight.js';
import { cutOff, letThrough, pointTo } from './poolers.js';
import { checkpoint, fence, goOnAlone, promote, reconnectBus, type Mover } from './steps.js';

export interface FailoverOptions {
  /** The standby to promote, by the operator's choice. */
  readonly to?: string;
  /** The operator's word that these hosts are off and stay off. */
  readonly confirmDead: readonly string[];
  /** Also while the primary is alive: it is stopped then. */
  readonly force: boolean;
  /** Who was primary at the last run. */
  readonly remembered?: string;
  /**
   * Asked with the host to promote where commits would wait for a standby that is not there, and the inventory does
   * not say `on_standby_loss: continue`.
   */
  readonly withoutStandby: (host: string) => Promise<'block' | 'continue'>;
}

/** What a failover is going to do; nothing has been changed yet. */
export interface FailoverPlan {
  readonly choice: Choice;
  /** Hosts with a primary's data that are to be stopped. */
  readonly fence: readonly string[];
  /** Hosts that cannot be reached and were confirmed dead. */
  readonly dead: readonly string[];
  /** What only a rejoin takes back: those two, and a stopped standby that has more than the one to be promoted. */
  readonly left: readonly string[];
  /** No standby is left for commits to wait for, and they are not to wait. */
  readonly alone: boolean;
  /** What will happen, a line each. */
  readonly steps: readonly string[];
  /** What the operator should know, true at the moment of the look. */
  readonly notes: readonly string[];
}

/**
 * Decides whether a failover is safe.
 * @throws Failure refused: a primary that is alive (without force, or out of reach), several of them, a fence that nobody confirmed,
 *   no standby that may take over, or without {@link FailoverOptions.to} one that is stopped and has more
 */
export async function planFailover(
  cluster: Cluster,
  view: MoveView,
  options: FailoverOptions,
): Promise<FailoverPlan> {
  const living = view.sights.find(({ host }) => options.confirmDead.includes(host));
  if (living !== undefined) throw notDead(living.host);
  const writers = view.sights.filter((sight) => sight.writable);
  if (writers.length > 1 && !options.force) throw severalPrimaries(writers);
  const choice = chooseCandidate(cluster, view.sights, options.to, [...view.silent.keys()]);
  const [alive] = writers;
  if (alive !== undefined && !options.force) throw stillAlive(alive);
  if (alive === undefined) await requireNoLivingSender(cluster, view.sessions, view.sights);
  if (options.to === undefined && !choice.most.running) throw stoppedHasMore(choice);
  const old = view.sights.filter((sight) => !sight.standby).map(({ host }) => host);
  const dead = silentPrimaries(cluster, view, options);
  const { candidate, others } = choice;
  const { replication } = cluster.postgres;
  const lonely = replication.synchronous !== 'off' && !hasStandby(cluster, others);
  const onLoss =
    !lonely || replication.onStandbyLoss === 'continue'
      ? replication.onStandbyLoss
      : await options.withoutStandby(candidate.host);
  const alone = lonely && onLoss === 'continue';
  const stuck = new Set(view.sights.filter((sight) => sight.stuck).map(({ host }) => host));
  const steps = [
    'hold all clients back at every PgBouncer',
    ...old.map(
      (host) =>
        `stop PostgreSQL on ${host}${stuck.has(host) ? ', which does not answer,' : ''} and keep it down`,
    ),
    ...dead.map((host) => `${host}: off, by your word (--confirm-dead)`),
    `promote ${candidate.host}, ${receivedText(choice, replication.synchronous !== 'off')}`,
    ...(lonely ? [standbyText(candidate.host, alone)] : []),
    `lead every PgBouncer to ${candidate.host} and let the clients through`,
    ...others.map(({ host }) => `${host} follows ${candidate.host}`),
    ...archivingText(cluster, candidate.host),
    'restart odoo-gevent, so that live chat listens again at once',
    ...[...old, ...dead].map(
      (host) => `later, by you: odoo-prov rejoin FILE --host ${host}, which stays down until then`,
    ),
    ...stoppedStep(choice),
  ];
  const notes = [
    ...cutText(view),
    ...leftFaultsText(view.armed),
    ...startableText(view.sights),
    ...(alive === undefined ? [] : backupText(alive)),
    ...stoppedText(choice),
    ...pausingText(candidate, others),
    ...pausedText(candidate, others),
    ...newestText(candidate),
  ];
  const { most } = choice;
  const left = [...old, ...dead, ...(most.running ? [] : [most.host])];
  return { choice, fence: old, dead, left, alone, steps, notes };
}

/** A primary that is only stopped is better started than replaced. */
function startableText(sights: readonly Sight[]): string[] {
  const stopped = sights.filter((sight) => isLast(sight, sights) && !sight.running && !sight.stuck);
  return stopped.map(
    ({ host }) =>
      `${host} answers, and only its PostgreSQL is down: odoo-prov apply FILE starts it, and nothing is lost; fail over if that does not help`,
  );
}

/** A standby that is stopped, and has more than the one to be promoted, cannot follow that. */
function stoppedStep({ most }: Choice): string[] {
  if (most.running) return [];
  return [
    `later, by you: odoo-prov rejoin FILE --host ${most.host}, which cannot follow: it saves the rows that only it has`,
  ];
}

function stoppedText({ candidate, most, behind }: Choice): string[] {
  if (most.running) return [];
  return [
    `PostgreSQL on ${most.host}, a standby, ${silence(most)} and has ${bytesText(behind)} of WAL that ${candidate.host} lacks: start it (there: ${START}) and run this again, and nothing of that is lost; fail over if that does not help`,
  ];
}

function newestText({ host, newest }: Sight): string[] {
  if (newest === undefined) return [];
  const time = newest.toISOString().slice(0, 19).replace('T', ' ');
  return [
    `${host}'s newest transaction was saved at ${time} UTC; what was saved later is not there`,
  ];
}

function archivingText({ postgres }: Cluster, host: string): string[] {
  return postgres.backup === undefined ? [] : [`${host} archives what the old primary had not`];
}

function standbyText(host: string, alone: boolean): string {
  return alone
    ? `${host} saves alone until a standby is back: if it is lost as well, so may be all of that time`
    : `no standby is left: every commit on ${host} waits until one is back (\`--on-standby-loss continue\` does not wait)`;
}

function receivedText({ candidate, others, behind, most }: Choice, synchronous: boolean): string {
  const which =
    behind > 0n
      ? most.running
        ? `which first fetches ${bytesText(behind)} of WAL that only ${most.host} has`
        : `which lacks ${bytesText(behind)} that ${most.host}, which ${silence(most)}, has`
      : others.length === 0
        ? 'the only standby'
        : 'which has most WAL of all that were seen';
  const lost = synchronous
    ? 'what the primary had not sent is lost: with synchronous replication nothing that was acknowledged, unless it went on alone or somebody changed its settings (`status` names that)'
    : 'what the primary had not sent is lost';
  return `${which} (timeline ${String(candidate.timeline)}); ${lost}`;
}

/**
 * Whether it holds the data of the last primary, by all that was seen. Data that a standby is beyond is not, nor is what a
 * failover has stopped: another one may have been promoted since.
 */
function isLast(sight: Sight, sights: readonly Sight[]): boolean {
  return !sight.standby && !sight.fenced && !isOutdated(sight, sights);
}

/**
 * Silent hosts that may be the primary: each must be confirmed to be off. With the last primary's data seen, it is only
 * whom the last run saw as primary; otherwise it may be any, for what was remembered may be of before another move.
 */
function silentPrimaries(cluster: Cluster, view: View, options: FailoverOptions): string[] {
  const silent = databaseHosts(cluster)
    .map(({ name }) => name)
    .filter((name) => view.silent.has(name));
  const known = view.sights.some((sight) => isLast(sight, view.sights));
  const suspects = known ? silent.filter((name) => name === options.remembered) : silent;
  const unconfirmed = suspects.find((name) => !options.confirmDead.includes(name));
  if (unconfirmed !== undefined) {
    const confirmed = suspects.filter((name) => options.confirmDead.includes(name));
    throw notFenced(unconfirmed, view.silent.get(unconfirmed), confirmed);
  }
  return suspects;
}

function stillAlive(alive: Sight): Failure {
  return new Failure({
    reason: 'refused',
    host: alive.host,
    message:
      'the primary is alive and takes writes: a failover could lose what it has not sent yet',
    expected: 'a primary that is down',
    found: `PostgreSQL runs there, on timeline ${String(alive.timeline)}`,
    remedy: `\`odoo-prov switchover FILE\` moves it without losing anything. --force stops it and fails over all the same`,
  });
}

function notDead(host: string): Failure {
  return new Failure({
    reason: 'refused',
    host,
    message: 'it answers, so it is not dead',
    expected: 'a host that is off, and stays off',
    found: 'it was asked over SSH, and answered',
    remedy: `leave --confirm-dead ${host} out: what can be reached is stopped by the failover itself`,
  });
}

function notFenced(host: string, why: Failure | undefined, confirmed: readonly string[]): Failure {
  return new Failure({
    reason: 'refused',
    host,
    message: 'it cannot be reached, so nobody can tell whether it still takes writes',
    expected: 'the old primary stopped, over SSH or by your own hand',
    found: why?.message ?? 'no answer',
    remedy: `switch its power off (or its network port), then run this again with --confirm-dead ${[...confirmed, host].join(',')}. What it had not sent is lost: with synchronous replication nothing that was acknowledged (unless it went on alone, without a standby, or somebody changed its settings), else the last moments`,
  });
}

/** Carries a plan out. */
export async function runFailover(mover: Mover, plan: FailoverPlan): Promise<void> {
  const { candidate, others } = plan.choice;
  const why = `${candidate.host} took over by failover`;
  await finishAll([cutOff(mover), ...plan.fence.map((host) => fence(mover, host, why))]);
  const ahead = await catchUp(mover, plan.choice);
  const observed = observedCluster(mover.cluster, { primary: candidate.host });
  const pointing = pointTo(mover, observed);
  await promote(mover, candidate.host);
  mover.onPromoted?.();
  const following = others.filter((other) => !ahead.includes(other));
  const names = following.map(({ host }) => host);
  // The clients first, and no host waits for what fails at another.
  await finishAll([
    ...(plan.alone ? [goOnAlone(mover, candidate.host)] : []),
    letThrough(mover, observed, pointing).then(() => reconnectBus(mover)),
    leadFollowers(mover, candidate.host, { running: names }),
    archiveReceived(mover, candidate.host),
  ]);
  await checkpoint(mover, candidate.host);
}
