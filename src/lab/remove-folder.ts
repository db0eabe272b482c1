import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';

import { command, expectSuccess } from './command.js';
import { exists } from './files.js';
import { labFailure } from './lab-failure.js';
import { labsDirectory } from './paths.js';

/**
 * Removes a folder of a lab with everything in it: it is gone at once, its space is given back by a
 * process in the background. A missing folder is fine.
 * @throws Failure lab when something is mounted below: it could be the machine's own data
 */
export async function removeFolder(directory: string): Promise<void> {
  if (!(await exists(directory))) return;
  const mounts = await mountsBelow(directory);
  if (mounts.length > 0) {
    throw labFailure('something is mounted in a folder that is to be removed', {
      expected: `no mount below ${directory}`,
      found: mounts.join(', '),
      remedy: `umount it (${mounts.join(' ')}), then try again`,
    });
  }
  await mkdir(trashDirectory(), { recursive: true, mode: 0o700 });
  await rename(directory, path.join(trashDirectory(), randomBytes(8).toString('hex')));
  await emptyTrash();
}

/** Starts giving space back, also of folders that an earlier run did not finish with. */
export async function emptyTrash(): Promise<void> {
  const trash = trashDirectory();
  if (!(await exists(trash))) return;
  await expectSuccess(
    'give the space of removed hosts back',
    command`setsid --fork flock ${`${trash}.lock`} nice -n 19 find ${trash} -xdev -mindepth 1 -delete </dev/null >/dev/null 2>&1`,
  );
}

function trashDirectory(): string {
  return path.join(labsDirectory(), '.trash');
}

async function mountsBelow(directory: string): Promise<string[]> {
  return (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mount) => mount.startsWith(`${directory}/`));
}
