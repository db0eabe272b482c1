import { describe, expect, it } from 'vitest';
import type { RunContext } from '../../../src/run/context.js';
import {
  guardCreation,
  guardRestore,
  guardSecrets,
  guardTopology,
  remember,
  type Answered,
} from '../../../src/run/guard.js';
import { kinds } from '../../../src/resource/index.js';
import { postgresCluster, postgresClusterKind } from '../../../src/resource/postgres-cluster.js';
import { postgresStandby, postgresStandbyKind } from '../../../src/resource/postgres-standby.js';
import type { Answers } from '../../../src/run/probe-host.js';
import type { Topology } from '../../../src/facts/topology.js';
import type { Failure } from '../../../src/failure/failure.js';
import type { Cluster } from '../../../src/inventory/cluster.js';
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
        restoring: null,
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

describe('who is primary', () => {
  const topology: Topology = {
    ...{ primary: 'pg2', primarySeen: true, systemIdentifier: '7', rivals: [] },
    ...{ formerPrimaries: [], withoutPrimary: false },
  };
  const recorded = (change: Partial<Topology>, primary?: string): string | undefined => {
    const postgres = { systemIdentifier: '7', ...(primary === undefined ? {} : { primary }) };
    const context = { cluster, state: { facts: {}, postgres } } as unknown as RunContext;
    return remember(context, new Map(), { ...topology, ...change }, false).postgres?.primary;
  };

  it('is recorded when it was seen; who may be it takes nobody’s place', () => {
    expect(recorded({}, 'pg1')).toBe('pg2');
    expect(recorded({ primarySeen: false }, 'pg1')).toBe('pg1');
    expect(recorded({ primarySeen: false })).toBeUndefined();
  });

  it('must be clear before anything is touched', () => {
    const guarded =
      (change: Partial<Topology>, silent: readonly string[] = []) =>
      (): void => {
        guardTopology({ ...topology, ...change }, silent);
      };
    expect(guarded({})).not.toThrow();
    const without = { withoutPrimary: true, formerPrimaries: ['pg1'] };
    expect(guarded(without)).toThrow('no database host holds the data of the last primary');
    expect(guarded(without, ['pg2', 'pg3'])).toThrow('nobody can tell which');
    expect(guarded({ ...without, formerPrimaries: [] })).toThrow('all of them are standbys');
  });
});

describe('a restore that was cut', () => {
  const seen = (restoring: string | null): Answered =>
    new Map([['pg1', { facts: testFacts, given: [], databases: [], restoring, asked: new Map() }]]);

  it('is no base for an apply, which says what is', () => {
    expect(() => {
      guardRestore(seen(''));
    }).toThrow('a restore of the database has not come to its end');
    expect(() => {
      guardRestore(seen(null));
    }).not.toThrow();
  });
});

describe('a database host whose data is gone', () => {
  const resource = postgresCluster({ version: 17 });
  const host = 'pg1';

  /** What is said where the probe prints this of the host, with what the last run recorded. */
  function refusal(printed: string, recorded: boolean, saved: boolean): Failure | undefined {
    const have = postgresClusterKind.parse(printed, [resource]).get('17/main') ?? 'absent';
    const { postgres } = cluster;
    const backup = { host: 'backup1' } as Cluster['postgres']['backup'];
    const context = {
      ...{ kinds, cluster: saved ? { ...cluster, postgres: { ...postgres, backup } } : cluster },
      state: { facts: {}, ...(recorded && { postgres: { systemIdentifier: '7' } }) },
    } as unknown as RunContext;
    const change = { resource, have, want: {}, differences: [] };
    const plan = {
      host,
      stages: [{ stage: 'pg-primary' as const, changes: [change] }],
      skipped: [],
      ok: 0,
    };
    const answers = { facts: testFacts, given: [], databases: [], restoring: null };
    try {
      guardCreation(context, [plan], new Map([[host, { ...answers, asked: new Map() }]]));
    } catch (error) {
      return error as Failure;
    }
    return undefined;
  }

  it('gets no new database in its place: its configuration tells, whatever was recorded', () => {
    const said = refusal('17/main lost', false, true);
    expect(said?.details.found).toContain('/etc/postgresql/17/main');
    expect(said?.details.remedy).toContain('`odoo-prov restore FILE --latest`');
    // That would be the end of what is there to be read.
    expect(said?.details.remedy).not.toContain('remove');
    expect(refusal('17/main lost', false, false)?.details.remedy).toContain('from a backup');
  });

  it('that is bare comes back as a new one, where one was recorded', () => {
    const remedy = refusal('17/main absent', true, true)?.details.remedy;
    expect(remedy).toContain('`odoo-prov restore FILE --new-hosts --latest`');
    expect(refusal('17/main absent', false, true)).toBeUndefined();
  });

  it('is cloned where it is a standby', () => {
    const standby = postgresStandby({
      ...{ version: 17, primary: 'db1', user: 'u', passFile: '/p', slot: 's' },
    });
    const found = postgresStandbyKind.parse('17/main lost', [standby]).get('17/main');
    expect(found).toBe('absent');
  });
});
