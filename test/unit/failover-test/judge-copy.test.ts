import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeCopy, type Moment } from '../../../src/failover-test/judge-copy.js';
import type { StoredRow, Write } from '../../../src/failover-test/ledger.js';
import { lsnText } from '../../../src/postgres/timeline-history.js';

/** After the switchover: on timeline 2, which was left for 3. */
const AFTER: Moment = { name: 'm-after', when: 'after it', lsn: 2000n, timeline: 2 };
const WAY = '2\t0/7D0\tat restore point "m-after"';

function write(sequence: number, place: number, rest: Partial<Write> = {}): Write {
  return {
    ...{ client: 0, sequence, outcome: 'acknowledged', through: 'pool1' },
    ...{ begun: sequence * 100, ended: sequence * 100 + 5 },
    ...{ timeline: place < 1000 ? 1 : place < 3000 ? 2 : 3, lsn: lsnText(BigInt(place)) },
    ...rest,
  };
}

function row({ client, sequence }: Write, copies = 1): StoredRow {
  return { client, sequence, copies };
}

/** Two before the switchover, two after it, two after the moment, one after the way back. */
const WRITES = [900, 950, 1500, 1990, 2010, 2500, 3500].map((place, i) => write(i + 1, place));
const DUE = WRITES.slice(0, 4).map((one) => row(one));

function failed(
  rows: readonly StoredRow[],
  { writes = WRITES, left = WAY, moment = AFTER } = {},
): readonly string[] {
  const checks = judgeCopy({ moment, host: 'backup1', writes, rows, left });
  return checks.filter(({ ok }) => !ok).map(({ id, found }) => `${id}: ${found ?? ''}`);
}

describe('a copy of a moment', () => {
  it('has the rows of its moment, of both timelines', () => {
    expect(failed(DUE)).toEqual([]);
  });

  it('lacks none of them, whichever it is', () => {
    for (const gone of DUE) {
      expect(failed(DUE.filter((each) => each !== gone))).toEqual([
        'copy.missing: 1 are missing, the first of client 0',
      ]);
    }
  });

  it('has none of a later place, also of its own timeline, and none of a later timeline', () => {
    for (const later of WRITES.slice(4)) {
      expect(failed([...DUE, row(later)])).toEqual([
        'copy.surplus: 1 rows too many, the first of client 0',
      ]);
    }
  });

  it('has none of an equal place on another timeline', () => {
    const other = write(8, 1500, { timeline: 3 });
    expect(failed([...DUE, row(other)], { writes: [...WRITES, other] })).toHaveLength(1);
  });

  it('has no row twice, none that a client was told is not saved, and none of nobody', () => {
    const refused: Write = {
      ...{ client: 0, sequence: 9, outcome: 'refused', through: 'pool1', begun: 1, ended: 2 },
      error: '57P01',
    };
    const doubled = DUE.map((each, i) => (i === 0 ? { ...each, copies: 2 } : each));
    expect(failed(doubled)).toHaveLength(1);
    expect(failed([...DUE, row(refused)], { writes: [...WRITES, refused] })).toHaveLength(1);
    expect(failed([...DUE, { client: 7, sequence: 1, copies: 1 }])).toHaveLength(1);
  });

  it('may have a write without an answer, or not', () => {
    const unknown: Write = {
      ...{ client: 0, sequence: 9, outcome: 'unknown', through: 'pool1', begun: 1, ended: 2 },
      error: 'ECONNRESET',
    };
    const writes = [...WRITES, unknown];
    expect(failed([...DUE, row(unknown)], { writes })).toEqual([]);
    expect(failed(DUE, { writes })).toEqual([]);
  });

  it('went along the timeline of its moment, and no further than to its name', () => {
    for (const left of [
      '',
      '1\t0/7D0\tat restore point "m-after"',
      '3\t0/7D0\tno recovery target specified',
      '2\t0/7D0\tat restore point "m-before"',
    ]) {
      const wrong = failed(DUE, { left });
      expect(wrong).toHaveLength(1);
      expect(wrong[0]).toContain('copy.timeline');
    }
  });

  it('proves nothing where nothing was saved by then', () => {
    expect(failed([], { writes: WRITES.slice(4) })).toEqual([
      'copy.missing: not one was saved by then',
    ]);
  });

  it('is right for any moment exactly with the rows of lower places', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 901n, max: 4000n }), (lsn) => {
        const timeline = lsn < 1000n ? 1 : lsn < 3000n ? 2 : 3;
        const moment = { ...AFTER, lsn, timeline };
        const left = `${String(timeline)}\t0/0\tat restore point "m-after"`;
        const rows = WRITES.filter((one) => BigInt(`0x${one.lsn?.slice(2) ?? ''}`) < lsn);
        expect(
          failed(
            rows.map((one) => row(one)),
            { moment, left },
          ),
        ).toEqual([]);
      }),
    );
  });
});
