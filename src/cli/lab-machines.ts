import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { getuid, platform } from 'node:process';
import { join } from 'node:path';
import { DEAD_MAN_SECONDS } from '../../playbooks/failover-test/fault.js';
import type { Machines } from '../../playbooks/failover-test/machines.js';
import type { Cluster } from '../inventory/index.js';
import { freeze, labList, networkCut, powerCut, powerOn } from '../lab/index.js';
import { PACKAGE_ROOT } from '../template/package-files.js';

/** What can be done to a host of a lab, by the word that operators use. */
export const LAB_FAULTS = { 'power-cut': powerCut, 'cable-cut': networkCut, frozen: freeze };

/** The machines of an inventory whose hosts are those of a lab of this machine; undefined where they are not. */
export async function labMachines(cluster: Cluster): Promise<Machines | undefined> {
  if (platform !== 'linux' || getuid?.() !== 0) return undefined;
  const labs = await labList();
  const lab = labs.find(({ hosts }) =>
    cluster.hosts.every(({ name, address }) =>
      hosts.some((host) => host.name === name && host.address === address),
    ),
  );
  if (lab === undefined) return undefined;
  const watchers = new Map<string, ChildProcess>();
  return {
    breakMachine: async ({ name }, fault) => {
      watchers.set(name, await armWatcher(lab.name, name));
      await LAB_FAULTS[fault](lab, name);
    },
    healMachine: async ({ name }) => {
      await powerOn(lab, name);
      watchers.get(name)?.kill();
    },
  };
}

/** A process of its own that heals a host later, whatever becomes of this one. It ends when it is killed before. */
async function armWatcher(lab: string, host: string): Promise<ChildProcess> {
  const words = ['lab', 'heal', lab, host, '--after', String(DEAD_MAN_SECONDS)];
  const program = join(PACKAGE_ROOT, 'bin/odoo-prov');
  const watcher = spawn(process.execPath, [program, ...words], { detached: true, stdio: 'ignore' });
  await once(watcher, 'spawn');
  watcher.unref();
  return watcher;
}
