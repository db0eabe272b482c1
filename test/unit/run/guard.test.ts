import { describe, expect, it } from 'vitest';
import type { RunContext } from '../../../src/run/context.js';
import { guardRestore, guardSecrets, type Answered } from '../../../src/run/guard.js';
import type { Answers } from '../../../src/run/probe-host.js';
import { testCluster, testFacts, testHost } from '../../support/site.js';

const cluster = testCluster([testHost('pg1', 1, ['pg-primary'])]);

function guard(secretsAreNew: boolean, answers: Partial<Answers>, recorded = false): () => void {
  const seen: Answered = new Map([
    [
      'pg1',
      {
        facts: testFacts,
        given: [],
        databases: [],
        restoring: false,
        asked: new Map(),
        ...answers,
      },
    ],
  ]);
  const state = { facts: {}, ...(recorded && { postgres: { systemIdentifier: '7' } }) };
  const context = { cluster, secretsAreNew, state } as unknown as RunContext;
  return () => {
    guardSecrets(context, seen);
  };
}

describe('a run without the secrets of its cluster', () => {
  const given = [{ role: 'redis', unit: 'redis-server.service' }];
  const databases = [
    {
      directory: '/var/lib/postgresql/17/main',
      systemIdentifier: '7',
      timeline: 1,
      standby: false,
      state: 'in production',
    },
  ];

  it('goes on where nothing was ever set up', () => {
    expect(guard(true, {})).not.toThrow();
  });

  it('is refused where a host was set up, holds a database, or one is recorded', () => {
    expect(guard(true, { given })).toThrow('the secrets of this cluster are missing');
    expect(guard(true, { databases })).toThrow('the secrets of this cluster are missing');
    expect(guard(true, {}, true)).toThrow('the secrets of this cluster are missing');
  });

  it('goes on with the secrets there', () => {
    expect(guard(false, { given, databases }, true)).not.toThrow();
  });
});

describe('a restore that was cut', () => {
  const seen = (restoring: boolean): Answered =>
    new Map([['pg1', { facts: testFacts, given: [], databases: [], restoring, asked: new Map() }]]);

  it('is no base for an apply, which says what is', () => {
    expect(() => {
      guardRestore(seen(true));
    }).toThrow('a restore of the database has not come to its end');
    expect(() => {
      guardRestore(seen(false));
    }).not.toThrow();
  });
});
