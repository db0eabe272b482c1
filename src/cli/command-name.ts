import { realpathSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative } from 'node:path';
import { quote } from '../shell/index.js';

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Not there, which is what is asked.
    return undefined;
  }
}

/**
 * How the person can type this program: its name where that leads to it, else `node` and its path (a clone
 * that is not installed).
 *
 * @param program the path that was run, argv[1]
 * @param path the variable PATH
 * @param folder the working folder: a path below it is shortened
 */
export function commandName(
  program = process.argv[1] ?? '',
  path = process.env['PATH'] ?? '',
  folder = process.cwd(),
): string {
  const found = path
    .split(delimiter)
    .filter((entry) => entry !== '')
    .map((entry) => real(join(entry, 'odoo-prov')))
    .find((entry) => entry !== undefined);
  if (program === '' || (found !== undefined && found === real(program))) return 'odoo-prov';
  const near = relative(folder, program);
  return `node ${quote(near.startsWith('..') || isAbsolute(near) ? program : near)}`;
}
