import { Failure } from '../../src/failure/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { hasStandby, type Sight } from '../../src/postgres/promotion.js';
import { aheadNext } from '../../src/postgres/past-fork.js';
import { newestWriter } from '../../src/postgres/two-primaries.js';
import type { Session } from '../../src/transport/session.js';
import type { Reached } from './connect.js';
import { refuseLeftFaults } from './left-fault.js';
import { lookAtRejoining, requireMovable, type Rejoining } from './rejoin-look.js';
import { lookAtAll, withoutPrimary } from './sight.js';

/** What is done with what only the old primary has, and with its data. */
export interface Keeping {
  /** Its rows are saved as CSV files. */
  readonly rows: boolean;
  /** All of its data is kept in a folder beside the new. */
  readonly data: boolean;
  /** Everything is copied anew, whatever could be taken back: for data that is damaged. Takes a standby that follows as well. */
  readonly clone: boolean;
}

export interface RejoinPlan {
  readonly primary: Sight;
  /** Old primaries, and standbys that cannot follow, that become standbys of it. */
  readonly rejoining: readonly Rejoining[];
  readonly keeping: Keeping;
  readonly steps: readonly string[];
}

/**
 * Looks for hosts that hold an old primary's data, also those whose rejoin was cut.
 * @param host only this one, if given
 * @throws Failure refused: no primary, the host is no old primary or does not answer, its data cannot be kept, a fault that
 *   a failover-test has left on it or on the primary
 */
export async function planRejoin(
  cluster: Cluster,
  reached: Reached,
  host: string | undefined,
  keeping: Keeping = { rows: true, data: false, clone: false },
): Promise<RejoinPlan> {
  const view = await lookAtAll(cluster, reached.sessions, reached.unreached);
  const primary = newestWriter(view.sights.filter((sight) => sight.writable));
  if (primary === undefined) {
    refuseLeftFaults(view.armed);
    throw noPrimary(view.sights);
  }
  const silent = host === undefined ? undefined : view.silent.get(host);
  if (silent !== undefined) throw silent;
  const { clone } = keeping;
  const rejoining = await thoseToRejoin(cluster, reached, view.sights, primary, { host, clone });
  if (rejoining.length === 0) {
    const others =
      host === undefined ? [] : await thoseToRejoin(cluster, reached, view.sights, primary, {});
    throw nothingToDo(
      view.sights,
      primary,
      host,
      others.map(({ sight }) => sight.host),
      [...view.silent.keys()],
    );
  }
  refuseLeftFaults(view.armed, [primary.host, ...rejoining.map(({ sight }) => sight.host)]);
  rejoining.forEach(requireMovable);
  const steps = rejoining.flatMap((one) => [
    ...waitingText(cluster, view.sights, primary, one),
    ...stepsOf(one, primary, keeping),
  ]);
  return { primary, rejoining, keeping, steps };
}

interface Named {
  /** Only this one, if given. */
  readonly host?: string | undefined;
  readonly clone?: boolean;
}

async function thoseToRejoin(
  cluster: Cluster,
  reached: Reached,
  sights: readonly Sight[],
  primary: Sight,
  { host, clone = false }: Named,
): Promise<readonly Rejoining[]> {
  const named = sights.filter((sight) =>
    host === undefined
      ? (!sight.standby || isLost(sight) || isStopped(sight)) && sight !== primary
      : sight.host === host && sight !== primary,
  );
  const candidates = await Promise.all(
    named.map((sight) => lookAtRejoining(cluster, sessionOf(reached, sight.host), sight)),
  );
  return candidates.filter((one) => mayRejoin(one, primary, host) || (clone && one.sight.standby));
}

function sessionOf({ sessions }: Reached, host: string): Session {
  const session = sessions.get(host);
  if (session === undefined) throw new Error(`${host} was seen and is not connected`);
  return session;
}

/** A standby that only a rejoin takes back: it cannot follow, or an earlier one was cut while it compared its rows. */
function isLost({ pastFork, compared }: Sight): boolean {
  return pastFork || compared;
}

/** Not one that hangs or is frozen. */
function isStopped({ running, stuck }: Sight): boolean {
  return !running && !stuck;
}

