import { holeOnWay, type Hole, type Leg, type SegmentRun } from './archive-holes.js';
import type { RecoveryHistory, RestorePoint } from './recovery-history.js';
import { lsnOf, type BackupSet, type RepositoryInfo } from './repository-info.js';

/** The moment that is wanted back. */
export type RecoveryTarget =
  | {
      readonly type: 'time';
      /** Seconds since 1970, with fractions. */
      readonly at: number;
    }
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'latest' };

/** From which backup, along which timeline, up to where. */
export interface RecoveryPlan {
  readonly set: BackupSet;
  readonly timeline: number;
  /** pgBackRest's options for it. */
  readonly options: readonly string[];
  /** The archive has a hole behind the target, a time. */
  readonly toHole?: true;
}

/** Why there is no way to the target. */
export interface NoRecovery {
  readonly found: string;
  readonly remedy: string;
}

/** What the repository knows. */
export interface Recoverable {
  readonly info: RepositoryInfo;
  readonly history: RecoveryHistory;
  /** Texts of the `.history` files in the archive, by their timeline. */
  readonly timelines: ReadonlyMap<number, string>;
  /** What is archived, by name; empty where nobody could tell. */
  readonly segments: readonly SegmentRun[];
}

/** The timelines that lead to one, with the positions at which each was left (PostgreSQL, timeline.c). */
export function wayTo(timeline: number, timelines: Recoverable['timelines']): readonly Leg[] {
  const parents = (timelines.get(timeline) ?? '').split('\n').flatMap((line): Leg[] => {
    const [, parent, lsn] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/.exec(line) ?? [];
    return parent === undefined || lsn === undefined
      ? []
      : [{ timeline: Number(parent), until: lsnOf(lsn) }];
  });
  return [...parents, { timeline }];
}

/**
 * How to get to a target.
 *
 * A time is looked for on the timeline that was written at that time: after the database was set back, what
 * came before that is on the timeline that was left. The backup is the newest one that lies on the way: PostgreSQL refuses one that
 * was made on an ancestor after it was left.
 */
export function planRecovery(
  known: Recoverable,
  target: RecoveryTarget,
): RecoveryPlan | NoRecovery {
  const { info, history } = known;
  if (info.sets.length === 0) {
    return { found: 'no backup', remedy: 'make one: odoo-prov backup FILE' };
  }
  const newest = newestTimeline(known);
  if (target.type === 'latest') {
    const plan = choose(known, newest, () => true, ['--type=default'], 'the latest moment');
    return withoutHole(known, plan);
  }
  if (target.type === 'time') {
    const at = target.at;
    const left = history.setBacks.find((event) => at < event.at);
    const timeline = left?.from ?? newest;
    const options = ['--type=time', `--target=${postgresTime(at)}`, '--target-action=promote'];
    const plan = choose(known, timeline, (set) => set.stopped <= at, options, postgresTime(at));
    // What was archived before the hole was written before that: up to there every moment is reached.
    return withoutHole(known, plan, ({ after }) => after !== undefined && at <= after);
  }
  const point = history.points.findLast(({ name }) => name === target.name);
  if (point === undefined) return unknownPoint(history.points);
  const options = ['--type=name', `--target=${point.name}`, '--target-action=promote'];
  const plan = choose(known, point.timeline, (set) => set.lsn <= point.lsn, options, point.name);
  return withoutHole(known, plan, () => false, point.lsn);
}

/**
 * A plan that can be carried out: PostgreSQL would end at a hole, and take that for the end or, with a time, break off when
 * everything was stopped already.
 * @param beyond whether a hole lies behind the target
 */
function withoutHole(
  { segments, timelines }: Recoverable,
  plan: RecoveryPlan | NoRecovery,
  beyond: (hole: Hole) => boolean = () => false,
  until?: bigint,
): RecoveryPlan | NoRecovery {
  if ('found' in plan) return plan;
  const hole = holeOnWay(segments, plan.set, wayTo(plan.timeline, timelines), until);
  if (hole === undefined) return plan;
  if (beyond(hole)) return { ...plan, toHole: true };
  const reached = hole.after === undefined ? 'an earlier moment' : postgresTime(hole.after);
  return {
    found: `a hole in the archive: ${hole.segment} is missing, and what follows it cannot be reached from the backup ${plan.set.label}`,
    remedy: `what was written before that: --to-time with ${reached} at most. If this cluster still runs: odoo-prov backup FILE, now, begins behind the hole`,
  };
}

/** Moments that can be restored: all from the end of a backup on, to the newest or to a hole. */
export interface RecoverableSpan {
  readonly set: BackupSet;
  readonly hole: Hole | undefined;
}

/**
 * What can be restored on the way to the newest timeline, oldest first.
 * @param known its segments at least from the first of `sets` on
 */
export function recoverableSpans(
  known: Recoverable,
  sets: readonly BackupSet[] = known.info.sets,
): readonly RecoverableSpan[] {
  const way = wayTo(newestTimeline(known), known.timelines);
  const spans: RecoverableSpan[] = [];
  for (const set of setsOnWay(sets, way)) {
    const hole = holeOnWay(known.segments, set, way, undefined);
    const before = spans.at(-1);
    // With the same hole before it, it only repeats the one before.
    if (before === undefined || hole?.segment !== before.hole?.segment) spans.push({ set, hole });
  }
  return spans;
}

function setsOnWay(sets: readonly BackupSet[], way: readonly Leg[]): readonly BackupSet[] {
  return sets.filter((set) =>
    way.some((leg) => leg.timeline === set.timeline && (leg.until ?? set.lsn) >= set.lsn),
  );
}

/** The timeline that is written now, or was when the database was lost. */
export function newestTimeline({ info, timelines }: Recoverable): number {
  return Math.max(1, ...timelines.keys(), ...info.sets.map(({ timeline }) => timeline));
}

function choose(
  { info, timelines }: Recoverable,
  timeline: number,
  early: (set: BackupSet) => boolean,
  options: readonly string[],
  wanted: string,
): RecoveryPlan | NoRecovery {
  const way = wayTo(timeline, timelines);
  const onTheWay = setsOnWay(info.sets, way);
  const set = onTheWay.filter(early).at(-1);
  if (set === undefined) {
    const [oldest] = onTheWay;
    return {
      found: `no backup from which timeline ${String(timeline)} can be reached had ended before ${wanted}`,
      remedy:
        oldest === undefined
          ? 'odoo-prov backup FILE --list shows what there is'
          : `a moment after ${postgresTime(oldest.stopped)}: odoo-prov backup FILE --list shows what there is`,
    };
  }
  return {
    set,
    timeline,
    options: [`--set=${set.label}`, ...options, `--target-timeline=${String(timeline)}`],
  };
}

function unknownPoint(points: readonly RestorePoint[]): NoRecovery {
  const names = [...new Set(points.map(({ name }) => name))];
  return {
    found: names.length === 0 ? 'no restore point was ever made' : `only ${names.join(', ')}`,
    remedy: 'odoo-prov backup FILE --name NAME makes one; --to-time takes any moment',
  };
}

/** Seconds since 1970 as PostgreSQL reads and shows them, in UTC with microseconds where there are any. */
export function postgresTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const [date = '', time = ''] = new Date(whole * 1000).toISOString().split('T');
  const micro = Math.round((seconds - whole) * 1e6);
  const fraction = micro === 0 ? '' : `.${String(micro).padStart(6, '0')}`;
  return `${date} ${time.slice(0, 8)}${fraction}+00`;
}
