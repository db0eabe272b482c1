import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Machines } from '../../playbooks/failover-test/machines.js';
import { chosenScenarios } from '../../playbooks/failover-test/scenarios/chosen.js';
import { SCENARIOS } from '../../playbooks/failover-test/scenarios/index.js';
import type { RunnableScenario } from '../../playbooks/failover-test/trial.js';
import { listRows, listScenarios } from '../failover-test/list.js';
import { reportToHtml } from '../failover-test/report-html.js';
import { reportToJunit } from '../failover-test/report-junit.js';
import {
  expectationText,
  markLine,
  scenarioLines,
  summaryLines,
} from '../failover-test/report-text.js';
import type { Report } from '../failover-test/report.js';
import { EXIT, Failure } from '../failure/failure.js';
import type { Cluster } from '../inventory/cluster.js';
import { askYesNo } from '../ui/prompt.js';
import { nameInventory } from '../ui/named-inventory.js';
import { print, tell } from '../ui/terminal.js';
import { table } from '../ui/text.js';
import { becomePassword, type BecomeFlags } from './become.js';
import { listenForInterrupt } from './interrupt.js';
import { loadSoundCluster } from './load-inventory.js';
import { passphraseAsker } from './passphrase.js';

export interface FailoverTestFlags extends BecomeFlags {
  readonly scenario?: readonly string[];
  readonly list?: true;
  readonly on?: string;
  readonly report?: string;
  readonly json?: true;
  readonly yes?: true;
}

/** `odoo-prov failover-test FILE`: exit 0 passed, 3 failed, 5 not healthy before. */
export async function failoverTest(file: string, flags: FailoverTestFlags): Promise<void> {
  const cluster = loadSoundCluster(file, flags.json === true);
  const scenarios = chosenScenarios(flags.scenario);
  if (flags.on !== undefined) await checkScratch(cluster, flags.on);
  const { labMachines } = await import('./lab-machines.js');
  const machines = await labMachines(cluster);
  const means = { scratch: flags.on, machines: machines !== undefined };
  if (flags.list === true) {
    const listed = flags.scenario === undefined ? SCENARIOS : scenarios;
    const list = listScenarios(listed, cluster, means);
    print(flags.json === true ? JSON.stringify(list) : table(listRows(list), []).join('\n'));
    return;
  }
  if (flags.report !== undefined) requireFolder(flags.report);
  const write = flags.json === true ? tell : print;
  const say = (text: string): void => write(nameInventory(text, file));
  for (const scenario of scenarios.filter(({ lacks }) => lacks(cluster, means) === undefined)) {
    say(`${scenario.name}: ${scenario.title} (${expectationText(scenario.expects(cluster))})`);
  }
  if (flags.yes !== true && !(await askYesNo(`Break this in ${cluster.name}?`, 'give --yes'))) {
    process.exitCode = EXIT.refused;
    return;
  }
  const report = await run(cluster, scenarios, machines, flags, say);
  if (flags.json === true) print(JSON.stringify(report));
  const written = flags.report === undefined || writeReport(flags.report, report, say);
  const code = exitCodeOfRun(report);
  process.exitCode = code === EXIT.done && !written ? EXIT.failed : code;
}

/** @throws Failure usage, before anything is broken for a report that could not be written */
function requireFolder(folder: string): void {
  try {
    makeFolder(resolve(folder));
    accessSync(folder, constants.W_OK);
    if (!statSync(folder).isDirectory()) throw new Error('it is there, and is no folder');
  } catch (cause) {
    throw notWritable(folder, cause);
  }
}

/** Node's own `recursive` never ends where the file system makes no folders, as in /proc (seen with Node 20). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

function notWritable(folder: string, cause: unknown): Failure {
  return new Failure({
    reason: 'usage',
    message: `the report cannot be written to ${folder}`,
    expected: 'a folder that you may write to',
    found: cause instanceof Error ? cause.message : String(cause),
    remedy: 'give another one with --report',
    cause,
  });
}

async function run(
  cluster: Cluster,
  scenarios: readonly RunnableScenario[],
  machines: Machines | undefined,
  flags: FailoverTestFlags,
  say: (text: string) => void,
): Promise<Report> {
  const password = await becomePassword(flags);
  const askPassphrase = passphraseAsker(() => () => undefined);
  const interrupt = listenForInterrupt(() => tell('stopping: what is broken is healed first'));
  try {
    // Loaded last: a mistake in the inventory is told without the SSH library.
    const playbook = await import('../../playbooks/failover-test/run.js');
    const report = await playbook.failoverTest(cluster, {
      ...{ scenarios, scratch: flags.on, machines },
      stop: interrupt.stop,
      connect: {
        onNewHostKey: (host, fingerprint) =>
          tell(`${host}: its new host key ${fingerprint} was recorded`),
        ...(password === undefined ? {} : { becomePassword: password }),
        ...(askPassphrase === undefined ? {} : { askPassphrase }),
      },
      progress: {
        looking: say,
        started: (scenario) => say(`\n${scenario.name}`),
        marked: (mark) => say(markLine(mark)),
        ended: (done) => say(scenarioLines(done).join('\n')),
        skipped: (scenario, why) => say(`\n${scenario.name}\nskipped: ${why}`),
      },
    });
    say(`\n${summaryLines(report).join('\n')}`);
    return report;
  } finally {
    interrupt.release();
  }
}

/** @throws Failure usage where no copy could be made there */
async function checkScratch(cluster: Cluster, on: string): Promise<void> {
  const { scratchHost } = await import('../../playbooks/scratch.js');
  scratchHost(cluster, on);
}

/** @returns whether it could; the verdict stands in any case */
function writeReport(folder: string, report: Report, say: (text: string) => void): boolean {
  const files: Readonly<Record<string, string>> = {
    'failover-test.html': reportToHtml(report),
    'failover-test.json': `${JSON.stringify(report, null, 2)}\n`,
    'failover-test.junit.xml': reportToJunit(report),
  };
  const paths = Object.entries(files).map(([name, text]) => ({ path: join(folder, name), text }));
  try {
    makeFolder(resolve(folder));
    // Beside the old ones: where the disk is full, a report that is there stays whole.
    for (const { path, text } of paths) writeFileSync(`${path}.new`, text);
    for (const { path } of paths) renameSync(`${path}.new`, path);
  } catch (cause) {
    for (const { path } of paths) rmSync(`${path}.new`, { force: true });
    const { message, found } = notWritable(folder, cause).details;
    tell(`${message}: ${found ?? ''}; the verdict stands above`);
    return false;
  }
  say(`report: ${join(folder, 'failover-test.html')}`);
  return true;
}

function exitCodeOfRun({ verdict }: Report): number {
  switch (verdict) {
    case 'passed':
      return EXIT.done;
    case 'failed':
      return EXIT.failed;
    case 'interrupted':
      return EXIT.interrupted;
  }
}
