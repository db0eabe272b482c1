/** One mistake, or one doubt, in an inventory file, and where it is. */
export interface Diagnostic {
  /** The path as the user gave it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  /** How many columns of this line are meant; at least 1. */
  readonly length: number;
  readonly severity: 'error' | 'warning';
  /** What is wrong, in one line. */
  readonly message: string;
  /** What would be right, without the word "expected". */
  readonly expected?: string;
}

/** The lines of a text, whatever its line ends. */
export function linesOf(text: string): readonly string[] {
  return text.split(/\r\n|\n|\r/);
}

/** Columns up to which a source line is shown whole. */
const LONGEST = 120;
/** Columns that are shown of a longer one, around the place that is meant. */
const WINDOW = 100;
/** Columns that are shown before that place, where the line is cut. */
const BEFORE = 40;

/**
 * A text without what a terminal would obey: control characters become their pictures (U+2400 and on), C1
 * ones, direction marks and halves of a character the replacement character. Tabs stay. Each stays one
 * UTF-16 unit wide, so that columns stay right.
 */
function visible(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000a-\u001f]/g, (c) =>
      String.fromCharCode(0x2400 + c.charCodeAt(0)),
    )
    .replaceAll('\u007f', '␡')
    .replaceAll(/[\u0080-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu, '\ufffd');
}

/** The part of a source line around a place, and the squiggle under it. */
function excerpt(source: string, column: number, length: number): readonly string[] {
  const cut = source.length > LONGEST;
  const from = cut ? Math.max(0, Math.min(column - 1 - BEFORE, source.length - WINDOW)) : 0;
  const to = cut ? from + WINDOW : source.length;
  const [head, tail] = [from > 0 ? '…' : '', to < source.length ? '…' : ''];
  // Tabs are kept in the margin so that the squiggle stands right however wide the terminal draws them.
  const margin = source.slice(from, column - 1).replaceAll(/[^\t]/g, ' ');
  const squiggle = '~'.repeat(cut ? Math.max(1, Math.min(length, to - column + 1)) : length);
  return [
    `    ${head}${visible(source.slice(from, to))}${tail}`,
    `    ${head === '' ? '' : ' '}${margin}${squiggle}`,
  ];
}

/**
 * One diagnostic as text: `file:line:column error: message`, the source line (of a long one the part
 * that is meant), a squiggle under it, what was expected. No newline at the end.
 *
 * @param lines of the file, from {@link linesOf}
 */
export function formatDiagnostic(diagnostic: Diagnostic, lines: readonly string[]): string {
  const { file, line, column, length, severity, message, expected } = diagnostic;
  const rows = [visible(`${file}:${line}:${column} ${severity}: ${message}`)];
  const source = lines[line - 1] ?? '';
  if (source.trim() !== '') rows.push(...excerpt(source, column, length));
  if (expected !== undefined) rows.push(visible(`    expected ${expected}`));
  return rows.join('\n');
}

/** All diagnostics as text, in the order of the file, a blank line between them, a count at the end. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], text: string): string {
  const lines = linesOf(text);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const blocks = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, lines));
  if (errors > 0) {
    blocks.push(`${errors} ${errors === 1 ? 'mistake' : 'mistakes'}. No host was contacted.`);
  }
  return `${blocks.join('\n\n')}\n`;
}

/** Sorted by place; two that say the same of the same place are one. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics
    .filter(({ line, column, message }) => {
      const key = `${line}:${column} ${message}`;
      return seen.has(key) ? false : seen.add(key);
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}
