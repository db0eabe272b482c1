import { walFileName, walFileStart } from './timeline-history.js';
import type { BackupSet } from './repository-info.js';

/*
 * PostgreSQL takes a segment that the archive has not for the end of the WAL: what was archived after a hole would be left
 * out, and nobody told. So a restore looks for holes on its way before it begins.
 */

/** Bytes of a segment: PostgreSQL's default (initdb, "--wal-segsize"), which every cluster of ours has. */
const SEGMENT = 16 * 1024 ** 2;

/** Archived segments of a timeline that follow each other, by the names of the first and the last. */
export interface SegmentRun {
  readonly first: string;
  readonly last: string;
  /** When the last one was archived: seconds since 1970, by the repository's clock. */
  readonly at: number;
}

/** A segment that is missing. */
export interface Hole {
  readonly segment: string;
  /** When the last one before it was archived: all that it holds was written before. Undefined where there is none. */
  readonly after: number | undefined;
}

/** A timeline and how far it belongs to the way; to its end if not given. */
export interface Leg {
  readonly timeline: number;
  readonly until?: bigint;
}

/**
 * Shell: reads archived files, a line `SECONDS PATH` each with the time of their archiving, and prints a line
 * `FIRST LAST SECONDS` for each run of segments.
 */
export const segmentRuns = `sed -nE 's,^([0-9]+)[.0-9]* (.*/)?([0-9A-F]{24})-.*,\\3 \\1,p' | sort -u -k 1,1 | awk '
function hex(s, i, n) {
  n = 0
  for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789ABCDEF", substr(s, i, 1)) - 1
  return n
}
{
  timeline = substr($1, 1, 8)
  number = hex(substr($1, 9, 8)) * 256 + hex(substr($1, 17, 8))
  if (timeline != before || number != next_number) {
    if (first != "") print first, last
    first = $1
  }
  last = $0
  before = timeline
  next_number = number + 1
}
END { if (first != "") print first, last }'`;

/** Reads what {@link segmentRuns} printed. */
export function parseRuns(text: string): readonly SegmentRun[] {
  return [...text.matchAll(/^([0-9A-F]{24}) ([0-9A-F]{24}) ([0-9]+)$/gm)].map(
    ([, first = '', last = '', at = '']) => ({ first, last, at: Number(at) }),
  );
}

/**
 * The first segment that a recovery needs and the archive has not.
 * @param way the timelines that lead to the target
 * @param until the target's position; undefined: all that was archived
 * @returns undefined where nothing is missing, or where segments are of another size than ours
 */
export function holeOnWay(
  runs: readonly SegmentRun[],
  set: BackupSet,
  way: readonly Leg[],
  until: bigint | undefined,
): Hole | undefined {
  // It ends in this one; with another size of segments its name would be another.
  if (runs.length === 0 || walFileName(set.timeline, set.lsn - 1n, SEGMENT) !== set.segment) {
    return undefined;
  }
  let from = set.lsn - 1n;
  let after: number | undefined;
  for (const leg of way.slice(way.findIndex(({ timeline }) => timeline === set.timeline))) {
    const own = runs.filter(({ first }) => Number.parseInt(first.slice(0, 8), 16) === leg.timeline);
    // The segment in which a timeline was left is archived as one of its successor's.
    const needed =
      leg.until === undefined
        ? lastNeeded(own, until)
        : numberOf(walFileName(leg.timeline, leg.until, SEGMENT)) - 1n;
    const missing = firstMissing(own, numberOf(walFileName(leg.timeline, from, SEGMENT)), needed);
    if (missing !== undefined) {
      const segment = walFileName(leg.timeline, missing * BigInt(SEGMENT), SEGMENT);
      return { segment, after: own.findLast(({ last }) => last < segment)?.at ?? after };
    }
    after = own.at(-1)?.at ?? after;
    if (leg.until !== undefined) from = leg.until;
  }
  return undefined;
}

function numberOf(name: string): bigint {
  return walFileStart(name, SEGMENT) / BigInt(SEGMENT);
}

/** @returns -1 where nothing of the last timeline was archived yet: nothing of it is needed */
function lastNeeded(own: readonly SegmentRun[], until: bigint | undefined): bigint {
  if (until !== undefined) return (until - 1n) / BigInt(SEGMENT);
  const last = own.at(-1);
  return last === undefined ? -1n : numberOf(last.last);
}

function firstMissing(
  own: readonly SegmentRun[],
  from: bigint,
  needed: bigint,
): bigint | undefined {
  if (needed < from) return undefined;
  const run = own.find(({ first, last }) => numberOf(first) <= from && from <= numberOf(last));
  if (run === undefined) return from;
  return numberOf(run.last) >= needed ? undefined : numberOf(run.last) + 1n;
}
