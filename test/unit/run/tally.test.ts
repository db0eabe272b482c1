import { expect, it } from 'vitest';
import { Failure, type Reason } from '../../../src/failure/failure.js';
import { recapOf, runRecap, Tally } from '../../../src/run/tally.js';
import { testHost } from '../../support/site.js';

it.each([
  ['interrupted', { failed: 0, unreachable: 0, interrupted: 1, exitCode: 130 }],
  ['unreachable', { failed: 0, unreachable: 1, interrupted: 0, exitCode: 4 }],
  ['consent', { failed: 0, unreachable: 0, waiting: 1, exitCode: 5 }],
  ['command-failed', { failed: 1, unreachable: 0, interrupted: 0, exitCode: 3 }],
] satisfies [Reason, object][])(
  'a host that ended as %s is counted as that alone',
  (reason, sums) => {
    const tally = new Tally();
    tally.failure = new Failure({ reason, message: 'x', remedy: 'y' });
    const host = recapOf(testHost('app1', 1, ['app']), tally, undefined);
    expect(runRecap([host], [tally.failure], 1)).toMatchObject(sums);
  },
);
