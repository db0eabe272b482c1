import { describe, expect, it } from 'vitest';
import { parseHistory, pointLine, setBackLine } from '../../src/postgres/recovery-history.js';
import {
  planRecovery,
  postgresTime,
  recoverableSpans,
  type Recoverable,
} from '../../src/postgres/recovery-plan.js';
import { parseInfo } from '../../src/postgres/repository-info.js';

interface Set {
  readonly label: string;
  readonly stop: number;
  readonly lsn: string;
  readonly timeline?: number;
}

/** What a repository with these backups answers, made of a real answer of pgBackRest 2.55. */
function answer(sets: readonly Set[]): string {
  return JSON.stringify([
    {
      status: { code: sets.length === 0 ? 2 : 0, message: 'ok', lock: { backup: { held: false } } },
      archive: [{ id: '17-1', min: '000000010000000000000001', max: '000000010000000000000009' }],
      backup: sets.map(({ label, stop, lsn, timeline = 1 }) => ({
        label,
        type: 'full',
        timestamp: { start: stop - 10, stop },
        lsn: { start: lsn, stop: lsn },
        archive: { stop: `0000000${String(timeline)}0000000000000004` },
        info: { size: 31165471, repository: { delta: 3764488 } },
      })),
    },
  ]);
}

function known(
  sets: readonly Set[],
  history = '',
  timelines: [number, string][] = [],
  segments: Recoverable['segments'] = [],
): Recoverable {
  return {
    info: parseInfo(answer(sets)),
    history: parseHistory(history),
    timelines: new Map(timelines),
    segments,
  };
}

const A = { label: 'A', stop: 1000, lsn: '0/4000000' };
const B = { label: 'B', stop: 2000, lsn: '0/8000000' };
const time = (at: number) => ({ type: 'time', at }) as const;

describe('the way to a moment', () => {
  it('begins at the newest backup before it', () => {
    expect(planRecovery(known([A, B]), time(1500))).toMatchObject({ set: { label: 'A' } });
    expect(planRecovery(known([A, B]), time(2000))).toMatchObject({ set: { label: 'B' } });
    expect(planRecovery(known([A, B]), { type: 'latest' })).toEqual({
      set: known([B]).info.sets[0],
      timeline: 1,
      options: ['--set=B', '--type=default', '--target-timeline=1'],
    });
  });

  it('is said to pgBackRest with its set, its time in UTC and its timeline', () => {
    expect(planRecovery(known([A]), time(1500.25))).toMatchObject({
      options: [
        '--set=A',
        '--type=time',
        '--target=1970-01-01 00:25:00.250000+00',
        '--target-action=promote',
        '--target-timeline=1',
      ],
    });
  });

  it('is not there before the first backup, or without any', () => {
    expect(planRecovery(known([A]), time(999))).toEqual({
      found:
        'no backup from which timeline 1 can be reached had ended before 1970-01-01 00:16:39+00',
      remedy:
        'a moment after 1970-01-01 00:16:40+00: odoo-prov backup FILE --list shows what there is',
    });
    expect(planRecovery(known([]), { type: 'latest' })).toMatchObject({ found: 'no backup' });
  });

  // Set back at 3000 to the moment 1500: timeline 1 was left at 0/6000000, before B was made.
  const setBack = setBackLine('3000', '1', '2');
  const second: [number, string] = [2, '1\t0/6000000\tbefore 1970-01-01 00:25:00+00\n'];

  it('is on the timeline that was written at that moment', () => {
    const all = known([A, B], setBack, [second]);
    expect(planRecovery(all, time(2500))).toMatchObject({ set: { label: 'B' }, timeline: 1 });
    expect(planRecovery(all, time(3500))).toMatchObject({ set: { label: 'A' }, timeline: 2 });
  });

  it('never begins at a backup that was made after its timeline was left', () => {
    const all = known([A, B], setBack, [second]);
    expect(planRecovery(all, { type: 'latest' })).toMatchObject({
      set: { label: 'A' },
      timeline: 2,
    });
    const C = { label: 'C', stop: 4000, lsn: '0/7000000', timeline: 2 };
    expect(planRecovery(known([A, B, C], setBack, [second]), { type: 'latest' })).toMatchObject({
      set: { label: 'C' },
    });
  });

  it('goes over a failover without being told', () => {
    // Promoted at 2500, after B: B lies on the way.
    const promoted: [number, string] = [2, '1\t0/9000000\tno recovery target specified\n'];
    expect(planRecovery(known([A, B], '', [promoted]), time(2200))).toMatchObject({
      set: { label: 'B' },
      timeline: 2,
    });
  });

  it('to a name goes along the timeline on which it was given', () => {
    const line = pointLine('before-import', '1600', '0/7000000', '1');
    const all = known([A, B], `${line}\n${setBack}\n`, [second]);
    expect(planRecovery(all, { type: 'name', name: 'before-import' })).toMatchObject({
      set: { label: 'A' },
      timeline: 1,
      options: expect.arrayContaining(['--type=name', '--target=before-import']) as unknown,
    });
    expect(planRecovery(all, { type: 'name', name: 'other' })).toMatchObject({
      found: 'only before-import',
    });
  });
});

