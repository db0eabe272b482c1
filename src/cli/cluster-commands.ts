import { Option, type Command } from 'commander';
import type { ApplyFlags } from './apply.js';
import { pause, wholeNumber, withBecome, withHosts } from './command-options.js';
import type { ExecFlags } from './exec.js';
import type { LintFlags } from './lint.js';
import type { StatusFlags } from './status.js';
import type { TrustFlags } from './trust.js';

/** `apply FILE` */
export function addApply(program: Command): void {
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

/** `status FILE` */
export function addStatus(program: Command): void {
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

/** `lint FILE` */
export function addLint(program: Command): void {
  program
    .command('lint')
    .description('check the inventory and the five principles, without contacting anyone')
    .argument('<file>', 'inventory')
    .option('--json', 'the result as JSON')
    .action(async (file: string, flags: LintFlags) =>
      (await import('./lint.js')).lint(file, flags),
    );
}

/** `trust FILE` */
export function addTrust(program: Command): void {
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

/** `exec FILE -- COMMAND…` */
export function addExec(program: Command): void {
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

type SecretsAction = 'list' | 'show' | 'set' | 'recovery-key';

/** `secrets FILE list | show NAME | set NAME | recovery-key` */
export function addSecrets(program: Command): void {
  const secrets = program
    .command('secrets')
    .description('the generated passwords, encrypted beside the inventory')
    .usage('<file> list | show <name> | set <name> | recovery-key')
    .argument('<file>', 'inventory')
    .addArgument(
      program
        .createArgument('<action>', 'what to do; recovery-key makes a new one and prints it once')
        .choices(['list', 'show', 'set', 'recovery-key']),
    )
    .argument('[name]', 'with show and set: which; set is for what was changed in Odoo');
  secrets.action(async (file: string, action: SecretsAction, name: string | undefined) =>
    (await import('./secrets.js')).secrets(file, action, name),
  );
}
