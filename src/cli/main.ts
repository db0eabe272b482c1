import { CommanderError } from 'commander';
import { EXIT, exitCodeOf, Failure } from '../failure/failure.js';
import { nameInventoryOf } from '../ui/named-inventory.js';
import { tell, tellFailure } from '../ui/terminal.js';
import { buildProgram } from './program.js';
import { MistakesError } from './mistakes-error.js';

/**
 * Runs one command and sets the exit code.
 * @param words the command line without `node` and the program
 */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  // A reader that goes away (`| head`) is no error of ours, and no reason to leave an apply half done.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const program = buildProgram();
  let file: string | undefined;
  program.hook('preAction', (_, command) => {
    // The inventory is the first argument of every command that has one.
    if (command.registeredArguments[0]?.name() === 'file') file = command.args[0];
  });
  try {
    process.exitCode = EXIT.done;
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, file);
  }
}

/** Prints what went wrong; gives the exit code. @param file the inventory, if one was given */
function report(error: unknown, file: string | undefined): number {
  if (error instanceof CommanderError) {
    // Commander has printed it already; help that was asked for is no mistake.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  if (error instanceof MistakesError) {
    tell(error.message);
    return EXIT.usage;
  }
  if (error instanceof Failure) {
    tellFailure(file === undefined ? error : nameInventoryOf(error, file));
    return exitCodeOf(error.reason);
  }
  tell(unexpected(error));
  return EXIT.failed;
}

/** What nobody foresaw: said in few lines, the rest only for those who debug. */
function unexpected(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = [`odoo-prov made a mistake of its own: ${message}`];
  if (process.env['DEBUG'] === 'odoo-prov') {
    lines.push(error instanceof Error ? (error.stack ?? '') : '');
  }
  lines.push(
    '  next      run it again with DEBUG=odoo-prov and report what it prints, with the',
    '            output of `odoo-prov --version` and `node --version`',
  );
  return lines.join('\n');
}
