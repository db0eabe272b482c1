import { expect, it } from 'vitest';
import { Failure, type Reason } from '../../../src/failure/failure.js';
import { Tallies } from '../../../src/run/tally.js';
import { testHost } from '../../support/site.js';

it.each([
  ['interrupted', { failed: 0, unreachable: 0, interrupted: 1, exitCode: 130 }],
  ['unreachable', { failed: 0, unreachable: 1, interrupted: 0, exitCode: 4 }],
  ['consent', { failed: 0, unreachable: 0, waiting: 1, exitCode: 5 }],
  ['command-failed', { failed: 1, unreachable: 0, interrupted: 0, exitCode: 3 }],
] satisfies [Reason, object][])(
  'a host that ended as %s is counted as that alone',
  (reason, sums) => {
    const told: string[] = [];
    const tallies = new Tallies([testHost('app1', 1, ['app'])], ({ type }) => told.push(type));
    const failed = new Failure({ reason, message: 'x', remedy: 'y' });
    tallies.fail('app1', failed);
    tallies.fail('app1', new Failure({ reason: 'command-failed', message: 'later', remedy: 'y' }));
    tallies.fail('db1', failed);
    expect(tallies.recap(new Map())).toMatchObject(sums);
    expect(told).toEqual(['host-failed', 'host-done']);
  },
);

it.each([
  [['consent', 'command-failed'], 3],
  [['consent', 'unreachable'], 4],
  [['unreachable', 'consent', 'command-failed'], 3],
  [['command-failed', 'consent', 'interrupted'], 130],
  [['consent', 'refused'], 5],
] satisfies [Reason[], number][])(
  'of %s the gravest gives the exit code: a restart that waits for consent hides nothing',
  (reasons, code) => {
    const hosts = reasons.map((_, i) => testHost(`db${String(i)}`, i + 1, ['pg-standby']));
    const tallies = new Tallies(hosts, () => undefined);
    reasons.forEach((reason, i) => {
      tallies.fail(`db${String(i)}`, new Failure({ reason, message: 'x', remedy: 'y' }));
    });
    expect(tallies.recap(new Map()).exitCode).toBe(code);
  },
);
