import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { labInventory, labSpecOf } from '../../src/cli/rehearsal.js';
import { readInventory, type Cluster } from '../../src/inventory/index.js';
import type { Lab } from '../../src/lab/index.js';
import { labShell, type HostShell } from './host-shell.js';
import { labFolder, removeLab, TEST_LAB_PREFIX, testLab } from './lab.js';
import { odooProv, printed, type ProgramEnd, type ProgramOptions } from './program.js';
import { repositoryRoot } from './repository.js';

type Data = Readonly<Record<string, unknown>>;

/** Bare Debian hosts and an inventory that leads to them, in a folder of its own with its own secrets' key, which goes with the lab. */
export interface BareCluster {
  readonly lab: Lab;
  readonly folder: string;
  /** The inventory. */
  readonly file: string;
  readonly cluster: Cluster;
  /** Where the key of the secrets will be. */
  readonly keyFile: string;
  readonly shell: (host: string) => HostShell;
  readonly addressOf: (host: string) => string;
  /** The program, with the words given; the inventory is not added. */
  readonly run: (words: readonly string[], options?: ProgramOptions) => Promise<ProgramEnd>;
  /** A generated secret, as the operator reads it. */
  readonly secret: (name: string) => Promise<string>;
  /** Writes another inventory beside this one and gives its path. */
  readonly variant: (name: string, change: (data: Data) => Data) => string;
}

export interface BareClusterOptions {
  /** Of the lab; short. */
  readonly name: string;
  /** Bytes, for all hosts together. */
  readonly memory: number;
  /** Hosts that the inventory does not know. */
  readonly others?: readonly string[];
  /** Changes the inventory that leads to the lab as root. */
  readonly change?: (data: Data, lab: Lab) => Data;
}

/**
 * Makes fresh hosts for one of the example inventories.
 * @param example its file name in `inventory/`, or an absolute path
 */
export async function bareCluster(
  example: string,
  { name, memory, others = [], change = (data) => data }: BareClusterOptions,
): Promise<BareCluster> {
  const path = resolve(repositoryRoot, 'inventory', example);
  const wished = clusterOf(path);
  const machine = { memory, cores: 2 };
  // What an earlier run kept is not bare.
  await removeLab(`${TEST_LAB_PREFIX}${name}`);
  const lab = await testLab(name, {
    hosts: [...labSpecOf(wished, machine).hosts, ...others.map((host) => ({ name: host }))],
  });
  const folder = labFolder(lab.name);
  const file = join(folder, 'cluster.yaml');
  const known = { ...lab, hosts: lab.hosts.filter((host) => !others.includes(host.name)) };
  const base = parse(readFileSync(path, 'utf8')) as Data;
  const data = change(parse(labInventory(base, wished, known, machine)) as Data, lab);
  writeFileSync(file, stringify(data));
  const keyFile = join(folder, 'age.key');
  const run: BareCluster['run'] = (words, options = {}) =>
    odooProv(words, {
      ...options,
      environment: { ODOO_PROV_KEY_FILE: keyFile, SSH_AUTH_SOCK: '', ...options.environment },
    });
  return {
    ...{ lab, folder, file, keyFile, run },
    cluster: clusterOf(file),
    shell: (host) => labShell(lab, host),
    addressOf: (host) => addressOf(lab, host),
    secret: async (wanted) => {
      const end = await run(['secrets', file, 'show', wanted]);
      if (end.code !== 0) throw new Error(printed(end));
      return end.stdout.trimEnd();
    },
    variant: (other, changed) => {
      // Its state and its secrets are those of the cluster.
      const at = join(folder, `${other}.yaml`);
      writeFileSync(at, stringify(changed(data)));
      execFileSync('sh', [
        '-c',
        COPY_COMPANIONS,
        'sh',
        join(folder, 'cluster'),
        join(folder, other),
      ]);
      return at;
    },
  };
}

const COPY_COMPANIONS =
  'for file in "$1".*; do case $file in *.yaml) ;; *) cp "$file" "$2${file#"$1"}" ;; esac; done';

function addressOf(lab: Lab, host: string): string {
  const found = lab.hosts.find((each) => each.name === host);
  if (found === undefined) throw new Error(`no host ${host}`);
  return found.address;
}

function clusterOf(path: string): Cluster {
  const inventory = readInventory(path);
  if (!inventory.ok) throw new Error(inventory.text);
  return inventory.cluster;
}
