import { kill } from 'node:process';
import { connect } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  detectCgroups,
  hostGroup,
  isPopulated,
  killGroup,
  makeGroup,
  processesOf,
  setFrozen,
  waitUntilEmpty,
} from './cgroup.js';
import type { CgroupLayout } from './cgroup.js';
import { command, expectSuccess, lastLines } from './command.js';
import { exists, readIfThere, writeWhole } from './files.js';
import { writeNetworkFiles } from './host-disk.js';
import { settleLayers } from './host-layers.js';
import { labFailure } from './lab-failure.js';
import { linkExists, removeLink, setLink } from './network.js';
import { hostPaths } from './paths.js';
import { bindSource, linkName, machineDevices, renderStartScript } from './start-script.js';
import type { HostState, LabState } from './state.js';

/** Every lab host's SSH port. */
export const SSH_PORT = 22;

const SSH_WAIT_SECONDS = 120;
const STOP_WAIT_SECONDS = 120;

/** Whether anything of the host runs. */
export async function isRunning(lab: LabState, host: HostState): Promise<boolean> {
  return isPopulated(await detectCgroups(), hostGroup(lab.bridge, host.name));
}

/**
 * Starts a host that is stopped; a running one is only thawed and reconnected. Does not wait for SSH.
 * @returns whether it was stopped
 */
export async function startHost(lab: LabState, host: HostState): Promise<boolean> {
  const layout = await detectCgroups();
  const group = hostGroup(lab.bridge, host.name);
  if (await isPopulated(layout, group)) {
    await setFrozen(layout, group, false);
    if (await linkExists(linkName(lab, host))) await setLink(linkName(lab, host), true);
    return false;
  }
  await killGroup(layout, group);
  // Open connections of a host that was killed can keep its link alive for minutes.
  await removeLink(linkName(lab, host));
  await settleLayers(lab, host);
  await writeNetworkFiles(lab, host);
  await prepareBinds(lab, host);
  await makeGroups(layout, group, host);
  const paths = hostPaths(lab.name, host.name);
  const script = renderStartScript(lab, host, layout, machineDevices());
  await writeWhole(paths.startScript, script, 0o700);
  // A session of its own: the host outlives this process.
  const { startScript, consoleLog } = paths;
  await expectSuccess(
    `start ${host.name}`,
    command`setsid --fork unshare --mount --propagation private sh ${startScript} </dev/null >${consoleLog} 2>&1`,
  );
  return true;
}

/** Power gone: the network is dead before any process could say goodbye to a peer. */
export async function powerOffHost(lab: LabState, host: HostState): Promise<void> {
  const link = linkName(lab, host);
  if (await linkExists(link)) await setLink(link, false);
  await killGroup(await detectCgroups(), hostGroup(lab.bridge, host.name));
  await removeLink(link);
}

/**
 * Shuts a host down as its power button would, and waits for it.
 * @throws Failure lab when it has not stopped after two minutes
 */
export async function shutDownHost(lab: LabState, host: HostState): Promise<void> {
  const layout = await detectCgroups();
  const group = hostGroup(lab.bridge, host.name);
  if (!(await isPopulated(layout, group))) return;
  await setFrozen(layout, group, false);
  // nspawn itself is in the first or the second, depending on its version; the host's own processes
  // are in `payload`.
  const candidates = [`${group}/host/supervisor`, `${group}/host`];
  for (const candidate of candidates) {
    for (const pid of await processesOf(layout, candidate)) kill(pid, 'SIGTERM');
  }
  if (!(await waitUntilEmpty(layout, group, STOP_WAIT_SECONDS))) {
    throw await hostFailure(
      lab,
      host,
      'does not shut down',
      `stopped within ${STOP_WAIT_SECONDS} s`,
    );
  }
  await powerOffHost(lab, host);
}

/**
 * Waits until the host's sshd answers.
 * @throws Failure lab with the last lines of its console when it ended, or did not answer in time
 */
export async function waitForSsh(lab: LabState, host: HostState): Promise<void> {
  const end = Date.now() + SSH_WAIT_SECONDS * 1000;
  const startedAt = Date.now();
  while (!(await answersSsh(host.address))) {
    // The start script needs a moment until it is in its group.
    if (Date.now() - startedAt > 3000 && !(await isRunning(lab, host))) {
      throw await hostFailure(lab, host, 'ended while it started', 'sshd answers');
    }
    if (Date.now() > end) {
      const limit = `sshd answers within ${SSH_WAIT_SECONDS} s`;
      throw await hostFailure(lab, host, 'does not answer on its SSH port', limit);
    }
    await sleep(100);
  }
}

async function answersSsh(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: SSH_PORT, timeout: 1000 });
    const finish = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('data', (data) => finish(data.toString('latin1').startsWith('SSH-')));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

async function hostFailure(
  lab: LabState,
  host: HostState,
  message: string,
  expected: string,
): Promise<Error> {
  const { consoleLog } = hostPaths(lab.name, host.name);
  return labFailure(message, {
    host: host.name,
    expected,
    found: (await isRunning(lab, host)) ? 'it runs' : 'it does not run',
    output: lastLines(await readIfThere(consoleLog)),
    remedy: `its console is in ${consoleLog}; odoo-prov lab up starts it again`,
  });
}

async function makeGroups(layout: CgroupLayout, group: string, host: HostState): Promise<void> {
  const { memory, cores } = host;
  await makeGroup(layout, group, {
    ...(memory === undefined ? {} : { memory }),
    ...(cores === undefined ? {} : { cores }),
  });
  // Processes may not live beside child groups, so the script and nspawn each have one.
  await makeGroup(layout, `${group}/watch`);
  await makeGroup(layout, `${group}/host`);
}

async function prepareBinds(lab: LabState, host: HostState): Promise<void> {
  for (const bind of host.binds ?? []) {
    const source = bindSource(lab.name, bind);
    if (!bind.source.startsWith('/')) await mkdir(source, { recursive: true, mode: 0o755 });
    if (await exists(source)) continue;
    throw labFailure('the source of a bind is missing', {
      host: host.name,
      expected: `a file or folder ${source}`,
      found: 'nothing there',
      remedy: 'make it, or correct the bind of this host',
    });
  }
}
