import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gapsOf, median, perSecond } from '../../../src/failover-test/gaps.js';
import type { Write } from '../../../src/failover-test/ledger.js';

function write(client: number, ended: number, outcome: Write['outcome'] = 'acknowledged'): Write {
  return { client, sequence: ended, outcome, begun: ended - 5, ended, through: 'pool1' };
}

/** Each client writes every 100 ms, but for the time in which it cannot. */
function steady(client: number, until: number, out?: readonly [number, number]): Write[] {
  return Array.from({ length: until / 100 }, (_, index) => (index + 1) * 100)
    .filter((at) => out === undefined || at <= out[0] || at >= out[1])
    .map((at) => write(client, at));
}

const SPAN = { faultAt: 3000, recoverFrom: 3000, endedAt: 10_000 };

describe('gaps', () => {
  it('are the pauses between writes where nothing happens', () => {
    const gaps = gapsOf([...steady(0, 10_000), ...steady(1, 10_000)], [0, 1], SPAN);
    expect(gaps).toMatchObject({ all: 100, p50: 100, max: 100, silent: [], recovery: 100 });
  });

  it('are measured for all together and for each client', () => {
    const writes = [...steady(0, 10_000, [3000, 5000]), ...steady(1, 10_000, [4000, 8000])];
    expect(gapsOf(writes, [0, 1], SPAN)).toMatchObject({
      ...{ all: 1000, allFrom: 4000, p50: 2000, max: 4000 },
      pauses: [{ from: 4000, length: 1000 }],
      // The second client wrote for a second after the fault was ordered: that was no recovery.
      ...{ silent: [], recovery: 4000 },
    });
  });

  it('tell each time in which nobody wrote for a second or more', () => {
    const writes = steady(0, 10_000, [3000, 5000]).filter(
      ({ ended }) => ended <= 6000 || ended >= 7000,
    );
    expect(gapsOf(writes, [0], SPAN)).toMatchObject({
      ...{ all: 2000, allFrom: 3000 },
      pauses: [
        { from: 3000, length: 2000 },
        { from: 6000, length: 1000 },
      ],
    });
  });

  it('count a client that never came back until the end', () => {
    const writes = [...steady(0, 10_000), ...steady(1, 3000)];
    expect(gapsOf(writes, [0, 1], SPAN)).toMatchObject({ max: 7000, silent: [1], recovery: 7000 });
  });

  it('take a recovery from where it may be expected', () => {
    const writes = steady(0, 10_000, [3000, 9000]);
    expect(gapsOf(writes, [0], { ...SPAN, recoverFrom: 8000 }).recovery).toBe(1000);
  });

  it('leave out what stood still before the fault', () => {
    expect(gapsOf(steady(0, 10_000, [500, 2500]), [0], SPAN).max).toBe(100);
  });

  it('count no write that failed', () => {
    const writes = [...steady(0, 3000), write(0, 5000, 'unknown'), write(0, 10_000)];
    expect(gapsOf(writes, [0], SPAN).max).toBe(7000);
  });

  it('of all together are never longer than the longest of a client', () => {
    const at = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 3 }), at)), (pairs) => {
        const gaps = gapsOf(
          pairs.map(([client, ended]) => write(client, ended)),
          [0, 1, 2, 3],
          SPAN,
        );
        expect(gaps.all).toBeLessThanOrEqual(gaps.max);
        expect(gaps.p50).toBeLessThanOrEqual(gaps.max);
      }),
    );
  });
});

describe('seconds', () => {
  it('hold every write once', () => {
    const writes = [write(0, 10), write(0, 999), write(0, 1000, 'unknown'), write(1, 2500)];
    expect(perSecond(writes, 2400)).toEqual([
      { saved: 2, failed: 0 },
      { saved: 0, failed: 1 },
      { saved: 1, failed: 0 },
    ]);
  });
});

describe('the median', () => {
  it('is the middle value, the lower of two', () => {
    expect(median([])).toBe(0);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2);
  });
});
