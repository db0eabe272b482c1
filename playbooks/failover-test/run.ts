import { observedCluster } from '../../src/facts/topology.js';
import {
  verdictOfRun,
  type Mark,
  type Report,
  type ScenarioReport,
  type Skipped,
} from '../../src/failover-test/report.js';
import type { Scenario } from '../../src/failover-test/scenario.js';
import { Failure } from '../../src/failure/failure.js';
import { hostsWith, type Cluster, type Host } from '../../src/inventory/cluster.js';
import type { Login } from '../../src/load/pg-connection.js';
import { initialisingHost, ODOO_USER, unitName } from '../../src/odoo/layout.js';
import { raw } from '../../src/shell/index.js';
import { openSecrets } from '../../src/secrets/index.js';
import { PACKAGE_VERSION } from '../../src/template/package-files.js';
import type { ConnectOptions } from '../../src/transport/session.js';
import { judgeAfterwards } from './afterwards.js';
import { refuseArmed } from './armed.js';
import { failureOf } from './attempt.js';
import { converge, isHealthy, look, requireHealthy, type Seen } from './health.js';
import { databaseTier, Hosts, odooTier } from './hosts.js';
import { CLIENTS, USERS } from './load.js';
import type { Machines } from './machines.js';
import { Moves } from './moves.js';
import { makeOdooData, removeOdooData } from './odoo-data.js';
import { runScenario, type Bench } from './run-scenario.js';
import type { RunnableScenario } from './trial.js';

/** What is told while it runs. */
export interface Progress {
  readonly looking: (what: string) => void;
  readonly started: (scenario: Scenario, cluster: Cluster) => void;
  readonly marked: (mark: Mark) => void;
  readonly ended: (report: ScenarioReport) => void;
  readonly skipped: (scenario: Scenario, why: string) => void;
}

export interface FailoverTestOptions {
  /** In the order in which they are run. */
  readonly scenarios: readonly RunnableScenario[];
  /** Without a signal: what was broken is healed also after Ctrl-C. */
  readonly connect: ConnectOptions;
  /** The host that gets copies of the database; the repository's own if not given. */
  readonly scratch?: string | undefined;
  /** Those of a lab can be broken from outside. */
  readonly machines?: Machines | undefined;
  /** Ctrl-C: nothing new is broken, what is broken is healed. */
  readonly stop: AbortSignal;
  readonly progress: Progress;
}

/**
 * Breaks one thing after the other under load, and judges what came of it.
 * @throws Failure refused: the cluster is not healthy, or another test or an apply runs; nothing was touched then
 */
export async function failoverTest(
  written: Cluster,
  { scenarios, connect, scratch, machines, stop, progress }: FailoverTestOptions,
): Promise<Report> {
  const started = new Date().toISOString();
  const login = await loginOf(written);
  const hosts = new Hosts(connect);
  try {
    // First of all: a machine that is broken takes no connection.
    await machines?.refuseBroken();
    const withoutOdoo = await whyWithoutOdoo(written, hosts);
    if (withoutOdoo !== undefined)
      progress.looking(`users of Odoo are no part of this: ${withoutOdoo}`);
    const tier = databaseTier(written);
    const tested = withoutOdoo === undefined ? [...new Set([...tier, ...odooTier(written)])] : tier;
    progress.looking('is the cluster healthy, and as the inventory says?');
    await hosts.connect(tested);
    await hosts.keep(tested);
    await refuseArmed(hosts, tested);
    const first = await requireHealthy(written, tested, connect);
    const primary = primaryOf(written, first);
    const cluster = observedCluster(written, {
      ...{ primary: primary.name, formerPrimaries: [], rivals: [] },
    });
    const settle = async (): Promise<void> => {
      await converge(written, tier, connect, { failoverTest: hosts.test });
    };
    const moves = new Moves(written, hosts, connect, settle, stop);
    const bench: Omit<Bench, 'odoo'> = {
      ...{ cluster, written, tested, primary, hosts, moves, login, connect, stop },
      ...{ scratch, machines },
      onMark: progress.marked,
      tell: progress.looking,
    };
    const run = async (odoo: Bench['odoo']): Promise<Pick<Report, 'scenarios' | 'skipped'>> =>
      runAll({ ...bench, odoo }, scenarios, first, progress, withoutOdoo);
    const done =
      withoutOdoo === undefined ? await withOdooData(bench, progress, run) : await run(undefined);
    progress.looking('is the cluster as it was before?');
    const end = await judgeAfterwards(bench, withoutOdoo === undefined);
    return {
      ...{ cluster: written.name, version: PACKAGE_VERSION, started },
      ended: new Date().toISOString(),
      limits: written.failoverTest,
      synchronous: written.postgres.replication.synchronous,
      clients: CLIENTS,
      users: withoutOdoo === undefined ? USERS : 0,
      ...(withoutOdoo === undefined ? {} : { withoutOdoo }),
      hosts: tested.map(({ name }) => ({ host: name, roles: rolesNow(cluster, name) })),
      verdict: verdictOfRun({ ...done, afterwards: end.afterwards }, stop.aborted),
      ...done,
      ...end,
    };
  } finally {
    await hosts.close();
  }
}

