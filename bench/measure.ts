import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Metered } from './meter.js';
import { METER, WORK } from './paths.js';

/** One process, measured from outside, and what it said of itself when it ended. */
export interface Measured extends Metered {
  /** Seconds from before it was started until it was gone. */
  readonly wall: number;
  /** Seconds of processor time that the whole machine spent meanwhile: the hosts of the lab, too. */
  readonly machineCpu: number;
  readonly code: number | null;
  readonly output: string;
}

/** Runs a node program as its own process with the meter in it. */
export async function measure(script: string, args: readonly string[]): Promise<Measured> {
  const report = join(WORK, 'meter.json');
  rmSync(report, { force: true });
  const options = `--import ${pathToFileURL(METER).href}`;
  const env = { ...process.env, NODE_OPTIONS: options, BENCH_METER: report };
  const before = machineCpu();
  const run = await runNode([script, ...args], env);
  const after = machineCpu();
  if (!existsSync(report)) throw new Error(`${script} ended without its figures:\n${run.output}`);
  const metered = JSON.parse(readFileSync(report, 'utf8')) as Metered;
  return { ...run, ...metered, machineCpu: after - before };
}

/** Runs node and waits for its end. Wall time in seconds. */
export function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly wall: number; readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    const errors: Buffer[] = [];
    let wall = 0;
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.on('exit', () => (wall = (performance.now() - began) / 1000));
    child.on('close', (code) => {
      const output = Buffer.concat(code === 0 ? chunks : [...chunks, ...errors]).toString('utf8');
      resolve({ wall, code, output });
    });
  });
}

/** Ticks of /proc/stat a second: USER_HZ, 100 on every Linux that Debian builds. */
const TICKS = 100;

/** Busy processor time of all cores since boot in seconds: proc_stat(5) without `idle` and `iowait`. */
function machineCpu(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields.map(Number);
  return (user + nice + system + irq + softirq) / TICKS;
}