describe('a hole in the archive', () => {
  /** Segments 4 to 5, the last archived at 1800, and from 7 on; A ends in segment 4, C in 8. */
  const name = (number: number): string => `00000001000000000000000${String(number)}`;
  const segments = [
    { first: name(4), last: name(5), at: 1800 },
    { first: name(7), last: name(9), at: 3000 },
  ];
  const at = (label: string, stop: number, number: number): Recoverable => {
    const one = known([{ label, stop, lsn: `0/${String(number)}000100` }]);
    const sets = one.info.sets.map((set) => ({ ...set, segment: name(number) }));
    return { ...one, info: { ...one.info, sets }, segments };
  };

  it('is in the way of the latest moment and of times after it, and not of those before', () => {
    const all = at('A', 1000, 4);
    const refusal = {
      found: `a hole in the archive: ${name(6)} is missing, and what follows it cannot be reached from the backup A`,
      remedy:
        'what was written before that: --to-time with 1970-01-01 00:30:00+00 at most. If this cluster still runs: odoo-prov backup FILE, now, begins behind the hole',
    };
    expect(planRecovery(all, { type: 'latest' })).toEqual(refusal);
    expect(planRecovery(all, time(1801))).toEqual(refusal);
    expect(planRecovery(all, time(1800))).toMatchObject({ set: { label: 'A' }, toHole: true });
  });

  it('parts what can be restored, until a backup lies behind it', () => {
    const a = at('A', 1000, 4);
    const c = at('C', 2500, 8);
    const both = { ...a, info: { ...a.info, sets: [...a.info.sets, ...c.info.sets] } };
    const told = (all: Recoverable): unknown =>
      recoverableSpans(all).map(({ set, hole }) => [set.label, hole?.segment]);
    expect(told(a)).toEqual([['A', name(6)]]);
    expect(told(both)).toEqual([
      ['A', name(6)],
      ['C', undefined],
    ]);
    expect(told({ ...both, segments: [] })).toEqual([['A', undefined]]);
  });
});

describe('what is read', () => {
  it('times have microseconds where there are any', () => {
    expect(postgresTime(0)).toBe('1970-01-01 00:00:00+00');
    expect(postgresTime(1.5)).toBe('1970-01-01 00:00:01.500000+00');
  });

  it('a line that was cut is no event', () => {
    expect(parseHistory('point\tx\t1\nset-back\t5\t1\t2\npoi')).toEqual({
      points: [],
      setBacks: [{ at: 5, from: 1, to: 2 }],
    });
  });

  it('the cluster that the archive is of: a number too large for JSON.parse', () => {
    const text = answer([A]).replace(
      '"archive":[{"id"',
      '"db":[{"id":1,"system-id":7575757575757575757}],"archive":[{"id"',
    );
    expect(parseInfo(text).systemIdentifier).toBe('7575757575757575757');
    expect(parseInfo(answer([A])).systemIdentifier).toBeUndefined();
  });

  it('a repository that cannot be used is an error', () => {
    const broken = [{ status: { code: 99, message: 'other' }, archive: [], backup: [] }];
    expect(() => parseInfo(JSON.stringify(broken))).toThrow('other');
  });
});
