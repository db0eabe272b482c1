import { assertion, type Check } from './check.js';
import { counted } from './counted.js';
import type { Gaps } from './gaps.js';
import type { Limits } from './judge-writes.js';
import type { Received, UserRequest } from './requests.js';
import type { Expectation } from './scenario.js';
import { messagesOf, type UserFigures, type UserTraces } from './users.js';

/** What the users of a scenario saw, and left. */
export interface UserObservation {
  readonly requests: readonly UserRequest[];
  readonly received: readonly Received[];
  /** Listeners' numbers. */
  readonly listeners: readonly number[];
  readonly gaps: Gaps;
  readonly traces: UserTraces;
  readonly expectation: Expectation;
  readonly limits: Limits;
  /** What was acknowledged in the last moments may be lost: a failover with asynchronous replication. */
  readonly mayLose: boolean;
}

/** Judges a scenario by what the users of Odoo saw. */
export function judgeUsers(seen: UserObservation): readonly Check[] {
  return [
    ...load(seen),
    ...requests(seen),
    ...records(seen),
    ...sessions(seen),
    ...messages(seen),
    ...jobs(seen),
    ...files(seen),
    ...pools(seen),
  ];
}

/** What was counted and measured. */
export function userFigures(seen: UserObservation): UserFigures {
  const answered = seen.requests.filter(({ outcome }) => outcome === 'acknowledged');
  const logins = seen.requests.filter(({ kind }) => kind === 'login');
  const sent = messagesOf(seen.requests, seen.received);
  const delays = sent.map(({ sentAt, had }) => Math.max(0, ...had) - sentAt);
  const { never, twice } = jobsOf(seen);
  return {
    answered: answered.length,
    failed: seen.requests.length - answered.length,
    gaps: seen.gaps,
    logins: { done: logins.filter(isAnswered).length, failed: logins.filter(isFailed).length },
    sessionsLost: sessionsLost(seen).length,
    recordsLost: recordsLost(seen).length,
    messages: {
      ...{ sent: sent.length, lost: messagesLost(seen).length },
      longest: Math.max(0, ...delays),
    },
    jobs: { asked: seen.traces.jobs.length, never: never.length, twice: twice.length },
    filesMissing: seen.traces.filesMissing.reduce((sum, { missing }) => sum + missing, 0),
    errors: counted(seen.requests.flatMap(({ error }) => (error === undefined ? [] : [error]))),
  };
}

/** The session is not known any more; the request itself was answered. */
const SESSION_LOST = 'session lost';

function isAnswered({ outcome }: UserRequest): boolean {
  return outcome === 'acknowledged';
}

function isFailed(request: UserRequest): boolean {
  return !isAnswered(request);
}

function load({ requests: all, received, listeners, traces }: UserObservation): readonly Check[] {
  const done = (kind: UserRequest['kind']): boolean =>
    all.some((request) => request.kind === kind && isAnswered(request));
  const missing = [
    ...(['login', 'create', 'read', 'upload', 'download', 'page', 'signal'] as const)
      .filter((kind) => !done(kind))
      .map((kind) => `no ${kind}`),
    ...(listeners.length > 0 && listeners.every((one) => received.some((r) => r.listener === one))
      ? []
      : ['no message by websocket']),
    ...(traces.jobs.some(({ runs }) => runs > 0) ? [] : ['no scheduled job']),
  ];
  return [
    assertion(
      'users.load',
      'users worked in Odoo: logins, records, files, pages, messages, jobs',
      missing.length === 0,
      {
        found: `${missing.join(', ')} was ever answered`,
        next: 'see which error the users got (errors in the report); odoo-prov apply FILE --verify says whether Odoo serves',
      },
    ),
  ];
}

function requests({ requests: all, gaps, expectation, limits }: UserObservation): readonly Check[] {
  const failed = all.filter(isFailed);
  const survives = expectation.kind === 'survives';
  const limit = survives ? limits.gap : limits.rto;
  const most = survives ? gaps.max : gaps.recovery;
  const errors = Object.entries(counted(failed.map(({ error = '' }) => error)));
  const logins = failed.filter(({ kind }) => kind === 'login').length;
  return [
    assertion('requests.back', 'every user is answered again', gaps.silent.length === 0, {
      found: `users ${gaps.silent.join(', ')} are not`,
      next: 'odoo-prov apply FILE --verify says which part of Odoo does not serve',
    }),
    assertion(
      survives ? 'requests.gap' : 'requests.rto',
      survives
        ? `no user was without an answer for more than ${limit} s`
        : `every user was answered again within ${limit} s (RTO)`,
      most <= limit * 1000,
      {
        found: seconds(most),
        next: survives
          ? `expected because ${expectation.why}; see in the timeline which step took so long; or allow more with failover_test: { gap: SECONDS }`
          : 'see in the timeline which step took so long; or allow more with failover_test: { rto: SECONDS }',
      },
    ),
    ...(survives
      ? [
          assertion(
            'requests.failed',
            `at most ${limits.failedRequests} requests of users failed: those that were under way`,
            failed.length <= limits.failedRequests,
            {
              found: `${failed.length} of ${all.length}, ${logins} of them logins: ${errors.map(([name, count]) => `${name} ${count}×`).join(', ')}`,
              next: 'on the edges: /var/log/nginx/error.log says which host failed; or allow more with failover_test: { failed_requests: COUNT }',
            },
          ),
        ]
      : []),
  ];
}

