import { RESTORING } from './layout.js';

/*
 * A restore in place that has not come to its end: each database host has a mark of it, in which stands to where it goes.
 */

/** Shell: prints `restoring WORDS` where the mark is, WORDS as the command `restore FILE` takes them; none of an older version. */
export const CUT_RESTORE = `if [ -e ${RESTORING} ]; then echo "restoring $(head -n 1 ${RESTORING})"; fi`;

/** Reads a line that {@link CUT_RESTORE} printed; undefined where it is none. @returns the words, which may be empty */
export function parseCutRestore(line: string): string | undefined {
  const found = /^restoring(?: (.*))?$/.exec(line.trim());
  return found === null ? undefined : (found[1] ?? '');
}

/**
 * What ends it, with the moment that it was meant for.
 * @param words of the hosts' marks: they differ where one to another moment was cut as well
 */
export function restoreAgain(words: readonly string[]): string {
  const known = [...new Set(words.filter((one) => one !== ''))];
  if (known.length === 0)
    return 'odoo-prov restore FILE again, with the same moment or another one';
  const commands = known.map((one) => `odoo-prov restore FILE ${one}`);
  return `${commands.join(', or ')} again, or with another moment`;
}
