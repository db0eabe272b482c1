import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { labOf } from '../../src/cli/lab.js';
import { loadCluster, loadSoundCluster } from '../../src/cli/load-inventory.js';
import type { Cluster } from '../../src/inventory/index.js';
import type { Lab } from '../../src/lab/index.js';
import { labShell, must, type HostShell } from './host-shell.js';
import { labFolder, labOptions, TEST_LAB_PREFIX } from './lab.js';
import {
  buildProgram,
  odooProv,
  printed,
  type ProgramEnd,
  type ProgramOptions,
} from './program.js';
import { repositoryRoot } from './repository.js';

/** The twelve hosts of `inventory/full.yaml`, which the suites share: made and converged at first use. */
export interface FullCluster {
  /** The inventory as an operator wrote it, for `rehearse`. */
  readonly file: string;
  /** The one that leads to the lab's hosts, for `apply`. */
  readonly inventory: string;
  readonly lab: Lab;
  readonly cluster: Cluster;
  readonly hosts: readonly string[];
  /** A root shell on a host, by OpenSSH. */
  on(host: string): HostShell;
  /** Runs a script as root on a host; what ends with another code than 0 is an error. */
  must(host: string, script: string): Promise<string>;
  /** The same on all hosts at once, by name. */
  mustAll(script: string): Promise<Readonly<Record<string, string>>>;
  /** `odoo-prov apply INVENTORY --json` with these words after it. */
  apply(words?: readonly string[], options?: ProgramOptions): Promise<ProgramEnd>;
}

/** Brings up the lab, bare if it is new. `apply` it, or use {@link convergedCluster}. */
export async function fullCluster(): Promise<FullCluster> {
  buildProgram();
  const file = fullInventory();
  const up = await odooProv(['lab', 'up', file, ...labOptions()]);
  if (up.code !== 0) throw new Error(printed(up));
  const { lab, inventory } = await labOf(loadSoundCluster(file, true));
  const cluster = loadCluster(inventory, true);
  const hosts = cluster.hosts.map(({ name }) => name);
  const shells = new Map(hosts.map((host) => [host, labShell(lab, host)]));
  const on = (host: string): HostShell => {
    const shell = shells.get(host);
    if (shell === undefined) throw new Error(`the full cluster has no host ${host}`);
    return shell;
  };
  const mustAll = async (script: string): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries(
      await Promise.all(hosts.map(async (host) => [host, await must(on(host), script)] as const)),
    );
  return {
    ...{ file, inventory, lab, cluster, hosts, on, mustAll },
    must: (host, script) => must(on(host), script),
    apply: (words = [], options = {}) =>
      odooProv(['apply', inventory, '--json', '--concurrency', '12', ...words], options),
  };
}

/** The same, converged: an apply that changes nothing when another suite has already done it. */
export async function convergedCluster(): Promise<FullCluster> {
  const full = await fullCluster();
  const end = await full.apply();
  if (end.code !== 0) throw new Error(printed(end));
  return full;
}

/** Writes the inventory: `inventory/full.yaml` under a name by which the end of the test run recognises its lab. */
function fullInventory(): string {
  const name = `${TEST_LAB_PREFIX}full`;
  const text = readFileSync(join(repositoryRoot, 'inventory/full.yaml'), 'utf8');
  // One machine carries all twelve hosts, and other work: slow is not down.
  const limits = 'failover_test: { gap: 20 }';
  const renamed = text.replace(/^cluster: full\b/m, `cluster: ${name}\n${limits}`);
  if (renamed === text) throw new Error('inventory/full.yaml no longer says `cluster: full`');
  const file = join(labFolder(name), 'full.yaml');
  writeFileSync(file, renamed);
  return file;
}
