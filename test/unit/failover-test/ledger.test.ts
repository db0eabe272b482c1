import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareLedger,
  lossOf,
  type StoredRow,
  type Write,
} from '../../../src/failover-test/ledger.js';

function write(client: number, sequence: number, rest: Partial<Write> = {}): Write {
  return {
    client,
    sequence,
    outcome: 'acknowledged',
    begun: sequence * 100,
    ended: sequence * 100 + 5,
    through: 'pool1',
    timeline: 1,
    lsn: `0/${(sequence * 256).toString(16).toUpperCase()}`,
    ...rest,
  };
}

function row(client: number, sequence: number, copies = 1): StoredRow {
  return { client, sequence, copies };
}

describe('a ledger against the database', () => {
  it('finds nothing where all is well', () => {
    const seen = compareLedger(
      [write(0, 1), write(0, 2, { outcome: 'unknown' }), write(0, 3, { outcome: 'refused' })],
      [row(0, 1)],
    );
    expect(seen).toMatchObject({
      ...{ acknowledged: 1, unknown: 1, unknownStored: 0, refused: 1 },
      ...{ lost: [], lostInBetween: [], duplicated: [], invented: [] },
    });
  });

  it('takes a write without an answer as it comes', () => {
    const seen = compareLedger([write(0, 1, { outcome: 'unknown' })], [row(0, 1)]);
    expect(seen).toMatchObject({ unknownStored: 1, lost: [], invented: [] });
  });

  it('finds a row that a client was told is not saved', () => {
    const seen = compareLedger([write(0, 1, { outcome: 'refused' })], [row(0, 1)]);
    expect(seen.invented).toEqual([row(0, 1)]);
  });

  it('tells the last writes of a timeline from those in between', () => {
    const old = [1, 2, 3, 4].map((sequence) => write(0, sequence));
    const later = [5, 6].map((sequence) => write(0, sequence, { timeline: 2 }));
    const suffix = compareLedger(
      [...old, ...later],
      [1, 2, 5, 6].map((n) => row(0, n)),
    );
    expect(suffix.lost.map(({ sequence }) => sequence)).toEqual([3, 4]);
    expect(suffix.lostInBetween).toEqual([]);
    const hole = compareLedger(
      [...old, ...later],
      [1, 3, 5, 6].map((n) => row(0, n)),
    );
    expect(hole.lost.map(({ sequence }) => sequence)).toEqual([2, 4]);
    expect(hole.lostInBetween.map(({ sequence }) => sequence)).toEqual([2]);
  });

  it('measures a loss in rows, seconds and bytes of WAL', () => {
    expect(lossOf([])).toEqual({ rows: 0, seconds: 0, bytes: 0 });
    expect(lossOf([write(0, 10), write(1, 30)])).toEqual({
      rows: 2,
      seconds: 2.005,
      bytes: 20 * 256,
    });
  });
});

/** Writes of some clients, and the rows that a server without a fault has of them. */
const HISTORY = fc
  .array(
    fc.record({
      client: fc.integer({ min: 0, max: 4 }),
      outcome: fc.constantFrom<Write['outcome']>('acknowledged', 'unknown', 'refused'),
      arrived: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    const last = new Map<number, number>();
    const writes: Write[] = [];
    const rows: StoredRow[] = [];
    for (const { client, outcome, arrived } of steps) {
      const sequence = (last.get(client) ?? 0) + 1;
      last.set(client, sequence);
      writes.push(write(client, sequence, { outcome }));
      if (outcome === 'acknowledged' || (outcome === 'unknown' && arrived)) {
        rows.push(row(client, sequence));
      }
    }
    return { writes, rows };
  });

describe('any history', () => {
  it('is without findings while nobody meddles', () => {
    fc.assert(
      fc.property(HISTORY, ({ writes, rows }) => {
        const seen = compareLedger(writes, rows);
        expect([seen.lost, seen.duplicated, seen.invented]).toEqual([[], [], []]);
        expect(seen.acknowledged + seen.unknown + seen.refused).toBe(writes.length);
      }),
    );
  });

  it('shows every row that is removed, duplicated or invented behind its back', () => {
    fc.assert(
      fc.property(HISTORY, fc.nat(), ({ writes, rows }, pick) => {
        const stranger = row(99, 1);
        expect(compareLedger(writes, [...rows, stranger]).invented).toEqual([stranger]);
        const victim = rows[pick % Math.max(1, rows.length)];
        if (victim === undefined) return;
        const twice = rows.map((each) => (each === victim ? { ...each, copies: 2 } : each));
        expect(compareLedger(writes, twice).duplicated).toEqual([{ ...victim, copies: 2 }]);
        const rest = rows.filter((each) => each !== victim);
        const own = writes.find(
          (each) => each.client === victim.client && each.sequence === victim.sequence,
        );
        const lost = compareLedger(writes, rest).lost;
        expect(lost).toEqual(own?.outcome === 'acknowledged' ? [own] : []);
      }),
    );
  });

  it('calls a loss from any point of a timeline on a suffix', () => {
    fc.assert(
      fc.property(HISTORY, fc.nat({ max: 30 }), ({ writes, rows }, until) => {
        const kept = rows.filter(({ sequence }) => sequence <= until);
        expect(compareLedger(writes, kept).lostInBetween).toEqual([]);
      }),
    );
  });
});