/** Why the test is about the database tier alone; undefined where Odoo is part of it. */
async function whyWithoutOdoo(cluster: Cluster, hosts: Hosts): Promise<string | undefined> {
  const apps = hostsWith(cluster, 'app');
  await hosts.connect(apps);
  const unit = unitName('app');
  const found = await Promise.all(
    apps.map(({ name }) =>
      hosts.run(name, raw(`systemctl list-unit-files --no-legend ${unit} || :`)),
    ),
  );
  if (found.some((line) => line.startsWith(unit))) return undefined;
  return `Odoo is not installed on ${apps.map(({ name }) => name).join(', ')}`;
}

/** Runs something while a user of the test is in Odoo; it is removed whatever happens. */
async function withOdooData<T>(
  { hosts, cluster }: Pick<Bench, 'hosts' | 'cluster'>,
  progress: Progress,
  work: (odoo: Bench['odoo']) => Promise<T>,
): Promise<T> {
  const host = initialisingHost(cluster);
  progress.looking(`a user for the test is made in Odoo, on ${host.name}`);
  const data = await makeOdooData(hosts, host, cluster);
  try {
    return await work(data);
  } finally {
    // A cluster that a scenario left broken may not let it go: `after.odoo` says so, and the host tries again by itself.
    const left = await failureOf(() => removeOdooData(hosts, host, cluster));
    if (left !== undefined) {
      progress.looking(`the test's user could not be removed from Odoo: ${left.message}`);
    }
  }
}

async function runAll(
  bench: Bench,
  scenarios: readonly RunnableScenario[],
  first: Seen,
  progress: Progress,
  withoutOdoo: string | undefined,
): Promise<Pick<Report, 'scenarios' | 'skipped'>> {
  const reports: ScenarioReport[] = [];
  const skipped: Skipped[] = [];
  let before = first;
  for (const scenario of scenarios) {
    const why =
      (scenario.needsOdoo === true ? withoutOdoo : undefined) ?? (await whyNot(bench, scenario));
    const unhealthy =
      why === undefined && !isAsBefore(bench, before)
        ? `the cluster is not healthy after ${reports.at(-1)?.scenario ?? 'the start'}`
        : undefined;
    const reason = why ?? unhealthy;
    if (reason !== undefined) {
      skipped.push({
        ...{ scenario: scenario.name, why: reason },
        ...(unhealthy === undefined ? {} : { unhealthy: true }),
      });
      progress.skipped(scenario, reason);
      continue;
    }
    progress.started(scenario, bench.cluster);
    const report = await runScenario(bench, scenario, before);
    reports.push(report);
    progress.ended(report);
    before = await look(bench.written, bench.tested, bench.connect);
  }
  return { scenarios: reports, skipped };
}

/** Why a scenario is not run; undefined when it can be. */
async function whyNot(bench: Bench, scenario: RunnableScenario): Promise<string | undefined> {
  if (bench.stop.aborted) return 'interrupted before it';
  const { cluster, scratch, machines } = bench;
  const means = { scratch, machines: machines !== undefined };
  return scenario.lacks(cluster, means) ?? (await scenario.hostLacks?.(bench));
}

/** Whether the cluster can be broken once more: healthy, and with the same primary. */
function isAsBefore({ primary }: Pick<Bench, 'primary'>, seen: Seen): boolean {
  return isHealthy(seen) && seen.status.database.primary === primary.name;
}

async function loginOf({ file, odoo }: Cluster): Promise<Login> {
  const password = (await openSecrets(file, { dryRun: true })).find('odoo-db-password');
  if (password !== undefined) return { database: odoo.database, user: ODOO_USER, password };
  throw new Failure({
    reason: 'usage',
    message: "the database's password is not among the secrets of this inventory",
    expected: 'a cluster that `odoo-prov apply` has made from here',
    remedy: 'run odoo-prov apply FILE first, or copy the secrets file beside the inventory',
  });
}

function primaryOf(cluster: Cluster, { status }: Seen): Host {
  const primary = cluster.hosts.find(({ name }) => name === status.database.primary);
  if (primary === undefined) throw new Error('a healthy cluster has a primary');
  return primary;
}

function rolesNow(cluster: Cluster, name: string): readonly string[] {
  return cluster.hosts.find((host) => host.name === name)?.roles ?? [];
}
