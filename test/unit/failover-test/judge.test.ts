import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/failover-test/check.js';
import { gapsOf } from '../../../src/failover-test/gaps.js';
import { judgeWrites, type WriteObservation } from '../../../src/failover-test/judge-writes.js';
import { compareLedger, type StoredRow, type Write } from '../../../src/failover-test/ledger.js';
import { verdictOf, verdictOfRun } from '../../../src/failover-test/report.js';

const LIMITS = { rto: 4, rpo: 1, gap: 5, failedRequests: 3 };

/** One client: a write every 100 ms for 10 s, the fault at 3 s, an outage from there on of so many ms. */
function history(outage: number): readonly Write[] {
  return Array.from({ length: 100 }, (_, index): Write => {
    const at = (index + 1) * 100;
    const out = at > 3000 && at < 3000 + outage;
    return {
      client: 0,
      sequence: index + 1,
      outcome: out ? 'refused' : 'acknowledged',
      begun: at - 5,
      ended: at,
      through: 'pool1',
      ...(out ? { error: '57P03' } : { timeline: at > 3000 ? 2 : 1, lsn: `0/${at.toString(16)}` }),
    };
  });
}

function stored(writes: readonly Write[]): StoredRow[] {
  return writes
    .filter(({ outcome }) => outcome === 'acknowledged')
    .map(({ client, sequence }) => ({ client, sequence, copies: 1 }));
}

function observe(
  writes: readonly Write[],
  rows: readonly StoredRow[],
  rest: Partial<WriteObservation> = {},
): readonly string[] {
  const checks = judgeWrites({
    writes,
    comparison: compareLedger(writes, rows),
    gaps: gapsOf(writes, [0], { faultAt: 3000, recoverFrom: 3000, endedAt: 10_000 }),
    expectation: { kind: 'outage', why: 'there is one PgBouncer' },
    limits: LIMITS,
    mayLose: false,
    complete: true,
    ...rest,
  });
  return failed(checks);
}

function failed(checks: readonly Check[]): string[] {
  return checks.filter(({ ok }) => !ok).map(({ id }) => id);
}

const SURVIVES = { kind: 'survives', why: 'there are two' } as const;

describe('writes are judged', () => {
  it('as good, where an outage ends within the limit', () => {
    const writes = history(3000);
    expect(observe(writes, stored(writes))).toEqual([]);
  });

  it('by the RTO where an outage is expected', () => {
    const writes = history(4500);
    expect(observe(writes, stored(writes))).toEqual(['writes.rto']);
  });

  it('by the gap where none is expected, and never as survived because the RTO allows it', () => {
    const writes = history(5500);
    const rest = { expectation: SURVIVES, limits: { ...LIMITS, rto: 60 } };
    expect(observe(writes, stored(writes), rest)).toEqual(['writes.gap']);
  });

  it('by what is lost: nothing may be, but in an asynchronous failover within the RPO', () => {
    const writes = history(1000);
    const rows = stored(writes).filter(({ sequence }) => sequence < 25 || sequence > 30);
    expect(observe(writes, rows)).toEqual(['writes.lost']);
    expect(observe(writes, rows, { mayLose: true })).toEqual([]);
    const strict = { mayLose: true, limits: { ...LIMITS, rpo: 0 } };
    expect(observe(writes, rows, strict)).toEqual(['writes.lost']);
    const more = stored(writes).filter(({ sequence }) => sequence < 15 || sequence > 30);
    expect(observe(writes, more, { mayLose: true })).toEqual(['writes.lost']);
    const hole = stored(writes).filter(({ sequence }) => sequence !== 20);
    expect(observe(writes, hole, { mayLose: true })).toEqual(['writes.lost-in-between']);
  });

  it('by clients that are led to a server without writes after the cut-over', () => {
    const writes = history(1000).map((write) =>
      write.sequence === 60 ? { ...write, outcome: 'refused' as const, error: '25006' } : write,
    );
    expect(observe(writes, stored(writes), { cutOver: 3500 })).toEqual(['writes.read-only']);
    // Held back before, answered after it.
    expect(observe(writes, stored(writes), { cutOver: 5998 })).toEqual(['writes.read-only']);
    expect(observe(writes, stored(writes), { cutOver: 6500 })).toEqual([]);
  });

  it('by an outage that nobody felt: what was to be broken went on', () => {
    const writes = history(0);
    expect(observe(writes, stored(writes))).toEqual(['writes.felt']);
    expect(observe(writes, stored(writes), { expectation: SURVIVES })).toEqual([]);
    // A switchover may be as quick as that.
    expect(observe(writes, stored(writes), { cutOver: 3500 })).toEqual([]);
    // Cut by Ctrl-C before it could be felt.
    expect(observe(writes, stored(writes), { complete: false })).toEqual([]);
  });

  it('by writes that were confirmed while nobody was there to confirm them', () => {
    const waiting = { from: 3100, until: 5990 };
    const held = history(3000);
    expect(observe(held, stored(held), { held: waiting })).toEqual([]);
    // Some sessions did not wait.
    const some = history(2000);
    expect(observe(some, stored(some), { held: waiting })).toEqual(['writes.held']);
    // Sent before the fault was there, or answered after it began to be healed.
    expect(observe(some, stored(some), { held: { from: 3100, until: 4990 } })).toEqual([]);
  });

  it('as no test where nobody wrote', () => {
    expect(observe([], [])).toEqual(['writes.load', 'writes.back', 'writes.rto']);
  });
});

describe('verdicts', () => {
  const good: Check = { id: 'a', ok: true, text: '' };
  const bad: Check = { id: 'b', ok: false, text: '' };

  it('never call an outage survival', () => {
    expect(verdictOf([good], { kind: 'outage', why: '' }, false)).toBe('recovered');
    expect(verdictOf([good], SURVIVES, false)).toBe('survived');
    expect(verdictOf([good, bad], SURVIVES, false)).toBe('failed');
  });

  it('of a run are the worst of its parts; of nothing it is a failure', () => {
    const nothing = { scenarios: [], skipped: [], afterwards: [good] };
    expect(verdictOfRun(nothing, false)).toBe('failed');
  });
});
