import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { MACHINE_FAULTS } from '../../playbooks/failover-test/machines.js';
import type { Cluster } from '../inventory/index.js';
import {
  endWatcher,
  LAB_INVENTORY,
  labDown,
  labList,
  labSshCommand,
  labUp,
  powerOn,
  type Lab,
  type LabSpec,
} from '../lab/index.js';
import { quote } from '../shell/index.js';
import { print, stdoutStyle, tell } from '../ui/terminal.js';
import { table } from '../ui/text.js';
import { commandName } from './command-name.js';
import { LAB_FAULTS } from './lab-machines.js';
import { loadSoundCluster } from './load-inventory.js';
import { labInventory, labNameOf, labSpecOf, type Machine } from './rehearsal.js';

/** Debian by its number, as operators call it, and by the name that its archive has. */
export const LAB_RELEASES = { '12': 'bookworm', '13': 'trixie' } as const;

export interface LabFlags {
  readonly debian?: keyof typeof LAB_RELEASES;
}

/** `odoo-prov lab up FILE`. */
export async function up(file: string, flags: LabFlags): Promise<void> {
  const { lab, inventory } = await labOf(loadSoundCluster(file, true), flags.debian);
  const rows = lab.hosts.map(({ name, address }) => [name, address]);
  print([`lab ${lab.name} is up`, ...table(rows, [])].join('\n'));
  print(`  log in    ${commandName()} lab ssh ${file} ${lab.hosts[0]?.name ?? 'HOST'}`);
  print(`  apply     ${commandName()} apply ${inventory}`);
  print(`  remove    ${commandName()} lab down ${file}`);
}

/**
 * Brings up the lab of an inventory and writes the inventory that leads to it.
 * @param debian as the lab has it if not given; 13 if it is new
 * @returns the lab and the path of that inventory
 */
export async function labOf(
  cluster: Cluster,
  debian?: LabFlags['debian'],
): Promise<{ readonly lab: Lab; readonly inventory: string }> {
  const machine = thisMachine();
  const release = debian && { release: LAB_RELEASES[debian] };
  const lab = await labUp({ ...labSpecOf(cluster, machine), ...release }, tell);
  const data: unknown = parse(readFileSync(cluster.file, 'utf8'));
  const inventory = join(lab.directory, LAB_INVENTORY);
  const text = labInventory(data as Readonly<Record<string, unknown>>, cluster, lab, machine);
  await writeFile(inventory, text);
  return { lab, inventory };
}

/** The lab that an inventory's hosts become on this machine. */
export function labSpecHere(cluster: Cluster): LabSpec {
  return labSpecOf(cluster, thisMachine());
}

/** Memory that a container or a service is allowed counts, not what the machine has. */
function thisMachine(): Machine {
  const allowed = process.constrainedMemory();
  const memory = allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
  return { memory, cores: availableParallelism() };
}

/** `odoo-prov lab down FILE|NAME`. */
export async function down(fileOrName: string): Promise<void> {
  const name = nameOf(fileOrName);
  const known = (await labList()).some((lab) => lab.name === name);
  await labDown(name);
  print(known ? `lab ${name} is gone` : `there is no lab ${name}: nothing to remove`);
}

/** `odoo-prov lab list`. */
export async function list(): Promise<void> {
  const style = stdoutStyle();
  const labs = await labList();
  if (labs.length === 0) tell('there is no lab on this machine');
  for (const lab of labs) {
    print(style.strong(`${lab.name}  ${lab.subnet}`));
    const rows = lab.hosts.map((h) => [`  ${h.name}`, h.address, h.running ? 'up' : 'down']);
    print(table(rows, []).join('\n'));
  }
}

/** `odoo-prov lab ssh FILE|NAME HOST [-- COMMAND]`: exits as ssh does. */
export async function ssh(
  fileOrName: string,
  host: string,
  words: readonly string[],
): Promise<void> {
  const [program = 'ssh', ...rest] = labSshCommand(nameOf(fileOrName), host);
  const command = words.length === 1 ? words : words.map(quote);
  const child = spawn(program, [...rest, ...command], { stdio: 'inherit' });
  process.exitCode = await new Promise<number>((done, failed) => {
    child.on('error', failed);
    child.on('exit', (code) => done(code ?? 1));
  });
}

/** `odoo-prov lab fault FILE|NAME HOST FAULT`. */
export async function fault(
  fileOrName: string,
  host: string,
  what: keyof typeof LAB_FAULTS,
): Promise<void> {
  const name = nameOf(fileOrName);
  await LAB_FAULTS[what]({ name }, host);
  print(
    `${host}: ${MACHINE_FAULTS[what]}; to heal it: ${commandName()} lab heal ${fileOrName} ${host}`,
  );
}

export interface LabHealFlags {
  /** Seconds. */
  readonly after?: number;
}

/** `odoo-prov lab heal FILE|NAME HOST`: switched on, plugged in, not frozen; nobody heals it a second time later. */
export async function heal(fileOrName: string, host: string, flags: LabHealFlags): Promise<void> {
  const name = nameOf(fileOrName);
  await sleep((flags.after ?? 0) * 1000);
  await powerOn({ name }, host);
  await endWatcher(name, host);
  print(`${host} answers on its SSH port`);
}

function nameOf(fileOrName: string): string {
  const isName = !existsSync(fileOrName) && !/\/|\.ya?ml$/.test(fileOrName);
  if (isName) return fileOrName;
  return labNameOf(loadSoundCluster(fileOrName, true));
}
