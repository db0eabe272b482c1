import { Failure } from '../failure/failure.js';
import { Secret } from '../shell/index.js';

/**
 * Asks for a password, showing nothing of it.
 * @param instead what to do where nobody can be asked, e.g. `give --become-password-file FILE`
 * @throws Failure usage when stdin is not a terminal, interrupted on Ctrl-C
 */
export async function askSecret(message: string, instead: string): Promise<Secret> {
  const answer = await ask({ type: 'password', message, mask: false }, instead);
  return new Secret(String(answer));
}

/**
 * Asks yes or no; no is the default.
 * @param instead what to do where nobody can be asked, e.g. `give --yes`
 * @throws Failure usage when stdin is not a terminal, interrupted on Ctrl-C
 */
export async function askYesNo(message: string, instead: string): Promise<boolean> {
  return (await ask({ type: 'confirm', message, default: false }, instead)) === true;
}

/**
 * Asks for a line of text.
 * @param instead what to do where nobody can be asked, e.g. `give --confirm NAME`
 * @throws Failure usage when stdin is not a terminal, interrupted on Ctrl-C
 */
export async function askText(message: string, instead: string): Promise<string> {
  return String(await ask({ type: 'input', message }, instead));
}

/**
 * Asks for one of a few.
 * @param instead what to do where nobody can be asked, e.g. `give --on-standby-loss block`
 * @throws Failure usage when stdin is not a terminal, interrupted on Ctrl-C
 */
export async function askChoice<T extends string>(
  message: string,
  choices: readonly { readonly value: T; readonly name: string }[],
  instead: string,
): Promise<T> {
  const answer = await ask({ type: 'select', message, choices }, instead);
  const chosen = choices.find(({ value }) => value === answer);
  if (chosen === undefined) throw new Error(`${String(answer)} is none of the choices`);
  return chosen.value;
}

type Question =
  | {
      readonly type: 'select';
      readonly message: string;
      readonly choices: readonly { readonly value: string; readonly name: string }[];
    }
  | { readonly type: 'input'; readonly message: string }
  | { readonly type: 'password'; readonly message: string; readonly mask: false }
  | { readonly type: 'confirm'; readonly message: string; readonly default: boolean };

async function ask(question: Question, instead: string): Promise<string | boolean> {
  // Node says undefined for what is not a terminal, whatever its types say.
  if ((process.stdin.isTTY as boolean | undefined) !== true) {
    throw new Failure({
      reason: 'usage',
      message: `cannot ask "${question.message}": there is no terminal to ask on`,
      remedy: instead,
    });
  }
  // Loaded only when there is something to ask: it costs more than the rest of the command line.
  const { default: inquirer } = await import('inquirer');
  // Questions go to stderr: stdout may be a pipe that somebody parses.
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  try {
    const answers = await prompt<{ answer: string | boolean }>([{ ...question, name: 'answer' }]);
    return answers.answer;
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') {
      throw new Failure({
        reason: 'interrupted',
        message: 'stopped at a question',
        remedy: 'run it again when you want to go on; nothing was changed',
        cause: error,
      });
    }
    throw error;
  }
}
