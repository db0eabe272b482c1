import { Argument, Option, type Command } from 'commander';
import { MACHINE_FAULTS, type MachineFault } from '../../playbooks/failover-test/machines.js';
import type { LabFlags, LabHealFlags } from './lab.js';
import { wholeNumber } from './command-options.js';
import type { RehearseFlags } from './rehearse.js';

function debian(): Option {
  return new Option('--debian <release>', 'of new hosts (default: 13)').choices(['12', '13']);
}

/** `lab up FILE`, `lab down NAME`, `lab list`, `lab ssh NAME HOST`, and faults of hosts */
export function addLab(program: Command): void {
  const lab = program
    .command('lab')
    .description('real Debian hosts on this machine (Linux, root), to rehearse with');
  lab
    .command('up')
    .description('make the hosts of an inventory, bare Debian')
    .argument('<file>', 'inventory')
    .addOption(debian())
    .action(async (file: string, flags: LabFlags) => (await import('./lab.js')).up(file, flags));
  lab
    .command('down')
    .description('remove them, without a trace')
    .argument('<file-or-name>', 'inventory, or a name that `lab list` shows')
    .action(async (file: string) => (await import('./lab.js')).down(file));
  lab
    .command('list')
    .description('the labs of this machine')
    .action(async () => (await import('./lab.js')).list());
  lab
    .command('ssh')
    .description('log in as root on a host of a lab')
    .argument('<file-or-name>', 'inventory, or a name that `lab list` shows')
    .argument('<host>', 'host')
    .argument('[command...]', 'after --: run this instead')
    .action(async (file: string, host: string, words: readonly string[]) =>
      (await import('./lab.js')).ssh(file, host, words),
    );
  addFaults(lab);
}

/** `lab fault NAME HOST FAULT`, `lab heal NAME HOST` */
function addFaults(lab: Command): void {
  lab
    .command('fault')
    .description('break a host of a lab from outside, and leave it so')
    .argument('<file-or-name>', 'inventory, or a name that `lab list` shows')
    .argument('<host>', 'host')
    .addArgument(new Argument('<fault>', 'what happens to it').choices(Object.keys(MACHINE_FAULTS)))
    .action(async (file: string, host: string, fault: MachineFault) =>
      (await import('./lab.js')).fault(file, host, fault),
    );
  lab
    .command('heal')
    .description('switch a host of a lab on, plug it in, let it go on: whatever it needs')
    .argument('<file-or-name>', 'inventory, or a name that `lab list` shows')
    .argument('<host>', 'host')
    .option('--after <seconds>', 'wait so long before', wholeNumber)
    .action(async (file: string, host: string, flags: LabHealFlags) =>
      (await import('./lab.js')).heal(file, host, flags),
    );
}

/** `rehearse FILE` */
export function addRehearse(program: Command): void {
  program
    .command('rehearse')
    .description('lab up, apply and check: the whole cluster on this machine, and its address')
    .argument('<file>', 'inventory')
    .addOption(debian())
    .option('--plain', 'plain lines, also on a terminal')
    .option('--profile', 'show where the time went')
    .action(async (file: string, flags: RehearseFlags) =>
      (await import('./rehearse.js')).rehearse(file, flags),
    );
}
