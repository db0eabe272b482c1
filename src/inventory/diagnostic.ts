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

/**
 * One diagnostic as text: `file:line:column error: message`, the source line, a squiggle under what is
 * meant, what was expected. No newline at the end.
 *
 * @param lines of the file, from {@link linesOf}
 */
export function formatDiagnostic(diagnostic: Diagnostic, lines: readonly string[]): string {
  const { file, line, column, length, severity, message, expected } = diagnostic;
  const rows = [`${file}:${line}:${column} ${severity}: ${message}`];
  const source = lines[line - 1] ?? '';
  if (source.trim() !== '') {
    // Tabs are kept in the margin so that the squiggle stands right however wide the terminal draws them.
    const margin = source.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
    rows.push(`    ${source}`, `    ${margin}${'~'.repeat(length)}`);
  }
  if (expected !== undefined) rows.push(`    expected ${expected}`);
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
