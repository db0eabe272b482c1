import { Command } from 'commander';
import { PACKAGE_VERSION } from '../template/package-files.js';
import { addApply, addExec, addLint, addSecrets, addStatus, addTrust } from './cluster-commands.js';
import { refuseTwice } from './command-options.js';
import { addBackup, addFailoverTest, addPrimary, addRestore } from './database-commands.js';
import { addLab, addRehearse } from './lab-commands.js';

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

/** Sub-commands get their parent's manners; a mistake says where the help is, and no value is dropped for another one. */
function finish(command: Command): void {
  const path = pathOf(command);
  command.showHelpAfterError(`  next      ${path} --help shows what can be given`);
  refuseTwice(command);
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

/** `schema` and `completion`: for editors and shells. */
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
