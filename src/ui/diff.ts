import type { Style } from './style.js';
import { printable } from './text.js';

/** The lines of a unified diff, additions and removals coloured. */
export function diffLines(diff: string, style: Style): readonly string[] {
  return diff
    .trimEnd()
    .split('\n')
    .map(printable)
    .map((line) => {
      if (line.startsWith('+++') || line.startsWith('---')) return style.strong(line);
      if (line.startsWith('@@')) return style.dim(line);
      if (line.startsWith('+')) return style.good(line);
      if (line.startsWith('-')) return style.bad(line);
      return line;
    });
}
