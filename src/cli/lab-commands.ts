import { Option, type Command } from 'commander';
import type { LabFlags } from './lab.js';
import type { RehearseFlags } from './rehearse.js';

function debian(): Option {
  return new Option('--debian <release>', 'of new hosts (default: 13)').choices(['12', '13']);
}

/** `lab up FILE`, `lab down NAME`, `lab list`, `lab ssh NAME HOST` */
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
