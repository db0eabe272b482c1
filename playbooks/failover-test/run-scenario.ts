import type { Check } from '../../src/failover-test/check.js';
import { gapsOf, perSecond, type Span } from '../../src/failover-test/gaps.js';
import { judgeCluster } from '../../src/failover-test/judge-cluster.js';
import { counted } from '../../src/failover-test/counted.js';
import {
  judgeUsers,
  userFigures,
  type UserObservation,
} from '../../src/failover-test/judge-users.js';
import { judgeWrites } from '../../src/failover-test/judge-writes.js';
import { compareLedger, lossOf } from '../../src/failover-test/ledger.js';
import {
  haveWaited,
  verdictOf,
  type Figures,
  type Mark,
  type ScenarioReport,
} from '../../src/failover-test/report.js';
import { Failure } from '../../src/failure/failure.js';
import { databaseHosts, type Cluster, type Host } from '../../src/inventory/cluster.js';
import { raw } from '../../src/shell/index.js';
import type { Login } from '../../src/load/pg-connection.js';
import type { ConnectOptions } from '../../src/transport/session.js';
import type { Hosts } from './hosts.js';
import { look, lookUntilHealthy, type Seen } from './health.js';
import { attempt, breakAndHeal, failureOf } from './attempt.js';
import { drain, makeLoad, type Load } from './load.js';
import type { Machines } from './machines.js';
import type { Moves } from './moves.js';
import type { OdooTestData } from './odoo-data.js';
import { countRows, makeTable, storedRows } from './table.js';
import { lookForTraces } from './traces.js';
import { Trial, type RunnableScenario } from './trial.js';

/** Seconds for the cluster to become healthy again after a scenario. */
const HEALTHY_SECONDS = 120;
/** The same after Ctrl-C. A host that was healed has started again by then, and a guard has had its say. */
const STOPPED_SECONDS = 15;
/** Milliseconds in which a user, who asks once a second, has had an answer if all is well. */
const USER_SILENCE = 10_000;

/** What all scenarios of a run share. */
export interface Bench {
  /** As it really is. */
  readonly cluster: Cluster;
  readonly written: Cluster;
  readonly tested: readonly Host[];
  readonly primary: Host;
  readonly hosts: Hosts;
  readonly moves: Moves;
  readonly login: Login;
  /** Undefined where Odoo is not part of the test. */
  readonly odoo: OdooTestData | undefined;
  readonly connect: ConnectOptions;
  /** The host for copies that was given with `--on`. */
  readonly scratch: string | undefined;
  /** Undefined where nobody stands beside the hosts. */
  readonly machines: Machines | undefined;
  readonly onMark: (mark: Mark) => void;
  /** Shows a line of what is being done. */
  readonly tell: (text: string) => void;
  readonly stop: AbortSignal;
}

/** Runs one scenario under load and judges it; heals whatever happens. */
export async function runScenario(
  bench: Bench,
  scenario: RunnableScenario,
  before: Seen,
): Promise<ScenarioReport> {
  const { cluster, hosts, primary } = bench;
  const started = new Date().toISOString();
  await makeTable(hosts, primary.name, cluster.odoo.database);
  const from = performance.now();
  const now = (): number => performance.now() - from;
  const { moves, onMark, stop, login, odoo, connect, scratch, machines } = bench;
  const load = makeLoad({ hosts, cluster, login, odoo, now });
  const { writers, users } = load;
  const trial = new Trial({
    ...{ cluster, primary, hosts, moves, connect, scratch, machines },
    ...{ writers, users, now, onMark, stop },
  });
  writers.start();
  users?.start();
  const { promotions } = moves;
  const broken = await breakAndHeal(trial, scenario);
  const endedAt = now();
  await drain(load, hosts, primary.name, cluster, stop);
  const after = await lookUntilHealthy(() => look(bench.written, bench.tested, connect), {
    ...{ seconds: HEALTHY_SECONDS, secondsStopped: STOPPED_SECONDS, stop, tell: bench.tell },
  });
  const proved = await attempt(() => trial.prove(writers.ledger));
  const interrupted = broken.interrupted || proved.interrupted;
  const expectation = scenario.expects(cluster);
  const mayLose = scenario.mayLose === true && cluster.postgres.replication.synchronous === 'off';
  const span = spanOf(scenario, cluster, trial.marks, endedAt);
  const primaryNow = after.status.database.primary ?? primary.name;
  const ran = {
    ...{ scenario: scenario.name, title: scenario.title, expectation, started },
    ...{ milliseconds: endedAt, marks: trial.marks },
    series: perSecond(writers.ledger, endedAt),
    requests: users === undefined ? [] : perSecond(users.ledger, endedAt),
  };
  if (interrupted && !(await isAnswered(bench, primaryNow))) {
    const checks = [...broken.checks, ...proved.checks, ...trial.checks];
    return { ...ran, verdict: 'interrupted', checks, figures: null, users: null };
  }
  const rows = await storedRows(hosts, primaryNow, cluster.odoo.database);
  const seenByUsers = await userObservation(bench, scenario, load, primaryNow, span, mayLose);
  const comparison = compareLedger(writers.ledger, rows);
  const gaps = gapsOf(writers.ledger, writers.numbers, span);
  const total = rows.reduce((sum, { copies }) => sum + copies, 0);
  const checks: readonly Check[] = [
    ...broken.checks,
    ...proved.checks,
    ...judgeWrites({
      ...{ writes: writers.ledger, comparison, gaps, mayLose },
      expectation: scenario.expectsWrites?.(cluster) ?? expectation,
      ...{ limits: cluster.failoverTest, complete: !interrupted },
      ...(trial.cutOver === undefined ? {} : { cutOver: trial.cutOver }),
      ...(trial.broken !== undefined && scenario.holdsWrites?.(cluster) === true
        ? { held: trial.broken }
        : {}),
    }),
    ...(seenByUsers === undefined ? [] : judgeUsers(seenByUsers)),
    ...trial.checks,
    ...judgeCluster({
      timeline: before.status.database.timeline ?? 0,
      promotions: interrupted ? moves.promotions - promotions : scenario.promotions,
      // Where it was cut, nobody knows who was to be it: the end of the run says who is, and the way back.
      primary: interrupted ? primaryNow : primary.name,
      after: after.status,
      alerts: after.alerts,
      rows: total,
      rowsSeen: await rowsSeen(bench, trial, primaryNow, total),
    }),
  ];
  const figures: Figures = {
    ...{ acknowledged: comparison.acknowledged, refused: comparison.refused, gaps },
    ...{ unknown: comparison.unknown, unknownStored: comparison.unknownStored },
    lost: lossOf(comparison.lost),
    errors: counted(writers.ledger.flatMap(({ error }) => (error === undefined ? [] : [error]))),
  };
  const felt = seenByUsers === undefined ? null : userFigures(seenByUsers);
  const waited = felt !== null && haveWaited(felt, cluster.failoverTest);
  const usersExpectation = felt === null ? undefined : scenario.expectsUsers?.(cluster);
  return {
    ...{ ...ran, checks, figures, users: felt },
    ...(usersExpectation === undefined ? {} : { usersExpectation }),
    verdict: interrupted ? 'interrupted' : verdictOf(checks, expectation, waited),
  };
}

