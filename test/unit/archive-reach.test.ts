import { describe, expect, it } from 'vitest';
import { archiveReach, lastArchived } from '../../src/postgres/archive-reach.js';
import { endIn } from '../../src/postgres/recovery-end.js';
import type { Recoverable } from '../../src/postgres/recovery-plan.js';

const FIRST = '000000010000000000000002';
const LAST = '000000020000000000000005';

/** An archive of two timelines, whose last segment came at this time. */
function known(at?: number): Recoverable {
  return {
    info: {
      ...{ sets: [], archive: '17-1', systemIdentifier: '7', running: false },
      ...{ firstSegment: FIRST, lastSegment: LAST },
    },
    history: { points: [], setBacks: [] },
    timelines: new Map([[2, '1\t0/3000000\tbefore']]),
    segments:
      at === undefined
        ? []
        : [
            { first: FIRST, last: FIRST, at: 5000 },
            { first: LAST, last: LAST, at },
          ],
  };
}

describe('how far an archive reaches', () => {
  it('is by the time of the last segment, before which no transaction need have ended for a while', () => {
    expect(lastArchived(known(10_000))).toBe(10_000);
    expect(archiveReach(known(10_000), 9000, 2)).toBe('holds');
    expect(archiveReach(known(10_000), 9970, 2)).toBe('may hold');
    expect(archiveReach(known(10_000), 10_000, 2)).toBe('ends before');
  });

  it('is no question on a timeline that was left, nor where nobody could tell what is archived', () => {
    expect(archiveReach(known(10_000), 20_000, 1)).toBe('holds');
    expect(archiveReach(known(), 20_000, 2)).toBe('holds');
  });
});

describe('a recovery that broke off', () => {
  it('is told from others by what it said', () => {
    expect(
      endIn('the copy ended\nthe archive ends at 2026-11-22 13:05:00.5+00\nFATAL: recovery ended'),
    ).toBe('2026-11-22 13:05:00.5+00');
    expect(endIn('FATAL: could not connect')).toBeUndefined();
  });
});