/** Records that users were told are saved, and that are not there. */
function recordsLost({ requests: all, traces }: UserObservation): readonly UserRequest[] {
  const there = new Set(traces.records);
  return all.filter(
    (one) =>
      one.kind === 'create' && isAnswered(one) && one.name !== undefined && !there.has(one.name),
  );
}

/** Each once, since a POST must never be sent again. How much may be lost is judged by the writers' ledger. */
function records(seen: UserObservation): readonly Check[] {
  const { traces, mayLose, requests: all } = seen;
  const copies = counted(traces.records);
  const created = all.filter(({ kind, name }) => kind === 'create' && name !== undefined);
  const lost = recordsLost(seen);
  const twice = Object.values(copies).filter((count) => count > 1).length;
  return [
    assertion(
      'records.lost',
      mayLose
        ? `records that users were told are saved: ${lost.length} lost with the last moments, as writes.lost allows`
        : 'no record that a user was told is saved was lost',
      mayLose || lost.length === 0,
      {
        found: `${lost.length} of ${created.length} records are gone`,
        next: 'see writes.lost: the database lost what it had acknowledged',
      },
    ),
    assertion('records.twice', 'no record is there twice', twice === 0, {
      found: `${twice} are`,
      next: 'something sends POST requests again: nginx must not (no "non_idempotent" in proxy_next_upstream)',
    }),
  ];
}

function sessionsLost({ requests: all }: UserObservation): readonly UserRequest[] {
  return all.filter(({ error }) => error === SESSION_LOST);
}

function sessions(seen: UserObservation): readonly Check[] {
  const lost = sessionsLost(seen);
  return [
    assertion('sessions.lost', 'nobody had to log in again', lost.length === 0, {
      found: `users ${[...new Set(lost.map(({ client }) => client))].sort().join(', ')} had to, ${lost.length} times`,
      next: 'sessions must be where every Odoo host finds them: do app, cron and gevent hosts all have session_store = redis and odoo_prov_session_redis in /etc/odoo/*.conf, and has Redis lost its data? odoo-prov apply FILE sets it up',
    }),
  ];
}

/** Those that a listener has not had; of a database that may lose its last moments, only those that it still has. */
function messagesLost({
  requests: all,
  received,
  listeners,
  traces,
  mayLose,
}: UserObservation): readonly number[] {
  const there = new Set(traces.jobs.map(({ job }) => job));
  return messagesOf(all, received)
    .filter(({ had }) => had.length < listeners.length)
    .filter(({ number }) => !mayLose || there.has(number))
    .map(({ number }) => number);
}

function messages(seen: UserObservation): readonly Check[] {
  const lost = messagesLost(seen);
  return [
    assertion('messages.lost', 'every message reached every websocket', lost.length === 0, {
      found: `${lost.length} did not, the first of them number ${lost[0] ?? 0}`,
      next: 'on the gevent hosts: journalctl -u odoo-gevent; on the edges: does /websocket lead to gevent hosts only? LISTEN needs session mode in PgBouncer for the database postgres',
    }),
  ];
}

function jobsOf({ requests: all, traces, mayLose }: UserObservation): {
  readonly never: readonly number[];
  readonly twice: readonly number[];
} {
  const runs = new Map(traces.jobs.map(({ job, runs: count }) => [job, count]));
  const asked = all
    .filter((request) => request.kind === 'signal' && isAnswered(request))
    .map(({ name }) => Number(name))
    .filter((job) => !mayLose || runs.has(job));
  return {
    never: asked.filter((job) => (runs.get(job) ?? 0) === 0),
    twice: traces.jobs.filter((job) => job.runs > 1).map(({ job }) => job),
  };
}

function jobs(seen: UserObservation): readonly Check[] {
  const { never, twice } = jobsOf(seen);
  return [
    assertion('jobs.never', 'every job that was asked for was done', never.length === 0, {
      found: `${never.length} were not, the first of them number ${never[0] ?? 0}`,
      next: 'on the cron hosts: journalctl -u odoo-cron; is the service running on at least one of them?',
    }),
    assertion('jobs.twice', 'no job was done twice', twice.length === 0, {
      found: `${twice.length} were, the first of them number ${twice[0] ?? 0}`,
      next: 'a job that commits in the middle is begun anew when its host dies: it must be one transaction, or know what it has done',
    }),
  ];
}

function files({ traces }: UserObservation): readonly Check[] {
  const wrong = traces.filesMissing.filter(({ missing }) => missing > 0);
  return [
    assertion(
      'files.missing',
      'every host has every file that users uploaded',
      wrong.length === 0,
      {
        found: wrong
          .map(({ host, missing }) => `${host} lacks ${missing} of ${traces.files}`)
          .join('; '),
        next: `the filestore must be the same share on every host: on ${wrong[0]?.host ?? 'it'}, is it mounted?`,
      },
    ),
  ];
}

function pools({ traces }: UserObservation): readonly Check[] {
  const wrong = (what: 'page' | 'websocket'): readonly string[] =>
    traces.asked
      .filter((asked) => asked.what === what && !asked.expected)
      .map(
        ({ edge, upstream, host }) =>
          `${edge} asked ${upstream}${host === undefined ? '' : ` (${host})`}`,
      );
  const check = (id: string, text: string, found: readonly string[]): Check =>
    assertion(id, text, found.length === 0, {
      found: found.join('; '),
      next: 'odoo-prov apply FILE writes /etc/nginx/nginx.conf; look into /etc/nginx/conf.d as well',
    });
  return [
    check('edge.app-pool', 'pages came from app hosts only', wrong('page')),
    check('edge.websocket-pool', 'websockets went to gevent hosts only', wrong('websocket')),
  ];
}

function seconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(1))} s`;
}
