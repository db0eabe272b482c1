import { describe, expect, it } from 'vitest';
import { parseMoment } from '../../src/cli/moment.js';

describe('a moment', () => {
  it.each([
    ['2026-11-22 13:05:00Z', Date.UTC(2026, 10, 22, 13, 5) / 1000],
    ['2026-11-22T13:05:07.25Z', Date.UTC(2026, 10, 22, 13, 5, 7) / 1000 + 0.25],
    ['2026-11-22 13:05+01', Date.UTC(2026, 10, 22, 12, 5) / 1000],
    ['2026-11-22 13:05 +0130', Date.UTC(2026, 10, 22, 11, 35) / 1000],
    ['2028-02-29 00:00Z', Date.UTC(2028, 1, 29) / 1000],
  ])('is read: %s', (text, at) => {
    expect(parseMoment(text)).toBe(at);
  });

  it('is one of this machine without a zone', () => {
    expect(parseMoment('2026-11-22 13:05')).toBe(new Date(2026, 10, 22, 13, 5).getTime() / 1000);
  });

  it.each([
    'yesterday',
    '',
    '2026-11-22',
    '15:55',
    '22.11.2026 15:55',
    '1795362600',
    '2026-02-30 12:00',
    '2026-02-29 12:00',
    '2026-11-31 12:00',
    '2026-13-01 12:00',
    '2026-11-22 24:30',
    '2026-11-22 12:60',
  ])('is refused, not guessed: %s', (text) => {
    expect(() => parseMoment(text)).toThrow(`${JSON.stringify(text)} is no moment`);
  });
});
