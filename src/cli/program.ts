import { Command, InvalidArgumentError, Option } from 'commander';
import { PACKAGE_VERSION } from '../template/package-files.js';
import type { ApplyFlags } from './apply.js';
import type { BackupFlags } from './backup.js';
import type { ExecFlags } from './exec.js';
import type { LintFlags } from './lint.js';
import type { FailoverTestFlags } from './failover-test.js';
import type { FailoverFlags, RejoinFlags, SwitchoverFlags } from './primary.js';
import type { RehearseFlags } from './rehearse.js';
import type { RestoreFlags } from './restore.js';
import type { StatusFlags } from './status.js';
import type { TrustFlags } from './trust.js';

/**
 * The whole command line: names, arguments, options, help. What a command does is loaded when it is run.
 * Only commands that work are here.
 */
export function buildProgram(): Command {
  const program = new Command('odoo-prov')
    .description(
      'Turns bare Debian machines into an Odoo cluster, as one inventory file says, and keeps it that way.',
    )
    .version(PACKAGE_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .addHelpText('after', AFTER)
    .exitOverride()
    .configureHelp({ helpWidth: Math.min(process.stdout.columns || 80, 100), minWidthToWrap: 20 });
  program.enablePositionalOptions();
  [
    addApply,
    addStatus,
    addPrimary,
    addFailoverTest,
    addLint,
    addTrust,
    addExec,
    addBackup,
    addRestore,
    addSecrets,
    addLab,
    addRehearse,
    addOthers,
  ].forEach((add) => add(program));
  finish(program);
  return program;
}

const AFTER = `
Exit codes: 0 done, 1 bad usage or inventory (nothing was contacted), 2 changes
(only with --detailed-exitcode), 3 a host failed, 4 a host was unreachable,
5 refused for safety, 130 interrupted.`;

/** Sub-commands get their parent's manners; a mistake says where the help is. */
function finish(command: Command): void {
  const path = pathOf(command);
  command.showHelpAfterError(`  next      ${path} --help shows what can be given`);
  for (const child of command.commands) {
    child
      .copyInheritedSettings(command)
      .helpOption('-h, --help', 'show this help')
      .helpCommand(false);
    finish(child);
  }
}

function pathOf(command: Command): string {
  const parent = command.parent;
  return parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

function addApply(program: Command): void {
  const command = program
    .command('apply')
    .description('make the hosts be as the inventory says')
    .argument('<file>', 'inventory')
    .option('--check', 'only look: say what would change, change nothing')
    .option('--diff', 'show every change and how files differ');
  withHosts(command)
    .option('--concurrency <n>', 'hosts worked on at the same time', wholeNumber, 20)
    .option('--prune', 'stop and disable what removed roles left (its data stays)')
    .option('--restart-primary', "also restart the database's primary, where a setting needs it")
    .option('--verify', 'check that the cluster serves, even if nothing changed')
    .option('--detailed-exitcode', 'exit with 2 when there are, or were, changes')
    .option('--list-hosts', 'list the chosen hosts and do nothing')
    .option('--profile', 'show where the time went')
    .addOption(new Option('--json', 'one event a line, for programs').conflicts('plain'))
    .option('--plain', 'plain lines, also on a terminal');
  withBecome(command).action(async (file: string, flags: ApplyFlags) =>
    (await import('./apply.js')).apply(file, flags),
  );
}

function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('what runs where, and what is wrong with it')
    .argument('<file>', 'inventory');
  withHosts(command)
    .option('--concurrency <n>', 'hosts asked at the same time', wholeNumber, 20)
    .option('--watch [seconds]', 'look again and again, by default every 2 s', pause)
    .option('--json', 'the look as JSON, on one line')
    .addHelpText('after', STATUS_AFTER);
  withBecome(command).action(async (file: string, flags: StatusFlags) =>
    (await import('./status.js')).status(file, flags),
  );
}

const STATUS_AFTER = `
Exit codes: 0 well (there may be warnings), 3 something is wrong, 4 a host is
unreachable.`;

function addFailoverTest(program: Command): void {
  const command = program
    .command('failover-test')
    .description('break one thing after the other under load, and judge what came of it')
    .argument('<file>', 'inventory')
    .option('--list', 'show the scenarios and what is expected of this cluster; contacts nobody')
    .option('--scenario <names>', 'only these, comma between; some are run by name only', list)
    .option('--report <folder>', 'write the report there: HTML, JSON, JUnit')
    .option('--json', 'the report as JSON on standard output')
    .option('--yes', 'do not ask');
  withBecome(command).action(async (file: string, flags: FailoverTestFlags) =>
    (await import('./failover-test.js')).failoverTest(file, flags),
  );
}

function addLint(program: Command): void {
  program
    .command('lint')
    .description('check the inventory and the five principles, without contacting anyone')
    .argument('<file>', 'inventory')
    .option('--json', 'the result as JSON')
    .action(async (file: string, flags: LintFlags) =>
      (await import('./lint.js')).lint(file, flags),
    );
}

function addTrust(program: Command): void {
  const command = program
    .command('trust')
    .description("collect the hosts' keys and record them in known_hosts")
    .argument('<file>', 'inventory');
  withHosts(command)
    .option('--yes', 'record new keys without asking')
    .option('--replace', 'also record keys in place of others that were known')
    .action(async (file: string, flags: TrustFlags) =>
      (await import('./trust.js')).trust(file, flags),
    );
}

function addPrimary(program: Command): void {
  const dry = 'print every step and do nothing';
  withBecome(
    program
      .command('switchover')
      .description('move the primary to a standby; nothing is lost')
      .argument('<file>', 'inventory')
      .option('--to <host>', 'the standby; without it the one that has most')
      .option('--dry-run', dry)
      .option('--yes', 'do not ask'),
  ).action(async (file: string, flags: SwitchoverFlags) =>
    (await import('./primary.js')).switchover(file, flags),
  );
  withBecome(
    program
      .command('failover')
      .description('promote a standby because the primary is lost')
      .argument('<file>', 'inventory')
      .option('--to <host>', 'the standby; without it the one that has most')
      .option(
        '--confirm-dead <hosts>',
        'these are off and stay off, by your word; comma between',
        list,
      )
      .option('--force', 'also while the primary is alive: it is stopped')
      .option('--dry-run', dry)
      .option('--yes', 'do not ask'),
  ).action(async (file: string, flags: FailoverFlags) =>
    (await import('./primary.js')).failover(file, flags),
  );
  withBecome(
    program
      .command('rejoin')
      .description('make a lost primary a standby of the new one')
      .argument('<file>', 'inventory')
      .option('--host <host>', 'only this one')
      .option('--no-save', 'do not save the rows that only it has: they are given up')
      .option('--keep-data', 'keep all of its old data in a folder beside the new')
      .option('--dry-run', dry)
      .option('--yes', 'do not ask'),
  ).action(async (file: string, flags: RejoinFlags) =>
    (await import('./primary.js')).rejoin(file, flags),
  );
}

function addExec(program: Command): void {
  const command = program
    .command('exec')
    .description('run a command as root on chosen hosts')
    .argument('<file>', 'inventory')
    .argument('<command...>', 'after --: one word is shell text, several are run as they are');
  withBecome(withHosts(command))
    .option('--concurrency <n>', 'hosts at the same time', wholeNumber, 20)
    .option('--timeout <seconds>', 'give the command up after so long', wholeNumber, 60)
    .usage("[options] <file> --limit 'app*' -- <command...>")
    .action(async (file: string, words: readonly string[], flags: ExecFlags) =>
      (await import('./exec.js')).exec(file, words, flags),
    );
}

function addBackup(program: Command): void {
  const command = program
    .command('backup')
    .description('make a backup now, list what can be restored, or name this moment')
    .argument('<file>', 'inventory')
    .addOption(
      new Option(
        '--type <type>',
        'incr (default): what changed since the last one; diff: since the last full one',
      )
        .choices(['full', 'diff', 'incr'])
        .conflicts(['list', 'name']),
    )
    .addOption(
      new Option('--list', 'only show backups, and the moments that can be restored').conflicts(
        'name',
      ),
    )
    .option('--name <name>', 'only give this moment a name, for restore --to-name')
    .addOption(
      new Option(
        '--verify',
        'only restore the newest one beside everything else, and compare all rows',
      ).conflicts(['list', 'name', 'type']),
    )
    .addOption(
      new Option(
        '--on <host>',
        'with --verify: where; the host that keeps the backups if not given',
      ).conflicts(['list', 'name', 'type']),
    )
    .option('--json', 'the list as JSON');
  withBecome(command).action(async (file: string, flags: BackupFlags) =>
    (await import('./backup.js')).backup(file, flags),
  );
}

function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .description('set the database back to a moment in the archive, or make a copy of that moment')
    .argument('<file>', 'inventory')
    .option(
      '--to-time <time>',
      "e.g. '2026-11-22 13:05:00', in this machine's zone or with +01:00 or Z",
    )
    .option('--to-name <name>', 'a restore point that backup --name made')
    .option('--latest', 'all that was archived')
    .addOption(
      new Option('--on <host>', 'a copy on this host instead, beside everything else').conflicts([
        'dryRun',
        'confirm',
      ]),
    )
    .option('--dry-run', 'only say what would be done')
    .option('--confirm <cluster>', "the cluster's name, instead of typing it when asked")
    .option(
      '--discard-old',
      'only remove the data that earlier restores have kept; with --on: the copy',
    );
  withBecome(command).action(async (file: string, flags: RestoreFlags) =>
    (await import('./restore.js')).restore(file, flags),
  );
}

