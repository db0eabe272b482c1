import { expect, it } from 'vitest';
import { Failure } from '../../../src/failure/failure.js';
import { withoutFrames } from '../../../src/run/without-frames.js';

it('shows what a cut step printed, and none of our own lines', () => {
  const lines = [
    '@abc ready',
    '@abc begin 0',
    '@abc out copied 5 MB',
    '@abc out ',
    'warned',
    '@ab',
  ];
  const output = [...lines, '@abc en'].join('\n');
  const words = { reason: 'cut-answer', host: 'db1', message: 'cut', remedy: 'again' } as const;
  expect(withoutFrames(new Failure({ ...words, output }), 'abc').details).toEqual({
    ...words,
    output: 'copied 5 MB\n\nwarned\n@ab',
  });
  const silent = new Failure(words);
  expect(withoutFrames(silent, 'abc')).toBe(silent);
});
