import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { holeOnWay, parseRuns, segmentRuns } from '../../src/postgres/archive-holes.js';
import { filesSince } from '../../src/postgres/repository-files.js';
import type { BackupSet } from '../../src/postgres/repository-info.js';

/** A name of a segment, by its timeline and number. */
function segment(timeline: number, number: number): string {
  return [timeline, Math.floor(number / 256), number % 256]
    .map((part) => part.toString(16).toUpperCase().padStart(8, '0'))
    .join('');
}

function archived(names: readonly string[]): ReturnType<typeof parseRuns> {
  const input = names
    .map(
      (name, i) =>
        `${String(1000 + i)}.25 /srv/archive/acme/17-1/${name.slice(0, 16)}/${name}-${'0'.repeat(40)}.zst\n`,
    )
    .join('');
  return parseRuns(spawnSync('sh', ['-euc', segmentRuns], { input, encoding: 'utf8' }).stdout);
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const on = (timeline: number, from: number, to: number): string[] =>
  numbers(from, to).map((number) => segment(timeline, number));

/** A backup that ends in a segment of a timeline. */
function backup(timeline: number, number: number): BackupSet {
  return {
    ...{ label: 'A', type: 'full', started: 0, stopped: 0, size: 0, stored: 0 },
    ...{ timeline, lsn: BigInt(number) * 0x1000000n + 0x100n, segment: segment(timeline, number) },
  };
}
const position = (number: number): bigint => BigInt(number) * 0x1000000n + 0x500n;

describe('runs of archived segments', () => {
  it('end at a hole and at another timeline, and go on over the end of a log', () => {
    const names = [...on(1, 250, 258), ...on(1, 260, 261), ...on(2, 261, 262)];
    expect(archived(names)).toEqual([
      { first: segment(1, 250), last: segment(1, 258), at: 1008 },
      { first: segment(1, 260), last: segment(1, 261), at: 1010 },
      { first: segment(2, 261), last: segment(2, 262), at: 1012 },
    ]);
  });

  it('know segments only: no .partial, .history or .backup, no folder', () => {
    const name = segment(1, 4);
    const input = ['00000002.history', `${name}.partial-0a`, `${name}.00000028.backup`, name]
      .map((file) => `1000.5 /srv/archive/acme/17-1/${file}\n`)
      .join('');
    const { status, stdout } = spawnSync('sh', ['-euc', segmentRuns], { input, encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describe('what is archived since the newest backup', () => {
  const folder = (timeline: number): string => segment(timeline, 0).slice(0, 16);

  it.each([1, 13, 14, 30])(
    'is in the folders from its timeline %i on, whatever they are called',
    (timeline) => {
      const folders = numbers(1, 40).map(folder);
      const script = `info='{"stop":"${segment(1, 1)}"},{"stop":"${segment(timeline, 5)}"}'
list() { printf '%s\\n' 00000002.history ${folders.join(' ')}; }
files() { echo "$1"; }
${filesSince.render()}
files_since_newest archive`;
      const { stdout } = spawnSync('sh', ['-euc', script], { encoding: 'utf8' });
      expect(stdout.trim().split('\n')).toEqual(
        numbers(timeline, 40).map((one) => `archive/${folder(one)}`),
      );
    },
  );
});

describe('a hole on the way', () => {
  const way = [{ timeline: 1, until: position(8) }, { timeline: 2 }];

  it('is none where each timeline is whole up to where it was left, and the last to its end', () => {
    const runs = archived([...on(1, 2, 7), ...on(2, 8, 12)]);
    expect(holeOnWay(runs, backup(1, 4), way, undefined)).toBeUndefined();
    expect(holeOnWay(runs, backup(1, 4), way, position(12))).toBeUndefined();
    expect(holeOnWay(runs, backup(2, 9), way, undefined)).toBeUndefined();
  });

  it('is the first segment that is missing, on whichever timeline', () => {
    const first = archived([...on(1, 2, 5), ...on(1, 7, 7), ...on(2, 8, 12)]);
    expect(holeOnWay(first, backup(1, 4), way, undefined)).toEqual({
      segment: segment(1, 6),
      after: 1003,
    });
    const fork = archived([...on(1, 2, 7), ...on(2, 9, 12)]);
    expect(holeOnWay(fork, backup(1, 4), way, undefined)).toEqual({
      segment: segment(2, 8),
      // Of the timeline before: nothing of the newer one lies before it.
      after: 1005,
    });
    const last = archived([...on(1, 2, 7), ...on(2, 8, 9), ...on(2, 12, 12)]);
    expect(holeOnWay(last, backup(1, 4), way, undefined)).toEqual({
      segment: segment(2, 10),
      after: 1007,
    });
    // A backup behind it does not need it, and what ends before it neither.
    expect(holeOnWay(last, backup(2, 12), way, undefined)).toBeUndefined();
    expect(holeOnWay(last, backup(1, 4), way, position(9))).toBeUndefined();
  });

  it('is none where the newest timeline has nothing in the archive yet', () => {
    expect(holeOnWay(archived(on(1, 2, 7)), backup(1, 4), way, undefined)).toBeUndefined();
    const same = [{ timeline: 1, until: position(4) }, { timeline: 2 }];
    expect(holeOnWay(archived(on(1, 2, 4)), backup(1, 4), same, undefined)).toBeUndefined();
  });

  it('is not looked for where nobody told of segments, or they are of another size', () => {
    expect(holeOnWay([], backup(1, 4), way, undefined)).toBeUndefined();
    const other = { ...backup(1, 4), segment: segment(1, 1) };
    expect(holeOnWay(archived(on(1, 1, 1)), other, way, undefined)).toBeUndefined();
  });
});
