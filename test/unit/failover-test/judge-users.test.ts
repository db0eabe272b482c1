import { describe, expect, it } from 'vitest';
import { gapsOf } from '../../../src/failover-test/gaps.js';
import {
  judgeUsers,
  userFigures,
  type UserObservation,
} from '../../../src/failover-test/judge-users.js';
import type { Received, RequestKind, UserRequest } from '../../../src/failover-test/requests.js';

const KINDS: readonly RequestKind[] = [
  'login',
  'create',
  'read',
  'upload',
  'download',
  'signal',
  'page',
];
const SPAN = { faultAt: 10_000, recoverFrom: 10_000, endedAt: 36_000 };

/** One user who asks for one thing a second, each kind in its turn. */
const REQUESTS = Array.from({ length: 36 }, (_, index): UserRequest => {
  const kind = KINDS[index % KINDS.length] ?? 'read';
  const name = kind === 'signal' ? String(index) : `m 0/${String(index)}`;
  const at = (index + 1) * 1000;
  return {
    ...{ client: 0, kind, name, outcome: 'acknowledged' },
    ...{ begun: at - 50, ended: at, through: 'edge1' },
  };
});

const RECEIVED = REQUESTS.filter(({ kind }) => kind === 'signal').flatMap(
  ({ name, ended }): Received[] =>
    [0, 1].map((listener) => ({ listener, message: Number(name), at: ended + 40 })),
);

function observation(rest: Partial<UserObservation> = {}): UserObservation {
  const requests = rest.requests ?? REQUESTS;
  return {
    ...{ requests, received: RECEIVED, listeners: [0, 1], mayLose: false },
    gaps: gapsOf(requests, [0], SPAN),
    traces: {
      jobs: REQUESTS.filter(({ kind }) => kind === 'signal').map(({ name }) => ({
        ...{ job: Number(name), runs: 1 },
      })),
      records: REQUESTS.filter(({ kind }) => kind === 'create').map(({ name = '' }) => name),
      ...{ files: 6, filesMissing: [{ host: 'app1', missing: 0 }] },
      asked: [{ edge: 'edge1', what: 'page', upstream: '198.51.100.21:8069', expected: true }],
    },
    expectation: { kind: 'survives', why: 'there are two' },
    limits: { rto: 20, rpo: 0, gap: 5, failedRequests: 3 },
    ...rest,
  };
}

function failed(rest: Partial<UserObservation> = {}): readonly string[] {
  return judgeUsers(observation(rest)).flatMap(({ ok, id }) => (ok ? [] : [id]));
}

/** The requests, those of some seconds failed. */
function failing(from: number, to: number, error = 'HTTP 502'): readonly UserRequest[] {
  return REQUESTS.map((request, index) =>
    index >= from && index < to ? { ...request, outcome: 'unknown', error } : request,
  );
}

const { traces } = observation();

describe('users are judged', () => {
  it('as served, where they are', () => {
    expect(failed()).toEqual([]);
    expect(userFigures(observation())).toMatchObject({
      ...{ answered: 36, failed: 0, sessionsLost: 0, recordsLost: 0, filesMissing: 0 },
      ...{ messages: { sent: 5, lost: 0, longest: 40 }, jobs: { asked: 5, never: 0, twice: 0 } },
    });
  });

  it('by failed requests and by gaps where the cluster survives, by the RTO where it does not', () => {
    expect(failed({ requests: failing(12, 15) })).toEqual([]);
    expect(failed({ requests: failing(12, 16) })).toEqual(['requests.failed']);
    expect(failed({ requests: failing(12, 20) })).toEqual(['requests.gap', 'requests.failed']);
    const outage = { kind: 'outage', why: 'there is one Redis' } as const;
    expect(failed({ requests: failing(12, 20), expectation: outage })).toEqual([]);
    const long = { requests: failing(10, 31), expectation: outage };
    expect(failed(long)).toEqual(['requests.rto']);
  });

  it('by the sessions that they lost, whatever is expected', () => {
    const requests = failing(12, 13, 'session lost');
    expect(failed({ requests })).toEqual(['sessions.lost']);
    expect(failed({ requests, expectation: { kind: 'outage', why: '' } })).toEqual([
      'sessions.lost',
    ]);
  });

  it('by messages that a listener did not get', () => {
    const one = RECEIVED.filter(({ listener, message }) => listener === 0 || message !== 19);
    expect(failed({ received: one })).toEqual(['messages.lost']);
    expect(failed({ received: [] })).toEqual(['users.load', 'messages.lost']);
  });

  it('by jobs that were never done, or twice', () => {
    const runs = (count: number): UserObservation['traces'] => ({
      ...traces,
      jobs: traces.jobs.map((job) => (job.job === 19 ? { ...job, runs: count } : job)),
    });
    expect(failed({ traces: runs(0) })).toEqual(['jobs.never']);
    expect(failed({ traces: runs(2) })).toEqual(['jobs.twice']);
    const gone = { ...traces, jobs: traces.jobs.filter(({ job }) => job !== 19) };
    expect(failed({ traces: gone })).toEqual(['jobs.never']);
    // The database lost what it had acknowledged, and may: writes.lost judges how much.
    expect(failed({ traces: gone, mayLose: true })).toEqual([]);
  });

  it('by records that are gone, and by POST requests that were sent twice', () => {
    const [first = '', ...rest] = traces.records;
    expect(failed({ traces: { ...traces, records: rest } })).toEqual(['records.lost']);
    const twice = { ...traces, records: [first, ...traces.records] };
    expect(failed({ traces: twice })).toEqual(['records.twice']);
  });

  it('by files that a host does not have, and names it', () => {
    const missing = { ...traces, filesMissing: [{ host: 'app2', missing: 2 }] };
    const check = judgeUsers(observation({ traces: missing })).find(({ ok }) => !ok);
    expect(check).toMatchObject({ id: 'files.missing', found: 'app2 lacks 2 of 6' });
  });

  it('by hosts in a pool that do not belong there', () => {
    const stray = (what: 'page' | 'websocket'): UserObservation['traces'] => ({
      ...traces,
      asked: [
        ...traces.asked,
        { edge: 'edge1', what, upstream: '198.51.100.31:8069', expected: false, host: 'cron1' },
      ],
    });
    expect(failed({ traces: stray('page') })).toEqual(['edge.app-pool']);
    expect(failed({ traces: stray('websocket') })).toEqual(['edge.websocket-pool']);
  });

  it('as no test where nothing was asked', () => {
    expect(failed({ requests: [], received: [] })).toContain('users.load');
  });
});
