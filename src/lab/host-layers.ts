import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';

import { exists } from './files.js';
import { hostPaths, labPaths } from './paths.js';
import { removeFolder } from './remove-folder.js';
import type { HostState, LabState } from './state.js';

/** Where a snapshot layer of a host is. */
export function layerDirectory(lab: string, layer: string, host: string): string {
  return path.join(labPaths(lab).layers, layer, host);
}

/**
 * Makes a stopped host's disk match its record: a recorded layer that does not exist yet is what the
 * upper folder holds (a snapshot is only recorded until then). An upper folder is there afterwards.
 */
export async function settleLayers(lab: LabState, host: HostState): Promise<void> {
  const { upper } = hostPaths(lab.name, host.name);
  const [newest] = host.layers;
  if (newest !== undefined) {
    const layer = layerDirectory(lab.name, newest, host.name);
    if (!(await exists(layer))) {
      await mkdir(path.dirname(layer), { recursive: true });
      await rename(upper, layer);
    }
  }
  await mkdir(upper, { recursive: true, mode: 0o755 });
}

/** Throws away what a stopped host wrote since its newest layer, all or nothing. */
export async function discardUpper(lab: string, host: string): Promise<void> {
  const { upper } = hostPaths(lab, host);
  await removeFolder(upper);
  await mkdir(upper, { mode: 0o755 });
}