/** Whether the rows can be read. After Ctrl-C a host may have come back without anybody having waited for it. */
async function isAnswered(
  { cluster, hosts }: Pick<Bench, 'cluster' | 'hosts'>,
  primary: string,
): Promise<boolean> {
  const host = databaseHosts(cluster).find(({ name }) => name === primary);
  const ask = (): Promise<Failure | undefined> =>
    failureOf(async () => {
      await countRows(hosts, primary, cluster.odoo.database);
    });
  if ((await ask()) === undefined) return true;
  if (host === undefined || (await hosts.reconnected(host, raw(':'))) === undefined) return false;
  return (await ask()) === undefined;
}

/** What the users saw and left; undefined where Odoo is not part of the test. */
async function userObservation(
  { cluster, hosts }: Bench,
  scenario: RunnableScenario,
  load: Load,
  primary: string,
  span: Span,
  mayLose: boolean,
): Promise<UserObservation | undefined> {
  const { users } = load;
  if (users === undefined) return undefined;
  // What was asked after the end was only to end it.
  const requests = users.ledger.filter(({ begun }) => begun <= span.endedAt);
  return {
    ...{ requests, received: users.received, listeners: users.listeners, mayLose },
    gaps: gapsOf(requests, users.numbers, { ...span, silence: USER_SILENCE }),
    traces: await lookForTraces(hosts, cluster, primary, load),
    expectation: scenario.expectsUsers?.(cluster) ?? scenario.expects(cluster),
    limits: {
      ...cluster.failoverTest,
      ...(scenario.failedRequests === undefined ? {} : { failedRequests: scenario.failedRequests }),
    },
  };
}

function spanOf(
  { recoversFrom }: RunnableScenario,
  cluster: Cluster,
  marks: readonly Mark[],
  endedAt: number,
): Span {
  const faultAt = marks.find(({ kind }) => kind === 'fault')?.at ?? 0;
  const healedAt = marks.find(({ kind }) => kind === 'heal')?.at ?? endedAt;
  const start = typeof recoversFrom === 'function' ? recoversFrom(cluster) : recoversFrom;
  return { faultAt, endedAt, recoverFrom: start === 'fault' ? faultAt : healedAt };
}

/** Rows on each standby, given some time to replay. */
async function rowsSeen(
  { cluster, hosts, stop }: Bench,
  trial: Trial,
  primary: string,
  total: number,
): Promise<ReadonlyMap<string, number | undefined>> {
  const seen = new Map<string, number | undefined>();
  await Promise.all(
    databaseHosts(cluster)
      .filter(({ name }) => name !== primary)
      .map(async ({ name }) => {
        await trial
          .until(20, async () => {
            const rows = await countRows(hosts, name, cluster.odoo.database).catch(noAnswer);
            seen.set(name, rows);
            return rows === total;
          })
          .catch((error: unknown) => {
            // Ctrl-C: what was seen last is what is judged.
            if (!stop.aborted) throw error;
          });
      }),
  );
  return seen;
}

/** A standby that cannot be asked has no count: the assertion says so. */
function noAnswer(error: unknown): undefined {
  if (!(error instanceof Failure)) throw error;
  return undefined;
}