function mayRejoin({ sight, phase }: Rejoining, primary: Sight, host: string | undefined): boolean {
  if (phase !== 'none') return true;
  if (sight.standby) {
    // One that went on with the old primary for a moment cannot follow the new one either, however often it asks.
    if (isLost(sight)) return sight.received !== primary.timeline;
    return sight.host === host && sight.received === undefined;
  }
  if (sight.timeline < primary.timeline) return true;
  // Of the same timeline, and not cut by us: somebody says which of the two is right by naming it.
  return sight.timeline === primary.timeline && sight.host === host && !sight.running;
}

/** Whether a host's data is to be replaced as a whole: nothing tells where it differs, or nobody has what comes next. */
export function needsClone(one: Rejoining, primary: Sight, keeping: Keeping): boolean {
  const { sight, phase, gone } = one;
  if (phase === 'rewinding' || phase === 'copied') return phase === 'rewinding';
  if (keeping.clone && (phase === 'rewound' || rowsOf(one, primary) === undefined)) return true;
  if (phase === 'rewound') return false;
  return gone !== undefined || (!sight.standby && sight.timeline >= primary.timeline);
}

/**
 * Whose rows are looked for that the primary does not have: on the timeline of the data, which is left behind. Undefined where
 * there are none, since it is on the primary's own.
 */
export function rowsOf({ sight }: Rejoining, primary: Sight): Sight | undefined {
  const timeline = sight.pastFork ? sight.dataTimeline : sight.timeline;
  return timeline < primary.timeline ? { ...sight, timeline } : undefined;
}

function stepsOf(one: Rejoining, primary: Sight, keeping: Keeping): readonly string[] {
  const { host } = one.sight;
  const last = `${host}: follow ${primary.host}`;
  const clone = `copy everything from ${primary.host}, keep the old data in a folder beside the new`;
  if (needsClone(one, primary, keeping)) {
    const why = one.gone === undefined ? '' : ` (nobody has the WAL that it needs, ${one.gone})`;
    return [`${host}: stop PostgreSQL, ${clone}${why}`, last];
  }
  if (one.phase === 'rewound' || one.phase === 'copied') {
    return [`${host}: it has been ${one.phase} already`, last];
  }
  return [
    `${host}: stop PostgreSQL`,
    ...(keeping.rows
      ? [`${host}: save the rows that only it has (its data is started by itself for that)`]
      : [`${host}: do not look for rows that only it has`]),
    ...(keeping.clone
      ? [`${host}: ${clone}`]
      : [
          ...(keeping.data ? [`${host}: keep a copy of all its data aside`] : []),
          `${host}: take back what only it has (pg_rewind); where that cannot be done, ${clone}`,
        ]),
    last,
  ];
}

/** What taking a standby that follows away from the primary costs meanwhile. */
function waitingText(
  cluster: Cluster,
  sights: readonly Sight[],
  primary: Sight,
  { sight: { host, received } }: Rejoining,
): readonly string[] {
  const { synchronous, onStandbyLoss } = cluster.postgres.replication;
  const others = sights.filter((s) => s.host !== host && s.received === primary.timeline);
  const waits = synchronous !== 'off' && onStandbyLoss !== 'continue';
  if (received === undefined || !waits || hasStandby(cluster, others)) return [];
  return [
    `every commit on ${primary.host} waits until ${host} follows again: no other standby does`,
  ];
}

function noPrimary(sights: readonly Sight[]): Failure {
  return new Failure({
    reason: 'refused',
    message: 'no host takes writes: there is nobody to follow',
    expected: 'a primary that runs',
    found: `none of ${sights.map(({ host }) => host).join(', ') || 'the database hosts'}`,
    remedy: withoutPrimary(sights),
  });
}

/**
 * Why nothing is rejoined.
 * @param host the one that was named, if one was
 * @param others hosts that a rejoin without `--host` takes
 * @param silent hosts that do not answer, and may be old primaries
 */
