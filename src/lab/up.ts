import { ensureBaseImage } from './base-image.js';
import { describeLab } from './describe-lab.js';
import { ensureHostDisk, prepareLabFolder, removeHostDisk, writeKnownHosts } from './host-disk.js';
import { powerOffHost, startHost, waitForSsh } from './host-process.js';
import { labFailure } from './lab-failure.js';
import { withLock } from './lock.js';
import { prepareMachine } from './machine.js';
import { BRIDGE_PREFIX, ensureNetwork } from './network.js';
import { ensurePackageCache } from './package-cache.js';
import { emptyTrash } from './remove-folder.js';
import { checkSpec } from './spec.js';
import type { Lab, LabSpec, Release } from './spec.js';
import { readState, recordedLabs, writeState } from './state.js';
import type { HostState, LabState } from './state.js';
import {
  allocateSubnet,
  assignAddresses,
  formatSubnet,
  gatewayOf,
  hostAddresses,
  parseSubnet,
  subnetNumber,
} from './subnet.js';
import type { Subnet } from './subnet.js';
import { takenNetworks } from './taken-networks.js';

/**
 * Makes the lab be as the spec says: missing hosts are made, stopped ones started, frozen or cut ones
 * healed, hosts that the spec no longer has removed. Running hosts are left alone.
 * @param onProgress gets a line for each step that takes time
 * @throws Failure lab; what was made so far stays, for another `labUp` or for `labDown`
 */
export async function labUp(spec: LabSpec, onProgress: (line: string) => void): Promise<Lab> {
  checkSpec(spec);
  await prepareMachine(onProgress);
  return withLock(`lab-${spec.name}`, async () => {
    const before = await readState(spec.name);
    const release = spec.release ?? before?.release ?? 'trixie';
    if (before !== undefined) requireSameRelease(before, release);
    // Upper folders and layers fit only the base that they were made over.
    const base = before?.base ?? (await ensureBaseImage(release, onProgress));
    // One lab at a time chooses and occupies its network.
    const lab = await withLock('network', async () => {
      const state = await planLab(spec, release, base, before);
      await writeState(state);
      await ensureNetwork(state);
      return state;
    });
    await emptyTrash();
    await prepareLabFolder(lab.name);
    await ensurePackageCache(lab);
    await removeLeftHosts(lab, before, onProgress);
    await Promise.all(lab.hosts.map((host) => ensureHostDisk(lab.name, host.name)));
    await writeKnownHosts(lab);
    await startHosts(lab, onProgress);
    return describeLab(lab);
  });
}

async function startHosts(lab: LabState, onProgress: (line: string) => void): Promise<void> {
  const startedAt = Date.now();
  await Promise.all(
    lab.hosts.map(async (host) => {
      const wasStopped = await startHost(lab, host);
      await waitForSsh(lab, host);
      if (!wasStopped) return;
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
      onProgress(`${host.name} is up at ${host.address} after ${seconds} s`);
    }),
  );
}

/** What the lab is to be, with everything kept that it already has. */
async function planLab(
  spec: LabSpec,
  release: Release,
  base: string,
  before: LabState | undefined,
): Promise<LabState> {
  const subnetText = before?.subnet ?? formatSubnet(await chooseSubnet(spec));
  const subnet = parseSubnet(subnetText);
  const known = new Map(before?.hosts.map((host) => [host.name, host]) ?? []);
  const addresses = assignAddresses(
    subnet,
    spec.hosts,
    new Map([...known].map(([name, host]) => [name, host.address])),
  );
  const order = hostAddresses(subnet);
  const hosts = spec.hosts.map((host): HostState => {
    const address = addresses.get(host.name) ?? '';
    const layers = known.get(host.name)?.layers ?? [];
    return { ...host, address, number: order.indexOf(address) + 1, layers };
  });
  return {
    name: spec.name,
    subnet: subnetText,
    gateway: gatewayOf(subnet),
    bridge: `${BRIDGE_PREFIX}${subnetNumber(subnet)}`,
    release,
    base,
    hosts,
    snapshots: snapshotsOf(before, new Set(hosts.map((host) => host.name))),
  };
}

/** The recorded snapshots without those of hosts that are no longer wanted. */
function snapshotsOf(before: LabState | undefined, kept: Set<string>): LabState['snapshots'] {
  const entries = Object.entries(before?.snapshots ?? {}).map(([name, hosts]) => {
    const left = Object.entries(hosts).filter(([host]) => kept.has(host));
    return [name, Object.fromEntries(left)] as const;
  });
  return Object.fromEntries(entries);
}

function requireSameRelease(lab: LabState, wanted: Release): void {
  if (lab.release === wanted) return;
  throw labFailure(`the lab ${lab.name} has another Debian release`, {
    expected: wanted,
    found: lab.release,
    remedy: 'take the lab down first, or give the new one another name',
  });
}

async function chooseSubnet(spec: LabSpec): Promise<Subnet> {
  const taken = await takenNetworks();
  for (const name of await recordedLabs()) {
    const other = await readState(name);
    if (other !== undefined) taken.push(parseSubnet(other.subnet));
  }
  const wanted = spec.hosts.flatMap((host) => host.address ?? []);
  return allocateSubnet(spec.hosts.length, wanted, taken);
}

async function removeLeftHosts(
  lab: LabState,
  before: LabState | undefined,
  onProgress: (line: string) => void,
): Promise<void> {
  const kept = new Set(lab.hosts.map((host) => host.name));
  for (const host of before?.hosts ?? []) {
    if (kept.has(host.name)) continue;
    onProgress(`${host.name} is no longer wanted: removing it`);
    await powerOffHost(lab, host);
    await removeHostDisk(lab.name, host.name);
  }
}
