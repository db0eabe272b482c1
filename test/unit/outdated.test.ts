import { expect, it } from 'vitest';
import { isOutdated, type Held } from '../../src/postgres/outdated.js';

it('the data of a primary is not the last where a standby is on a newer timeline, or knows of one', () => {
  const data = { standby: false, timeline: 8 };
  const beside = (...others: readonly Held[]): boolean => isOutdated(data, [data, ...others]);
  expect(beside({ standby: true, timeline: 8 })).toBe(false);
  expect(beside({ standby: true, timeline: 9 })).toBe(true);
  // It went on with this primary, past the point where another one took over.
  expect(beside({ standby: true, timeline: 8, pastFork: true })).toBe(true);
  expect(beside({ standby: true, timeline: 7, pastFork: true })).toBe(false);
  // Its WAL is of the primary's timeline, its data of the one before, where it went on too far.
  expect(beside({ standby: true, timeline: 8, dataTimeline: 7, pastFork: true })).toBe(false);
  // Another primary's says no more than that there are two.
  expect(beside({ standby: false, timeline: 9 })).toBe(false);
});
