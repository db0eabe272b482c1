import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

import { command, expectSuccess } from './command.js';
import { exists, writeInUpper, writeWhole } from './files.js';
import {
  checkOptionsOf,
  renderAptConfiguration,
  renderHosts,
  renderKnownHost,
  renderNetwork,
  renderResolver,
} from './host-files.js';
import { machineNameservers } from './nameservers.js';
import { hostPaths, labPaths } from './paths.js';
import { removeFolder } from './remove-folder.js';
import type { HostState, LabState } from './state.js';

/** Makes the lab's own key pair and its folders, what is there is kept. */
export async function prepareLabFolder(lab: string): Promise<void> {
  const paths = labPaths(lab);
  for (const directory of [paths.shared, paths.layers, paths.hosts]) {
    await mkdir(directory, { recursive: true, mode: 0o755 });
  }
  await ensureKey(paths.key, `odoo-prov-lab-${lab}`);
}

/**
 * Makes a host's disk: empty, but for what makes it this host and no other (name, machine id, host
 * keys) and for the lab's key. A disk that a killed run left unfinished is made anew.
 */
export async function ensureHostDisk(lab: string, host: string): Promise<void> {
  const disk = hostPaths(lab, host);
  const hostKey = path.join(disk.directory, 'ssh_host_ed25519_key');
  const finished = path.join(disk.directory, 'made');
  if (await exists(finished)) return;
  await removeFolder(disk.directory);
  for (const directory of [disk.upper, disk.work, disk.root]) {
    await mkdir(directory, { recursive: true, mode: 0o755 });
  }
  await ensureKey(hostKey, `root@${host}`);
  const write = (file: string, text: string, mode?: number): Promise<void> =>
    writeInUpper(disk.upper, file, text, mode);
  await write('etc/hostname', `${host}\n`);
  await write('etc/hosts', renderHosts(host));
  await write('etc/machine-id', `${randomBytes(16).toString('hex')}\n`, 0o444);
  await write('etc/ssh/ssh_host_ed25519_key', await readFile(hostKey, 'utf8'), 0o600);
  await write('etc/ssh/ssh_host_ed25519_key.pub', await readFile(`${hostKey}.pub`, 'utf8'));
  await write(
    'root/.ssh/authorized_keys',
    await readFile(`${labPaths(lab).key}.pub`, 'utf8'),
    0o600,
  );
  // The folders of the upper layer hide the modes of those below.
  await chmod(path.join(disk.upper, 'root'), 0o700);
  await chmod(path.join(disk.upper, 'root/.ssh'), 0o700);
  await writeWhole(finished, '');
}

/** Writes what depends on the lab's network. Only while the host is stopped. */
export async function writeNetworkFiles(lab: LabState, host: HostState): Promise<void> {
  const { upper } = hostPaths(lab.name, host.name);
  const dump = await expectSuccess(
    'read the machine’s apt configuration',
    command`apt-config dump`,
  );
  const apt = renderAptConfiguration(lab.gateway, checkOptionsOf(dump));
  await writeInUpper(upper, 'etc/systemd/network/10-lab.network', renderNetwork(lab, host.address));
  await writeInUpper(upper, 'etc/resolv.conf', renderResolver(await machineNameservers()));
  await writeInUpper(upper, 'etc/apt/apt.conf.d/00lab', apt);
}

/** Removes a stopped host's disk and its snapshots' layers. */
export async function removeHostDisk(lab: string, host: string): Promise<void> {
  await removeFolder(hostPaths(lab, host).directory);
  const { layers } = labPaths(lab);
  for (const layer of await readdir(layers)) await removeFolder(path.join(layers, layer, host));
}

/** Writes the known_hosts file of all hosts of the lab. */
export async function writeKnownHosts(lab: LabState): Promise<void> {
  const lines: string[] = [];
  for (const host of lab.hosts) {
    const { directory } = hostPaths(lab.name, host.name);
    const key = await readFile(path.join(directory, 'ssh_host_ed25519_key.pub'), 'utf8');
    lines.push(renderKnownHost(host, key));
  }
  await writeWhole(labPaths(lab.name).knownHosts, `${lines.join('\n')}\n`);
}

async function ensureKey(file: string, comment: string): Promise<void> {
  if (await exists(`${file}.pub`)) return;
  // Without its public half it was left by a killed run; ssh-keygen would ask whether to overwrite it.
  await expectSuccess(
    'make an SSH key',
    command`rm -f ${file} && ssh-keygen -q -t ed25519 -N ${''} -C ${comment} -f ${file}`,
  );
}
