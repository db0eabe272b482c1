import { detectCgroups, killGroup, labGroup, removeLabsGroupIfEmpty } from './cgroup.js';
import { withLock } from './lock.js';
import { removeNetwork } from './network.js';
import { labPaths } from './paths.js';
import { removeFolder } from './remove-folder.js';
import { checkName } from './spec.js';
import { readState } from './state.js';
import { endWatcher } from './watcher.js';

/**
 * Removes everything that `labUp` made for this lab, wherever it stopped: hosts, network, folder. The
 * caches of base images and packages stay. No such lab: nothing happens.
 * @throws Failure lab
 */
export async function labDown(name: string): Promise<void> {
  checkName('lab', name);
  await withLock(`lab-${name}`, async () => {
    const state = await readState(name);
    if (state === undefined) return;
    for (const host of state.hosts) await endWatcher(name, host.name);
    const layout = await detectCgroups();
    await killGroup(layout, labGroup(state.bridge));
    await withLock('network', async () => {
      await removeLabsGroupIfEmpty(layout);
      await removeNetwork(state);
    });
    // Its record goes with it, last of all: until then another labDown can go on from here.
    await removeFolder(labPaths(name).directory);
  });
}