export function nothingToDo(
  sights: readonly Sight[],
  primary: Sight,
  host: string | undefined,
  others: readonly string[] = [],
  silent: readonly string[] = [],
): Failure {
  if (host !== undefined && sights.every((sight) => sight.host !== host)) return withoutData(host);
  const rival = sights.find(
    (s) =>
      !s.standby &&
      s.host !== primary.host &&
      s.timeline >= primary.timeline &&
      !others.includes(s.host),
  );
  return new Failure({
    reason: 'refused',
    ...(host === undefined ? {} : { host }),
    message:
      host === undefined
        ? 'there is no old primary to rejoin'
        : 'it is no old primary, nor a standby that cannot follow',
    expected: `a host that was primary before ${primary.host}`,
    found: [
      ...sights.map((sight) => `${sight.host}: ${wordsOf(sight, primary)}`),
      ...silent.map((name) => `${name}: no answer`),
    ].join('; '),
    remedy: join(host, [
      ...(others.length > 0 ? [`\`odoo-prov rejoin FILE\` takes ${others.join(', ')}`] : []),
      ...(rival === undefined ? [] : [rivalRemedy(rival, primary)]),
      ...(others.length > 0 || rival !== undefined ? [] : standbysRemedy(sights, primary, host)),
      ...(host === undefined && silent.length > 0
        ? [`bring back ${silent.join(', ')}, and run this again`]
        : []),
    ]),
  });
}

function join(host: string | undefined, remedies: readonly string[]): string {
  if (remedies.length > 0) return remedies.join('. ');
  const damaged =
    host === undefined
      ? ''
      : `. If its data is damaged: \`odoo-prov rejoin FILE --host ${host} --clone\` copies everything anew`;
  return `nothing is to be done; \`odoo-prov apply FILE\` mends standbys${damaged}`;
}

/** A copy that was cut here goes on there by itself. */
function withoutData(host: string): Failure {
  return new Failure({
    reason: 'refused',
    host,
    message: 'it holds no database: everything is being copied there, or that was cut',
    expected: 'a host whose data is whole',
    found: 'no data, or half of it',
    remedy: `a copy that was begun goes on by itself: run the same command again in some minutes. Where none runs: \`odoo-prov apply FILE --limit ${host}\` copies everything`,
  });
}

function rivalRemedy({ host }: Sight, primary: Sight): string {
  return `if ${primary.host} has the data to go on with: stop PostgreSQL on ${host}, then \`odoo-prov rejoin FILE --host ${host}\` copies everything from ${primary.host} and keeps the other data in a folder`;
}

function wordsOf(sight: Sight, primary: Sight): string {
  const { host, standby, running, stuck, timeline, pastFork, received } = sight;
  if (host === primary.host) return 'the primary';
  const state = running ? '' : stuck ? ', PostgreSQL does not answer' : ', PostgreSQL is stopped';
  if (standby) {
    const lost = pastFork && received !== primary.timeline;
    return `a standby${lost ? ' that cannot follow' : ''}${state}`;
  }
  if (timeline === primary.timeline) return `a primary of the same timeline${state}`;
  const age = timeline < primary.timeline ? 'an older' : 'a newer';
  return `a primary of ${age} timeline, ${String(timeline)} (${primary.host}: ${String(primary.timeline)})${state}`;
}

/** What helps standbys that do not follow; nothing where all of them do. */
function standbysRemedy(
  sights: readonly Sight[],
  primary: Sight,
  host: string | undefined,
): readonly string[] {
  // Its data tells which rows only it has, and only when it is stopped.
  const ahead = sights.find((s) => s.pastFork && s.received === primary.timeline);
  if (ahead !== undefined) return [aheadNext(ahead.host)];
  const idle = sights.filter((s) => s.standby && s.received === undefined && s.host !== host);
  if (idle.length === 0) return [];
  const does = (sight: Sight): string =>
    isStopped(sight)
      ? `starts PostgreSQL on ${sight.host}`
      : `mends ${sight.host}, which receives nothing`;
  const forced = idle.map((s) => `\`odoo-prov rejoin FILE --host ${s.host}\``);
  return [
    `\`odoo-prov apply FILE\` ${idle.map(does).join(', ')}. Only if that does not help: ${forced.join(', ')}`,
  ];
}
