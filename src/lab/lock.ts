import { mkdir } from 'node:fs/promises';

import { command, expectSuccess } from './command.js';
import { labFailure } from './lab-failure.js';
import { requireLinuxRoot } from './machine.js';
import { RUN_DIRECTORY } from './paths.js';

const WAIT_SECONDS = 900;

/**
 * Runs `work` while holding a lock of this machine. A child process holds the kernel lock and ends
 * with its standard input, so that the lock is free as soon as this process is gone, however it went.
 * @throws Failure lab when another process keeps the lock for 15 minutes
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  requireLinuxRoot();
  await mkdir(RUN_DIRECTORY, { recursive: true });
  const file = `${RUN_DIRECTORY}/${name}.lock`;
  const holder = command`flock --wait ${WAIT_SECONDS} ${file} sh -c 'echo held; exec cat'`;
  const held = await Promise.race([
    new Promise<boolean>((resolve) => holder.stdout.once('data', () => resolve(true))),
    holder.then(() => false),
  ]);
  if (!held) {
    throw labFailure(`another process is busy with ${name} and did not finish`, {
      expected: `the lock ${file} within ${WAIT_SECONDS} s`,
      found: 'held all the time',
      remedy: `find out who holds it: fuser -v ${file}`,
    });
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await expectSuccess(`release the lock ${file}`, holder);
  }
}
