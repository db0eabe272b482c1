import type { Check } from '../../src/failover-test/check.js';
import { gapsOf, perSecond, type Span } from '../../src/failover-test/gaps.js';
import { judgeCluster } from '../../src/failover-test/judge-cluster.js';
import { judgeWrites } from '../../src/failover-test/judge-writes.js';
import { compareLedger, lossOf } from '../../src/failover-test/ledger.js';
import {
  verdictOf,
  type Figures,
  type Mark,
  type ScenarioReport,
} from '../../src/failover-test/report.js';
import { Failure } from '../../src/failure/failure.js';
import { databaseHosts, hostsWith, type Cluster, type Host } from '../../src/inventory/cluster.js';
import type { Login } from '../../src/load/pg-connection.js';
import { Writers } from '../../src/load/writers.js';
import { PGBOUNCER_PORT } from '../../src/odoo/layout.js';
import type { ConnectOptions } from '../../src/transport/session.js';
import type { Hosts } from './hosts.js';
import { lookUntilHealthy, type Seen } from './health.js';
import type { Moves } from './moves.js';
import { countRows, makeTable, storedRows, TABLE } from './table.js';
import { Trial, type RunnableScenario } from './trial.js';

/** Clients that write at the same time. */
export const CLIENTS = 6;
/** Seconds for the cluster to become healthy again after a scenario. */
const HEALTHY_SECONDS = 120;

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
  readonly connect: ConnectOptions;
  readonly onMark: (mark: Mark) => void;
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
  const writers = new Writers({
    ...{ clients: CLIENTS, login: bench.login, table: TABLE, now },
    ways: hostsWith(cluster, 'pgbouncer').map(({ name, address }) => ({
      host: name,
      open: () => hosts.session(name).forward(address, PGBOUNCER_PORT),
    })),
  });
  const { moves, onMark, stop } = bench;
  const trial = new Trial({ cluster, primary, hosts, moves, writers, now, onMark, stop });
  writers.start();
  const broken = await breakAndHeal(trial, scenario);
  const endedAt = now();
  await writers.stop();
  const after = await lookUntilHealthy(bench.written, bench.tested, bench.connect, HEALTHY_SECONDS);
  const expectation = scenario.expects(cluster);
  const span = spanOf(scenario, trial.marks, endedAt);
  const rows = await storedRows(
    hosts,
    after.status.database.primary ?? primary.name,
    cluster.odoo.database,
  );
  const comparison = compareLedger(writers.ledger, rows);
  const gaps = gapsOf(writers.ledger, writers.numbers, span);
  const total = rows.reduce((sum, { copies }) => sum + copies, 0);
  const checks: readonly Check[] = [
    ...broken.checks,
    ...judgeWrites({
      ...{ writes: writers.ledger, comparison, gaps, expectation },
      limits: cluster.failoverTest,
      mayLose: scenario.onRequest && cluster.postgres.replication.synchronous === 'off',
      ...(trial.cutOver === undefined ? {} : { cutOver: trial.cutOver }),
    }),
    ...trial.checks,
    ...judgeCluster({
      timeline: before.status.database.timeline ?? 0,
      promotions: scenario.promotions,
      primary: primary.name,
      after: after.status,
      alerts: after.alerts,
      rows: total,
      rowsSeen: await rowsSeen(bench, trial, total),
    }),
  ];
  const figures: Figures = {
    ...{ acknowledged: comparison.acknowledged, refused: comparison.refused, gaps },
    ...{ unknown: comparison.unknown, unknownStored: comparison.unknownStored },
    lost: lossOf(comparison.lost),
    errors: counted(writers.ledger.flatMap(({ error }) => (error === undefined ? [] : [error]))),
  };
  return {
    ...{ scenario: scenario.name, title: scenario.title, expectation, started, checks, figures },
    verdict: broken.interrupted ? 'interrupted' : verdictOf(checks, expectation),
    milliseconds: endedAt,
    marks: trial.marks,
    series: perSecond(writers.ledger, endedAt),
  };
}

interface Broken {
  readonly interrupted: boolean;
  readonly checks: readonly Check[];
}

/** The scenario itself, with calm before and after it. What goes wrong in it is a failed check. */
async function breakAndHeal(trial: Trial, scenario: RunnableScenario): Promise<Broken> {
  const failures: Failure[] = [];
  let interrupted = false;
  const note = (error: unknown): void => {
    if (error instanceof Failure) failures.push(error);
    else if (error instanceof Error && error.name === 'AbortError') interrupted = true;
    else throw error;
  };
  try {
    await trial.untilWriting(20);
    await trial.wait();
    await scenario.run(trial);
    await trial.untilWriting(trial.cluster.failoverTest.rto);
    await trial.wait();
  } catch (error) {
    note(error);
  }
  // Also after a failure and after Ctrl-C; what cannot be healed here heals by the host's own timer.
  await trial.heal().catch(note);
  return {
    interrupted,
    checks: failures.map(({ details }) => ({
      id: 'scenario.steps',
      ok: false,
      text: 'every step of the scenario could be done',
      found: [
        [details.host, details.message].filter((part) => part !== undefined).join(': '),
        ...[details.found, details.output?.trim()].filter(
          (part): part is string => part !== undefined && part !== '',
        ),
      ].join('\n'),
      next: details.remedy,
    })),
  };
}

function spanOf(scenario: RunnableScenario, marks: readonly Mark[], endedAt: number): Span {
  const faultAt = marks.find(({ kind }) => kind === 'fault')?.at ?? 0;
  const healedAt = marks.find(({ kind }) => kind === 'heal')?.at ?? endedAt;
  return { faultAt, endedAt, recoverFrom: scenario.recoversFrom === 'fault' ? faultAt : healedAt };
}

/** Rows on each standby, given some time to replay. */
async function rowsSeen(
  { cluster, hosts, primary, stop }: Bench,
  trial: Trial,
  total: number,
): Promise<ReadonlyMap<string, number | undefined>> {
  const seen = new Map<string, number | undefined>();
  await Promise.all(
    databaseHosts(cluster)
      .filter(({ name }) => name !== primary.name)
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

function counted(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
