import { readFile } from 'node:fs/promises';

import { command, expectSuccess } from './command.js';
import { labFailure } from './labFailure.js';
import { hostPaths, labPaths } from './paths.js';

/** Removes a stopped host's disk and its snapshots' layers. */
export async function removeHostDisk(lab: string, host: string): Promise<void> {
  await removeFolder(hostPaths(lab, host).directory);
  await expectSuccess(
    `remove the snapshots of ${host}`,
    command`find ${labPaths(lab).layers} -mindepth 2 -maxdepth 2 -name ${host} -exec rm -rf --one-file-system {} +`,
  );
}

/**
 * Removes a folder of a lab with everything in it.
 * @throws Failure lab when something is mounted below: it could be the machine's own data
 */
export async function removeFolder(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mount) => mount.startsWith(`${directory}/`));
  if (mounts.length > 0) {
    throw labFailure('something is mounted in a folder that is to be removed', {
      expected: `no mount below ${directory}`,
      found: mounts.join(', '),
      remedy: `umount it (${mounts.join(' ')}), then try again`,
    });
  }
  await expectSuccess(`remove ${directory}`, command`rm -rf --one-file-system ${directory}`);
}
