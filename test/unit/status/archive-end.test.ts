import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/status/limits.js';
import type { HostStatus } from '../../../src/status/model.js';
import { judge } from '../../../src/status/rules.js';
import { RECORDED } from './recorded.js';
import { answered, db1, front, seen } from './statuses.js';

describe('an archive that ends too early', () => {
  const name = (number: number, timeline = 1): string =>
    `0000000${String(timeline)}000000000000000${String(number)}`;
  /** The primary, on timeline 1, that counts a file as archived so many seconds ago. */
  const primary = (last: string | null, lastAge: number | null = 3600): HostStatus =>
    db1(
      RECORDED.streaming.primary.replace(
        '\"archive\":null',
        `\"archive\":${JSON.stringify({
          ...{ last, lastAge, lastFailed: null, lastFailedAge: null, error: null },
          ...{ failing: false, waiting: 0, waitingAge: null },
        })}`,
      ),
    );
  const keeper = (archivedTo: string | null, hole: string | null = null): HostStatus => ({
    ...answered('backup1', 81, [], { services: '\n\n' }),
    backup: {
      ...{ message: 'ok', ok: true, running: false, room: null, archivedTo, hole },
      newest: { label: 'L', type: 'full', age: 60, damaged: false },
    },
  });
  const holes = (...hosts: readonly HostStatus[]): readonly string[] =>
    judge(seen(...hosts, front()))
      .alerts.filter(({ id }) => id === 'backup.hole')
      .map(({ severity, message }) => `${severity}: ${message}`);

  it('is a problem, although no later segment shows the hole', () => {
    expect(holes(primary(name(8)), keeper(name(6)))).toEqual([
      `problem: the archive lacks ${name(8)}, which db1 counts as archived 60 min ago: it ends with ${name(6)}, and nothing that was written later can be restored`,
    ]);
    expect(holes(primary(name(8)), keeper(null))[0]).toContain('it is empty, and nothing');
    expect(judge(seen(primary(name(8)), keeper(name(6)), front())).exitCode).toBe(3);
  });
  it('also with a bucket, which the primary itself reads', () => {
    const { backup } = keeper(name(6));
    expect(holes({ ...primary(name(8)), backup })).toHaveLength(1);
    expect(holes({ ...primary(name(6)), backup })).toEqual([]);
  });
  it('is none while the segment may have come after the look at the repository', () => {
    expect(holes(primary(name(7), LIMITS.archiveArrival), keeper(name(6)))).toEqual([]);
    expect(holes(primary(name(7), LIMITS.archiveArrival + 1), keeper(name(6)))).toHaveLength(1);
  });
  it('is none where the repository has it, or more than the primary had told', () => {
    expect(holes(primary(name(6)), keeper(name(6)))).toEqual([]);
    expect(holes(primary(name(6)), keeper(name(7)))).toEqual([]);
    expect(holes(primary(null, null), keeper(name(6)))).toEqual([]);
  });
  it('is not read from what is no segment', () => {
    for (const last of ['00000002.history', `${name(8)}.00000028.backup`, `${name(8)}.partial`]) {
      expect(holes(primary(last), keeper(name(6)))).toEqual([]);
    }
  });
  it('is not read from another timeline than the one that is written', () => {
    const moved = (last: string): HostStatus => {
      const one = primary(last);
      if (one.postgres?.server !== 'up') throw new Error('not up');
      return { ...one, postgres: { ...one.postgres, data: { ...one.postgres.data, timeline: 3 } } };
    };
    // Counted when it was primary before: the archive was on another host then, or that WAL has gone since.
    expect(holes(moved(name(8)), keeper(name(6)))).toEqual([]);
    expect(holes(moved(name(8)), keeper(name(9, 3)))).toEqual([]);
    expect(holes(moved(name(8, 3)), keeper(name(7, 2)))).toHaveLength(1);
    // Somebody wrote a later one: which of them counts, other rules say.
    expect(holes(moved(name(8, 3)), keeper(name(1, 4)))).toEqual([]);
  });
  it('is told once, by the first segment that is missing where that is known', () => {
    expect(holes(primary(name(8)), keeper(name(6), name(5)))).toEqual([
      `problem: the archive lacks ${name(5)}: nothing that was written after it can be restored`,
    ]);
  });
});
