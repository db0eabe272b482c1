import { JsonOutput } from './json-output.js';
import type { Terminal } from './live-lines.js';
import type { Output, OutputOptions } from './output.js';
import { PlainOutput } from './plain.js';
import { styleOf, wantsColour } from './style.js';

/** What the command line says about the output. */
export interface OutputChoice extends Pick<OutputOptions, 'diff' | 'profile' | 'prune' | 'redact'> {
  /** `--json` */
  readonly json: boolean;
  /** `--plain` */
  readonly plain: boolean;
}

/** The output that fits: JSON when asked for, a live list on a terminal, plain lines otherwise. */
export async function createOutput(
  choice: OutputChoice,
  terminal: Terminal = process,
): Promise<Output> {
  const { stdout } = terminal;
  const write = (line: string): void => void stdout.write(`${line}\n`);
  if (choice.json) return new JsonOutput(choice, write);
  const options: OutputOptions = {
    diff: choice.diff,
    profile: choice.profile,
    prune: choice.prune,
    redact: choice.redact,
    width: Math.max(stdout.columns || 80, 40),
    style: styleOf(wantsColour(stdout)),
  };
  // Node says undefined for what is not a terminal, whatever its types say.
  const isTerminal = (stdout.isTTY as boolean | undefined) === true;
  if (choice.plain || !isTerminal || process.env['TERM'] === 'dumb') {
    return new PlainOutput(options, write);
  }
  const { ListOutput } = await import('./list.js');
  return new ListOutput(options, terminal);
}
