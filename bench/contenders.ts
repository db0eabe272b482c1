import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FloorAnswer, FloorJob } from './floor-job.js';
import { floorScript } from './floor-scripts.js';
import type { BenchCluster, BenchHost } from './hosts.js';
import { measure, type Measured } from './measure.js';
import { FLOOR_CLIENT, TOOL, WORK } from './paths.js';

/** One run of one contender. */
export interface Result extends Measured {
  /** Execs over all hosts. */
  readonly execs: number;
  /** Seconds, in the tool's own words: its whole run; the slowest host's connecting and asking. */
  readonly inside?: { readonly run: number; readonly connect: number; readonly probe: number };
}

export interface Contender {
  readonly name: string;
  readonly run: () => Promise<Result>;
}

/** The two floors and the tool. */
export function contenders(cluster: BenchCluster): readonly Contender[] {
  return [
    floor('floor 1: ssh2, `true`', 'true', cluster, () => 'true'),
    floor('floor 2: ssh2, script', 'script', cluster, (host) => floorScript(cluster, host)),
    { name: 'odoo-prov apply', run: () => runTool(cluster) },
  ];
}

function floor(
  name: string,
  id: string,
  cluster: BenchCluster,
  command: (host: BenchHost) => string,
): Contender {
  mkdirSync(WORK, { recursive: true });
  const file = join(WORK, `floor-${id}.json`);
  const jobs: readonly FloorJob[] = cluster.hosts.map((h) => ({ ...h, command: command(h) }));
  writeFileSync(file, JSON.stringify(jobs), { mode: 0o600 });
  return {
    name,
    async run() {
      const measured = await measure(FLOOR_CLIENT, [file]);
      if (measured.code !== 0) throw new Error(`${name} failed:\n${measured.output}`);
      const answers = JSON.parse(measured.output) as readonly FloorAnswer[];
      const bad = answers.filter(({ code }) => code !== 0);
      if (bad.length > 0) throw new Error(`${name} failed:\n${JSON.stringify(bad, undefined, 1)}`);
      return { ...measured, execs: answers.length };
    },
  };
}

/** The fields of the tool's last JSON event that are read here. */
interface RunDone {
  readonly type: string;
  readonly recap: {
    readonly changed: number;
    readonly milliseconds: number;
    readonly hosts: readonly {
      readonly wire: { readonly execs: number };
      readonly milliseconds: { readonly connect: number; readonly probe: number };
    }[];
  };
}

async function runTool(cluster: BenchCluster): Promise<Result> {
  const measured = await measure(TOOL, ['apply', cluster.file, '--json']);
  if (measured.code !== 0) throw new Error(`the apply failed:\n${measured.output}`);
  const { recap } = JSON.parse(measured.output.trim().split('\n').at(-1) ?? '') as RunDone;
  if (recap.changed > 0) throw new Error(`the apply changed something:\n${measured.output}`);
  const slowest = (of: 'connect' | 'probe'): number =>
    Math.max(...recap.hosts.map(({ milliseconds }) => milliseconds[of])) / 1000;
  return {
    ...measured,
    execs: recap.hosts.reduce((sum, { wire }) => sum + wire.execs, 0),
    inside: {
      run: recap.milliseconds / 1000,
      connect: slowest('connect'),
      probe: slowest('probe'),
    },
  };
}
