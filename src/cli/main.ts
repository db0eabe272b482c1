import { CommanderError } from 'commander';
import { EXIT, exitCodeOf, Failure } from '../failure/failure.js';
import { nameInventoryOf } from '../ui/named-inventory.js';
import { print, tell, tellFailure } from '../ui/terminal.js';
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
  let json = false;
  program.hook('preAction', (_, command) => {
    // The inventory is the first argument of every command that has one.
    if (command.registeredArguments[0]?.name() === 'file') file = command.args[0];
    json = command.opts<{ json?: true }>().json === true;
  });
  try {
    process.exitCode = EXIT.done;
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    process.exitCode = await report(error, file, json);
  }
}

/**
 * Prints what went wrong; gives the exit code.
 * @param file the inventory, if one was given
 * @param json a program reads standard output: it gets a record a line
 */
async function report(error: unknown, file: string | undefined, json: boolean): Promise<number> {
  if (error instanceof CommanderError) {
    // Commander has printed it already; help that was asked for is no mistake.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  if (error instanceof MistakesError) {
    if (json) for (const record of error.records) print(JSON.stringify(record));
    else tell(error.message);
    return EXIT.usage;
  }
  if (error instanceof Failure) {
    const failure = file === undefined ? error : nameInventoryOf(error, file);
    const exitCode = exitCodeOf(failure.reason);
    if (json) {
      const { failureToJson } = await import('../ui/json.js');
      print(JSON.stringify({ type: 'failure', exitCode, failure: failureToJson(failure) }));
    }
    tellFailure(failure);
    return exitCode;
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
