import { readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure/failure.js';
import { createPrivateFile, isCode } from './files.js';

/** Milliseconds: writing the secrets takes some ten, so whoever waits longer waits for a dead or hung process. */
const PATIENCE = 10_000;
/** Milliseconds after which a lock of another machine (on a shared folder) is taken for forgotten. */
const FORGOTTEN = 60_000;

/**
 * Does something while no other process on the same file does.
 * @param path the file to guard; the lock is `<path>.lock`, with its owner's process id and machine
 * @throws Failure run-lock, naming the owner, when it stays held for 10 s
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const deadline = Date.now() + PATIENCE;
  while (!(await createPrivateFile(lock, `${String(process.pid)} ${hostname()}\n`))) {
    await removeIfForgotten(lock);
    if (Date.now() > deadline) throw await held(lock);
    await sleep(25);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function removeIfForgotten(lock: string): Promise<void> {
  const seen = await readOwner(lock);
  if (!seen?.forgotten) return;
  // Renamed first: of two processes that judged the same lock, only one gets it.
  const aside = `${lock}.${String(process.pid)}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  const taken = await readFile(aside, 'utf8');
  // The other process may have removed the forgotten lock and made its own before our rename: give it back.
  if (taken !== seen.text) await createPrivateFile(lock, taken);
  await rm(aside, { force: true });
}

async function readOwner(lock: string): Promise<{ text: string; forgotten: boolean } | undefined> {
  try {
    const [text, status] = await Promise.all([readFile(lock, 'utf8'), stat(lock)]);
    const [pid, machine] = text.trim().split(' ');
    const forgotten =
      machine === hostname() ? !isRunning(Number(pid)) : Date.now() - status.mtimeMs > FORGOTTEN;
    return { text, forgotten };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return isCode(error, 'EPERM');
  }
}

async function held(lock: string): Promise<Failure> {
  const owner = await readOwner(lock);
  return new Failure({
    reason: 'run-lock',
    message: 'another odoo-prov is writing the secrets of this inventory',
    found: `${lock}, held by process ${owner?.text.trim().replace(' ', ' on ') ?? 'unknown'}`,
    remedy: 'wait for it; if that process does not run odoo-prov, remove the lock file',
  });
}
