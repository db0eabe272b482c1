import { describe, expect, it } from 'vitest';
import { finishedSuites, soakPage, soakSuites, type SoakResult } from '../support/soak-record.js';

const A = 'test/e2e/database-a.test.ts';
const B = 'test/e2e/full-b.test.ts';

function ended(rest: Partial<SoakResult>): SoakResult {
  return {
    ...{ suite: A, result: 'passed', seconds: 90, commit: 'abc', date: '2026-11-22T10:02:00.000Z' },
    ...rest,
  };
}

describe('the record of the soak', () => {
  it('leaves out what has passed on this commit, and nothing else', () => {
    const record = [
      ended({ suite: A }),
      ended({ suite: B, result: 'failed' }),
      ended({ suite: 'test/e2e/database-other.test.ts', commit: 'older' }),
      ended({ suite: 'test/e2e/database-cut.test.ts', test: 'one of its tests' }),
    ];
    expect(finishedSuites(record, 'abc')).toEqual([A]);
    expect(finishedSuites(record, 'abc-dirty')).toEqual([]);
    expect(finishedSuites([ended({ commit: 'abc-dirty' })], 'abc-dirty')).toEqual([]);
  });

  it('gives the last result of each suite, and says which was not run', () => {
    const record = [
      ended({ test: 'from an earlier run', date: '2026-11-22T09:00:00.000Z' }),
      ended({ test: 'one', date: '2026-11-22T10:01:00.000Z' }),
      ended({ test: 'two', result: 'failed', date: '2026-11-22T10:01:30.000Z' }),
      ended({ result: 'failed' }),
    ];
    expect(soakPage(record, [A, B], '').split('\n').slice(6, -1)).toEqual([
      '| database-a | failed | 1 of 2 | 1.5 | abc | 2026-11-22T10:02Z |',
      '| full-b | not run | | | | |',
    ]);
  });

  it('keeps what was run in another clone, unless it was run here since', () => {
    const row = (name: string, date: string): string =>
      `| ${name} | passed | 3 of 3 | 4.0 | def | ${date} |`;
    const before = [row('database-a', '2026-11-22T09:00Z'), row('full-b', '2026-11-21T09:00Z')];
    const page = (kept: readonly string[]): string[] =>
      soakPage([ended({})], [A, B], kept.join('\n'))
        .split('\n')
        .slice(6, -1);
    const own = '| database-a | passed | 0 of 0 | 1.5 | abc | 2026-11-22T10:02Z |';
    expect(page(before)).toEqual([own, before[1]]);
    const later = row('database-a', '2026-11-22T11:00Z');
    expect(page([later])).toEqual([later, '| full-b | not run | | | | |']);
  });

  it('is of suites that exist', () => {
    expect(soakSuites()).toContain('test/e2e/database-primary.test.ts');
    expect(soakSuites()).not.toContain('test/e2e/failover-test.test.ts');
  });
});
