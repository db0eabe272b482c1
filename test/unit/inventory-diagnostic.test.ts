import { describe, expect, test } from 'vitest';
import { formatDiagnostic, type Diagnostic } from '../../src/inventory/diagnostic.js';
import { readSource } from '../../src/inventory/source.js';

function rows(line: string, meant: string, message = 'wrong'): readonly string[] {
  const diagnostic: Diagnostic = {
    file: 'acme.yaml',
    line: 1,
    column: line.indexOf(meant) + 1,
    length: meant.length,
    severity: 'error',
    message,
  };
  return formatDiagnostic(diagnostic, [line]).split('\n');
}

describe('the source line of a diagnostic', () => {
  test('is whole up to 120 columns', () => {
    const line = `${'a'.repeat(110)} meant`;
    expect(rows(line, 'meant').slice(1)).toEqual([
      `    ${line}`,
      `    ${' '.repeat(111)}${'~'.repeat(5)}`,
    ]);
  });

  test.each([
    { where: 'at the begin', before: 2, after: 5000 },
    { where: 'in the middle', before: 3000, after: 3000 },
    { where: 'at the end', before: 5000, after: 0 },
  ])('is cut around what is meant $where', ({ before, after }) => {
    const line = `${'a'.repeat(before)}MEANT${'b'.repeat(after)}`;
    const [, shown = '', squiggle = ''] = rows(line, 'MEANT');
    expect(shown.length).toBeLessThanOrEqual(4 + 102);
    expect(squiggle.indexOf('~')).toBe(shown.indexOf('MEANT'));
    expect(squiggle.trim()).toBe('~~~~~');
    expect(shown.trimStart().startsWith('…')).toBe(before > 40);
    expect(shown.endsWith('…')).toBe(after > 0);
  });

  test('has a squiggle no longer than what is shown', () => {
    const [, shown = '', squiggle = ''] = rows(`x: ${'m'.repeat(4000)}`, 'm'.repeat(4000));
    expect(squiggle.length).toBeLessThanOrEqual(shown.length);
  });

  test('and the message have nothing that a terminal obeys', () => {
    const bad = 'a\u001b[31m\u0007\u007f\u009b2J\u202eb\ud800';
    expect(rows(`${bad}: meant`, 'meant', `unknown key ${bad}`)).toEqual([
      'acme.yaml:1:17 error: unknown key a␛[31m␇␡\ufffd2J\ufffdb\ufffd',
      '    a␛[31m␇␡\ufffd2J\ufffdb\ufffd: meant',
      `    ${' '.repeat(16)}~~~~~`,
    ]);
  });

  test('keeps tabs', () => {
    expect(rows('\tkey:\tmeant', 'meant').slice(1)).toEqual([
      '    \tkey:\tmeant',
      '    \t    \t~~~~~',
    ]);
  });
});

test('duplicate keys are found at any depth, each but the first', () => {
  const { problems, data } = readSource('a: 1\nb:\n  c: 1\n  "c": 2\n  c: 3\na: 2\n', 'acme.yaml');
  expect(problems.map(({ line, column, length }) => [line, column, length]).sort()).toEqual([
    [4, 3, 3],
    [5, 3, 1],
    [6, 1, 1],
  ]);
  expect(data).toEqual({ a: 2, b: { c: 3 } });
});
