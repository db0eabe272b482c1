import { formatFailure, type Failure } from '../failure/failure.js';
import { styleOf, wantsColour, type Style } from './style.js';

/** Writes what a command was asked for to standard output; a line end is added. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes what a person should know, but no program should parse, to standard error. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The failure as text on standard error, its first line coloured. */
export function tellFailure(failure: Failure): void {
  const [first, ...rest] = formatFailure(failure).split('\n');
  tell([styleOf(wantsColour(process.stderr)).bad(first ?? ''), ...rest].join('\n'));
}

/** The emphasis that standard output can show. */
export function stdoutStyle(): Style {
  return styleOf(wantsColour(process.stdout));
}

/** Columns of standard output; 80 where it is not a terminal. */
export function stdoutWidth(): number {
  return process.stdout.columns || 80;
}
