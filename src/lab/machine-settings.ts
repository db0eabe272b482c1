import { writeFile } from 'node:fs/promises';

import { readIfThere, writeWhole } from './files.js';
import { RUN_DIRECTORY } from './paths.js';

// Kernel setting → the least that labs need.
const NEEDED: Readonly<Record<string, number>> = {
  // Hosts reach the package mirror through this machine.
  'net/ipv4/ip_forward': 1,
  // Every systemd watches files, and all hosts share root's share of watchers: with the usual 128,
  // units of the tenth host fail with "too many open files".
  'fs/inotify/max_user_instances': 8192,
  'fs/inotify/max_user_watches': 524_288,
};

const BEFORE = `${RUN_DIRECTORY}/settings-before.json`;

/** Raises kernel settings of this machine that labs need, and records what they were. */
export async function raiseMachineSettings(): Promise<void> {
  const before = await readBefore();
  for (const [name, least] of Object.entries(NEEDED)) {
    const now = (await readIfThere(settingFile(name))).trim();
    if (Number(now) >= least) continue;
    before[name] ??= now;
    await writeWhole(BEFORE, JSON.stringify(before));
    await writeFile(settingFile(name), String(least));
  }
}

/** Puts the settings back to what they were before the first lab. */
export async function restoreMachineSettings(): Promise<void> {
  for (const [name, value] of Object.entries(await readBefore())) {
    await writeFile(settingFile(name), value);
  }
  await writeWhole(BEFORE, '{}');
}

async function readBefore(): Promise<Record<string, string>> {
  const text = await readIfThere(BEFORE);
  return text === '' ? {} : (JSON.parse(text) as Record<string, string>);
}

function settingFile(name: string): string {
  return `/proc/sys/${name}`;
}
