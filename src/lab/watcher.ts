import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../template/package-files.js';
import { readIfThere, writeWhole } from './files.js';
import { hostPaths } from './paths.js';

/** A process of this machine that heals a host later, whatever became of the program that broke it. */
export interface Watcher {
  readonly pid: number;
  /** When it heals: milliseconds since 1970. */
  readonly healsAt: number;
}

/** Starts one, and records it where whoever comes next finds it. @param seconds until it heals */
export async function armWatcher(lab: string, host: string, seconds: number): Promise<void> {
  const program = join(PACKAGE_ROOT, 'bin/odoo-prov');
  const words = [program, ...wordsOf(lab, host), String(seconds)];
  const child = spawn(process.execPath, words, { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  child.unref();
  const watcher = { pid: child.pid, healsAt: Date.now() + seconds * 1000 };
  await writeWhole(hostPaths(lab, host).watcher, `${JSON.stringify(watcher)}\n`);
}

/** The one of a host that still runs. */
export async function findWatcher(lab: string, host: string): Promise<Watcher | undefined> {
  const text = await readIfThere(hostPaths(lab, host).watcher);
  if (text === '') return undefined;
  const watcher = JSON.parse(text) as Watcher;
  // Another process may have its number by now.
  const words = (await readIfThere(`/proc/${watcher.pid}/cmdline`)).split('\0');
  return words.join(' ').includes(` ${wordsOf(lab, host).join(' ')} `) ? watcher : undefined;
}

/** Ends the one of a host, where there is one, and forgets it. The watcher itself may call this when it has healed. */
export async function endWatcher(lab: string, host: string): Promise<void> {
  const watcher = await findWatcher(lab, host);
  if (watcher !== undefined && watcher.pid !== process.pid) process.kill(watcher.pid);
  await rm(hostPaths(lab, host).watcher, { force: true });
}

/** By these it is known; the seconds follow. */
function wordsOf(lab: string, host: string): readonly string[] {
  return ['lab', 'heal', lab, host, '--after'];
}
