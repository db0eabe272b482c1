import { getuid, platform } from 'node:process';
import type { Machines } from '../../playbooks/failover-test/machines.js';
import { DEAD_MAN_SECONDS } from '../batch/armed-fault.js';
import { Failure } from '../failure/failure.js';
import type { Cluster } from '../inventory/index.js';
import {
  armWatcher,
  endWatcher,
  findWatcher,
  freeze,
  labList,
  networkCut,
  powerCut,
  powerOn,
  type Watcher,
} from '../lab/index.js';
import { commandName } from './command-name.js';

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
  return {
    refuseBroken: async () => {
      for (const { name } of cluster.hosts) {
        const watcher = await findWatcher(lab.name, name);
        if (watcher !== undefined) throw stillBroken(lab.name, name, watcher);
      }
    },
    breakMachine: async ({ name }, fault) => {
      await armWatcher(lab.name, name, DEAD_MAN_SECONDS);
      await LAB_FAULTS[fault](lab, name);
    },
    healMachine: async ({ name }) => {
      await powerOn(lab, name);
      await endWatcher(lab.name, name);
    },
  };
}

function stillBroken(lab: string, host: string, { pid, healsAt }: Watcher): Failure {
  const seconds = Math.max(1, Math.ceil((healsAt - Date.now()) / 1000));
  return new Failure({
    reason: 'refused',
    host,
    message: 'a failover-test has broken this machine: it still runs, or was killed',
    expected: 'no fault',
    found: `process ${pid} of this machine heals it in ${seconds} s`,
    remedy: `wait: it heals by itself within ${seconds} s. At once, if no test runs: ${commandName()} lab heal ${lab} ${host}`,
  });
}
