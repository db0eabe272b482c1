import { mkdirSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { readArguments } from './arguments.js';
import { contenders, type Result } from './contenders.js';
import { coverageOf } from './coverage.js';
import { readHosts, type BenchCluster } from './hosts.js';
import { isConverged, ownLab, removeOwnLab } from './lab.js';
import { WORK } from './paths.js';
import { costTable, insideTable, ratio, two, wireTable, type Series } from './report.js';
import { measureVersion } from './version.js';

const AIM = 1.5;
const VERSION_PAIRS = 15;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Rounds in which every contender runs once, each round beginning with another one. */
async function race(cluster: BenchCluster, rounds: number): Promise<readonly Series[]> {
  const all = contenders(cluster).map((contender) => ({ contender, results: [] as Result[] }));
  for (const { contender } of all) await contender.run();
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < all.length; i += 1) {
      const entry = all[(round + i) % all.length];
      if (entry === undefined) continue;
      entry.results.push(await entry.contender.run());
      process.stderr.write(
        `round ${String(round + 1)} of ${String(rounds)}: ${entry.contender.name}\n`,
      );
    }
  }
  return all.map(({ contender, results }) => ({ name: contender.name, results }));
}

async function tellCoverage(cluster: BenchCluster): Promise<void> {
  const { all, missing } = await coverageOf(cluster);
  const done = all - missing.length;
  say(`floor 2 looks at ${String(done)} of the ${String(all)} things that the tool looks at`);
  for (const name of missing) say(`  not at ${name}`);
}

async function main(): Promise<void> {
  const { rounds, inventory, down } = readArguments(process.argv.slice(2));
  mkdirSync(WORK, { recursive: true });
  if (down) {
    await removeOwnLab();
    return;
  }
  const file = inventory === undefined ? await ownLab() : resolve(inventory);
  if (inventory !== undefined && !(await isConverged(file))) {
    throw new Error(
      `${file}: its hosts are not converged, so there is no no-change run to measure`,
    );
  }
  const cluster = readHosts(file);
  const hosts = cluster.hosts.length;
  const load = loadavg()[0] ?? 0;
  say(
    `${new Date().toISOString().slice(0, 10)}, node ${process.version}, ${String(availableParallelism())} × ${cpus()[0]?.model ?? '?'}`,
  );
  say(
    `${String(hosts)} hosts on this machine, ${String(rounds)} rounds, load ${two(load)} at the beginning`,
  );
  await tellCoverage(cluster);
  const version = await measureVersion(VERSION_PAIRS);
  const series = await race(cluster, rounds);
  const [, floor, tool] = series;
  if (floor === undefined || tool === undefined) throw new Error('a contender is missing');
  const times = ratio(tool.results, floor.results);
  say(`\n${costTable(series, floor)}`);
  say(`\n${wireTable(series, hosts)}`);
  say(`\n${insideTable(tool, version.node.median)}`);
  say(
    `\nodoo-prov --version ${two(version.version.median)} s, node -e 0 ${two(version.node.median)} s`,
  );
  say(verdict('odoo-prov --version ÷ node -e 0', version.ratio));
  say(verdict('no-change apply ÷ floor 2', times));
}

function verdict(what: string, times: number): string {
  return `${what}: ${two(times)}, wanted ≤ ${String(AIM)}: ${times <= AIM ? 'met' : 'NOT met'}`;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
