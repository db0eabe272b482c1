import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { discardUpper } from './host-layers.js';
import { powerOffHost, shutDownHost, startHost, waitForSsh } from './host-process.js';
import { withLock } from './lock.js';
import { labPaths } from './paths.js';
import { removeFolder } from './remove-folder.js';
import { labFailure } from './lab-failure.js';
import { checkName } from './spec.js';
import type { Lab } from './spec.js';
import { requireHost, requireState, writeState } from './state.js';
import type { HostState, LabState } from './state.js';

export interface SnapshotOptions {
  /** `converged` if not given. An older snapshot of the same name is replaced. */
  readonly name?: string;
  /** Only this host; all if not given. */
  readonly host?: string;
}

/**
 * Keeps the disks of hosts as they are now. Each is shut down, what it wrote becomes a read-only layer
 * of its overlay, and it is started again on top: nothing is copied. Shared folders are not kept.
 * @throws Failure lab
 */
export async function snapshot(lab: Lab, options: SnapshotOptions = {}): Promise<void> {
  const name = options.name ?? 'converged';
  checkName('snapshot', name);
  await withLock(`lab-${lab.name}`, async () => {
    const before = await requireState(lab.name);
    const chosen = choose(before, options.host);
    const layer = `${name}-${randomBytes(4).toString('hex')}`;
    await Promise.all(chosen.map((host) => shutDownHost(before, host)));
    const hosts = before.hosts.map((host) =>
      chosen.includes(host) ? { ...host, layers: [layer, ...host.layers] } : host,
    );
    const kept = Object.fromEntries(
      hosts
        .filter((host) => host.layers[0] === layer)
        .map((host) => [host.name, host.layers] as const),
    );
    const snapshots = {
      ...before.snapshots,
      [name]: { ...before.snapshots[name], ...kept },
    };
    const after = { ...before, hosts, snapshots };
    // Recorded first: whoever starts the host next moves its upper folder, after a crash here as well.
    await writeState(after);
    await startAgain(after, chosen);
    await removeUnusedLayers(after);
  });
}

/**
 * Brings hosts back to a snapshot: what they wrote since is thrown away, and they are started.
 * @throws Failure lab when there is no such snapshot of a host
 */
export async function restoreSnapshot(lab: Lab, options: SnapshotOptions = {}): Promise<void> {
  const name = options.name ?? 'converged';
  await withLock(`lab-${lab.name}`, async () => {
    const before = await requireState(lab.name);
    const chosen = choose(before, options.host);
    const layersOf = (host: HostState): readonly string[] => {
      const layers = before.snapshots[name]?.[host.name];
      if (layers !== undefined) return layers;
      throw labFailure(`there is no snapshot ${name} of this host`, {
        host: host.name,
        expected: `one of ${Object.keys(before.snapshots).join(', ') || '(none was taken)'}`,
        found: name,
        remedy: 'take a snapshot first',
      });
    };
    const hosts = before.hosts.map((host) =>
      chosen.includes(host) ? { ...host, layers: layersOf(host) } : host,
    );
    // No goodbye: what they would write while shutting down is thrown away.
    await Promise.all(chosen.map((host) => powerOffHost(before, host)));
    for (const host of chosen) await discardUpper(lab.name, host.name);
    const after = { ...before, hosts };
    await writeState(after);
    await startAgain(after, chosen);
  });
}

function choose(state: LabState, host: string | undefined): readonly HostState[] {
  return host === undefined ? state.hosts : [requireHost(state, host)];
}

async function startAgain(lab: LabState, chosen: readonly HostState[]): Promise<void> {
  const names = new Set(chosen.map((host) => host.name));
  await Promise.all(
    lab.hosts
      .filter((host) => names.has(host.name))
      .map(async (host) => {
        await startHost(lab, host);
        await waitForSsh(lab, host);
      }),
  );
}

/** A layer goes when neither a host nor a snapshot needs it any more. */
async function removeUnusedLayers(lab: LabState): Promise<void> {
  const used = new Set([
    ...lab.hosts.flatMap((host) => host.layers),
    ...Object.values(lab.snapshots).flatMap((hosts) => Object.values(hosts).flat()),
  ]);
  const { layers } = labPaths(lab.name);
  for (const layer of await readdir(layers)) {
    if (!used.has(layer)) await removeFolder(path.join(layers, layer));
  }
}
