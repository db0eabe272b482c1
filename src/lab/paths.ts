import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';

/** Small notes that a restart of the machine may forget: locks, what forwarding was before. */
export const RUN_DIRECTORY = '/run/odoo-prov-lab';

/** Where labs keep their state: `ODOO_PROV_LAB_DIR`, else below /var/lib. Only root reads it. */
export function labsDirectory(): string {
  return process.env['ODOO_PROV_LAB_DIR'] ?? '/var/lib/odoo-prov-lab';
}

/** Base images and packages, kept when labs go: `ODOO_PROV_LAB_CACHE_DIR`, else below /var/cache. */
export function cacheDirectory(): string {
  return process.env['ODOO_PROV_LAB_CACHE_DIR'] ?? '/var/cache/odoo-prov-lab';
}

/** The one place that knows how a lab's folder is laid out. */
export interface LabPaths {
  readonly directory: string;
  readonly state: string;
  readonly key: string;
  readonly knownHosts: string;
  readonly packageCacheLog: string;
  /** Folders that hosts share, one a name. */
  readonly shared: string;
  /** Frozen upper folders of snapshots, each below a host's own. */
  readonly layers: string;
  readonly hosts: string;
}

/** The paths of one lab. */
export function labPaths(lab: string): LabPaths {
  const directory = path.join(labsDirectory(), lab);
  return {
    directory,
    state: path.join(directory, 'lab.json'),
    key: path.join(directory, 'id_ed25519'),
    knownHosts: path.join(directory, 'known_hosts'),
    packageCacheLog: path.join(directory, 'package-cache.log'),
    shared: path.join(directory, 'shared'),
    layers: path.join(directory, 'layers'),
    hosts: path.join(directory, 'hosts'),
  };
}

/** The inventory that leads to a lab's hosts, in the lab's folder. */
export const LAB_INVENTORY = 'inventory.yaml';

/**
 * The name of the lab that an inventory leads to.
 * @param file its path, without symbolic links
 * @returns undefined where no `lab up` has written it
 */
export function labOfInventory(file: string): string | undefined {
  const labs = labsDirectory();
  const name = path.basename(path.dirname(file));
  const real = existsSync(labs) ? realpathSync(labs) : labs;
  return file === path.join(real, name, LAB_INVENTORY) ? name : undefined;
}

/** The parts of one host's folder. */
export interface HostPaths {
  readonly directory: string;
  /** What the host wrote, over its layers. */
  readonly upper: string;
  readonly work: string;
  /** Where the overlay is mounted, in the host's own mount namespace: from outside it looks empty. */
  readonly root: string;
  readonly startScript: string;
  readonly consoleLog: string;
  /** The process that heals it later. */
  readonly watcher: string;
}

/** The paths of one host of a lab. */
export function hostPaths(lab: string, host: string): HostPaths {
  const directory = path.join(labPaths(lab).hosts, host);
  return {
    directory,
    upper: path.join(directory, 'upper'),
    work: path.join(directory, 'work'),
    root: path.join(directory, 'root'),
    startScript: path.join(directory, 'start.sh'),
    consoleLog: path.join(directory, 'console.log'),
    watcher: path.join(directory, 'watcher.json'),
  };
}
