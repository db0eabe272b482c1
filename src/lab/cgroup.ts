import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { exists, readIfThere } from './files.js';
import { labFailure } from './lab-failure.js';

/** How this machine mounts control groups. */
export interface CgroupLayout {
  /** Where the one cgroup v2 tree is mounted. */
  readonly root: string;
  /** Hybrid or v1: hosts need a mount namespace in which only v2 is mounted. */
  readonly needsOwnMount: boolean;
  /** Controllers that v2 has, such as memory and cpu; few or none where v1 has them. */
  readonly controllers: readonly string[];
}

const LABS = 'odoo-prov-lab';

/** Finds the v2 tree in /proc/self/mountinfo text; undefined if there is none. */
export function findUnifiedMount(mountinfo: string): string | undefined {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    return after.startsWith('cgroup2 ') ? [before.split(' ')[4] ?? ''] : [];
  });
  return mounts.find((mount) => mount === '/sys/fs/cgroup') ?? mounts[0];
}

/**
 * Looks at this machine's control groups.
 * @throws Failure lab when v2 is mounted nowhere
 */
export async function detectCgroups(): Promise<CgroupLayout> {
  const root = findUnifiedMount(await readFile('/proc/self/mountinfo', 'utf8'));
  if (root === undefined) {
    throw labFailure('this machine has no cgroup v2 mounted', {
      expected: 'cgroup2 on /sys/fs/cgroup or /sys/fs/cgroup/unified',
      found: 'neither',
      remedy:
        'mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified (on a systemd machine: boot without systemd.unified_cgroup_hierarchy=0)',
    });
  }
  const controllers = (await readFile(`${root}/cgroup.controllers`, 'utf8')).trim().split(' ');
  return { root, needsOwnMount: root !== '/sys/fs/cgroup', controllers };
}

/** The lab's control group below the v2 root: named by its bridge, which is unique on a machine. */
export function labGroup(bridge: string): string {
  return `/${LABS}/${bridge}`;
}

/** The control group of a host; everything that runs for it is in there. */
export function hostGroup(bridge: string, host: string): string {
  return `${labGroup(bridge)}/hosts/${host}`;
}

/** The control group of the lab's package cache. */
export function packageCacheGroup(bridge: string): string {
  return `${labGroup(bridge)}/package-cache`;
}

/** Limits of a group, where the controllers are there. Undefined: no limit. */
export interface GroupLimits {
  /** As cgroup v2 reads it: bytes, or with K, M, G. */
  readonly memory?: string;
  readonly cores?: number;
}

/** Makes a group, with limits where this machine can. */
export async function makeGroup(
  layout: CgroupLayout,
  group: string,
  limits: GroupLimits = {},
): Promise<void> {
  const directory = layout.root + group;
  const wanted = [
    ...(limits.memory === undefined ? [] : ['memory']),
    ...(limits.cores === undefined ? [] : ['cpu']),
  ].filter((controller) => layout.controllers.includes(controller));
  await mkdir(directory, { recursive: true });
  await passDown(layout.root, group, wanted);
  if (wanted.includes('memory')) await writeFile(`${directory}/memory.max`, limits.memory ?? 'max');
  if (wanted.includes('cpu')) {
    await writeFile(`${directory}/cpu.max`, `${Math.round((limits.cores ?? 1) * 100_000)} 100000`);
  }
}

async function passDown(root: string, group: string, controllers: string[]): Promise<void> {
  if (controllers.length === 0) return;
  const words = controllers.map((controller) => `+${controller}`).join(' ');
  let directory = root;
  for (const part of group.split('/').slice(1)) {
    await writeFile(`${directory}/cgroup.subtree_control`, words);
    directory = path.join(directory, part);
  }
}

/** Whether any process lives in the group or below. */
export async function isPopulated(layout: CgroupLayout, group: string): Promise<boolean> {
  return (await readIfThere(`${layout.root}${group}/cgroup.events`)).includes('populated 1');
}

/** Stops every process of the group from running, or lets them go on. */
export async function setFrozen(
  layout: CgroupLayout,
  group: string,
  frozen: boolean,
): Promise<void> {
  await writeFile(`${layout.root}${group}/cgroup.freeze`, frozen ? '1' : '0');
}

/** The process ids in a group, not below it. */
export async function processesOf(layout: CgroupLayout, group: string): Promise<number[]> {
  const text = await readIfThere(`${layout.root}${group}/cgroup.procs`);
  return text.split('\n').filter(Boolean).map(Number);
}

/**
 * Waits until no process is left in the group.
 * @returns false when there still is one after `seconds`
 */
export async function waitUntilEmpty(
  layout: CgroupLayout,
  group: string,
  seconds: number,
): Promise<boolean> {
  const end = Date.now() + seconds * 1000;
  while (await isPopulated(layout, group)) {
    if (Date.now() > end) return false;
    await sleep(20);
  }
  return true;
}

/**
 * SIGKILL to every process of the group at once (no process can fork its way out), then removes it.
 * Nothing happens when the group is not there.
 * @throws Failure lab when a process does not die
 */
export async function killGroup(layout: CgroupLayout, group: string): Promise<void> {
  const directory = layout.root + group;
  if (!(await exists(directory))) return;
  const end = Date.now() + 30_000;
  do {
    // Again and again: a `labUp` that was killed may have started a process that only now enters the group.
    await writeFile(`${directory}/cgroup.kill`, '1');
    await sleep(20);
  } while ((await isPopulated(layout, group)) && Date.now() < end);
  if (await isPopulated(layout, group)) {
    throw labFailure('processes do not end', {
      expected: `no process in ${directory} after SIGKILL`,
      found: (await readIfThere(`${directory}/cgroup.procs`)).trim().split('\n').join(', '),
      remedy: 'they hang in the kernel: look at /proc/PID/stack, and restart the machine',
    });
  }
  await removeTree(directory);
}

/** Removes the folder of all labs' groups when no lab is left. */
export async function removeLabsGroupIfEmpty(layout: CgroupLayout): Promise<void> {
  const directory = `${layout.root}/${LABS}`;
  if (!(await exists(directory))) return;
  const left = (await readdir(directory, { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  if (left.length === 0) await rmdir(directory);
}

async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) {
    if (entry.isDirectory()) await removeTree(path.join(directory, entry.name));
  }
  await rmdir(directory);
}