function addSecrets(program: Command): void {
  const secrets = program
    .command('secrets')
    .description('the generated passwords, encrypted beside the inventory')
    .usage('<file> list | show <name> | set odoo-admin-password')
    .argument('<file>', 'inventory')
    .addArgument(program.createArgument('<action>', 'what to do').choices(['list', 'show', 'set']))
    .argument('[name]', 'with show and set: which; set is for what was changed in Odoo');
  secrets.action(async (file: string, action: 'list' | 'show' | 'set', name: string | undefined) =>
    (await import('./secrets.js')).secrets(file, action, name),
  );
}

function addLab(program: Command): void {
  const lab = program
    .command('lab')
    .description('real Debian hosts on this machine (Linux, root), to rehearse with');
  lab
    .command('up')
    .description('make the hosts of an inventory, bare Debian')
    .argument('<file>', 'inventory')
    .action(async (file: string) => (await import('./lab.js')).up(file));
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

function addRehearse(program: Command): void {
  program
    .command('rehearse')
    .description('lab up, apply and check: the whole cluster on this machine, and its address')
    .argument('<file>', 'inventory')
    .option('--plain', 'plain lines, also on a terminal')
    .option('--profile', 'show where the time went')
    .action(async (file: string, flags: RehearseFlags) =>
      (await import('./rehearse.js')).rehearse(file, flags),
    );
}

function addOthers(program: Command): void {
  program
    .command('schema')
    .description('the JSON Schema of the inventory, for editors')
    .action(async () => (await import('./schema.js')).schema());
  program
    .command('completion')
    .description('a completion script: source it in the start file of your shell')
    .addArgument(program.createArgument('<shell>', 'shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') =>
      (await import('./completion.js')).completion(buildProgram(), shell),
    );
}

function withHosts(command: Command): Command {
  return command
    .option(
      '--limit <hosts>',
      'only these: names or globs, comma between, !name is taken out',
      list,
    )
    .option('--role <roles>', 'only hosts with one of these roles, comma between', list);
}

function withBecome(command: Command): Command {
  return command
    .addOption(
      new Option('--ask-become-pass', "ask for sudo's password").conflicts('becomePasswordFile'),
    )
    .option('--become-password-file <file>', "file whose first line is sudo's password");
}

function list(value: string, before: readonly string[] | undefined): readonly string[] {
  const words = value.split(',').map((word) => word.trim());
  if (words.includes('')) throw new InvalidArgumentError('There is an empty name in it.');
  return [...(before ?? []), ...words];
}

/** The seconds of --watch; a file that follows it is taken for them. */
function pause(value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Whole seconds from 1; the inventory goes before --watch.');
}

function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('A whole number from 1.');
  return Number(value);
}
