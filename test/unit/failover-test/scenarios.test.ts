import { describe, expect, it } from 'vitest';
import { chosenScenarios } from '../../../playbooks/failover-test/scenarios/chosen.js';
import { SCENARIOS } from '../../../playbooks/failover-test/scenarios/index.js';
import { listRows, listScenarios } from '../../../src/failover-test/list.js';
import type { ScenarioName } from '../../../src/failover-test/scenario.js';
import { Failure } from '../../../src/failure/failure.js';
import type { Cluster, RoleName } from '../../../src/inventory/cluster.js';
import { testCluster, testHost } from '../../support/site.js';

/** Hosts with one role each. */
function cluster(roles: readonly RoleName[], synchronous: 'off' | 'on' = 'off'): Cluster {
  const bare = testCluster(
    roles.map((role, index) => testHost(`h${String(index)}`, index + 1, [role])),
  );
  return {
    ...bare,
    postgres: { ...bare.postgres, replication: { ...bare.postgres.replication, synchronous } },
  };
}

function expected(name: ScenarioName, of: Cluster): string {
  const scenario = SCENARIOS.find((one) => one.name === name);
  return scenario?.lacks(of, {}) ?? scenario?.expects(of).kind ?? 'no such scenario';
}

describe('what is chosen', () => {
  const names = (...given: readonly string[]): readonly string[] =>
    chosenScenarios(given).map(({ name }) => name);
  const refusal = (...given: readonly string[]): Partial<Failure['details']> => {
    try {
      return { message: names(...given).join() };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return error.details;
    }
  };

  it('is what is named, in the order of the list; with all, also what is run by name only', () => {
    expect(names('switchover', 'app-down')).toEqual(['app-down', 'switchover']);
    expect(names('all')).toEqual(SCENARIOS.map(({ name }) => name));
    const unnamed: readonly string[] = chosenScenarios(undefined).map(({ name }) => name);
    expect(names('all').filter((name) => !unnamed.includes(name))).toEqual([
      ...['point-in-time-recovery', 'primary-cut-off', 'host-reset'],
      ...['host-frozen', 'cable-cut', 'power-cut'],
    ]);
  });

  it('is refused where all does not stand alone, or a name is wrong', () => {
    const mixed = {
      ...{ reason: 'usage', message: 'all stands for every scenario, and so alone' },
      expected: '--scenario all, or names without all',
    };
    expect(refusal('all', 'x')).toMatchObject({ ...mixed, found: '--scenario all,x' });
    expect(refusal('app-down', 'all')).toMatchObject({
      ...mixed,
      found: '--scenario app-down,all',
    });
    expect(refusal('app-down', 'primry-killed', 'x')).toMatchObject({
      reason: 'usage',
      message:
        'there is no scenario primry-killed; did you mean "primary-killed"?\nthere is no scenario x',
      found: '--scenario app-down,primry-killed,x',
    });
  });
});

describe('the list', () => {
  it('tells people and programs what is run, what is not and why, without asking a host', () => {
    const some = SCENARIOS.filter(({ name }) =>
      ['app-down', 'redis-down', 'primary-killed', 'power-cut'].includes(name),
    );
    const listed = listScenarios(some, cluster(['app', 'app', 'edge', 'pg-primary']), {});
    expect(listed.map(({ scenario, run }) => `${scenario}: ${run}`)).toEqual([
      ...['app-down: yes', 'redis-down: no', 'primary-killed: yes', 'power-cut: no'],
    ]);
    expect(listed.find(({ scenario }) => scenario === 'redis-down')).toMatchObject({
      lacks: expect.stringContaining('redis') as string,
      needsOdoo: true,
    });
    const rows = listRows(listed);
    expect(rows).toHaveLength(1 + 2 * listed.length);
    const [, app, why] = rows;
    expect(app?.at(-1)).toMatch(/\(where Odoo is installed\)$/);
    expect(why?.at(-1)).toMatch(/^survives: /);
  });
});

describe('what a topology is expected to do', () => {
  it('is an outage where there is only one of something', () => {
    expect(expected('pgbouncer-down', cluster(['pg-primary', 'pgbouncer']))).toBe('outage');
    const two = cluster(['pg-primary', 'pgbouncer', 'pgbouncer']);
    expect(expected('pgbouncer-down', two)).toBe('survives');
  });

  it('depends on what commits wait for', () => {
    const one: readonly RoleName[] = ['pg-primary', 'pg-standby', 'pgbouncer'];
    expect(expected('standby-down', cluster(one))).toBe('survives');
    expect(expected('standby-down', cluster(one, 'on'))).toBe('outage');
    expect(expected('standby-down', cluster([...one, 'pg-standby'], 'on'))).toBe('survives');
  });

  it('lets a promoted standby wait for the old primary where its commits need it', () => {
    const cutOff = SCENARIOS.find(({ name }) => name === 'primary-cut-off');
    const seen = (of: Cluster): readonly (string | undefined)[] => [
      typeof cutOff?.recoversFrom === 'function' ? cutOff.recoversFrom(of) : undefined,
      /until the old primary is back/.exec(cutOff?.expects(of).why ?? '')?.[0],
    ];
    const one: readonly RoleName[] = ['pg-primary', 'pg-standby', 'pg-replica', 'pgbouncer'];
    const waits = ['heal', 'until the old primary is back'];
    expect(seen(cluster(one, 'on'))).toEqual(waits);
    expect(seen(cluster(one))).toEqual(['fault', undefined]);
    expect(seen(cluster([...one, 'pg-standby'], 'on'))).toEqual(['fault', undefined]);
    const { postgres, ...rest } = cluster(one, 'on');
    const replication = { ...postgres.replication, onStandbyLoss: 'continue' } as const;
    expect(seen({ ...rest, postgres: { ...postgres, replication } })).toEqual(['fault', undefined]);
  });

  it('is survival for Odoo where a pool has two hosts, and never for the one Redis', () => {
    const pools = [
      ['app-down', 'app'],
      ['cron-down', 'cron'],
      ['gevent-down', 'gevent'],
      ['edge-down', 'edge'],
    ] as const;
    for (const [name, role] of pools) {
      expect(expected(name, cluster([role]))).toBe('outage');
      expect(expected(name, cluster([role, role]))).toBe('survives');
      expect(expected(name, cluster([]))).toBe(`no host has the role ${role}`);
    }
    expect(expected('redis-down', cluster(['redis']))).toBe('outage');
    expect(expected('redis-down', cluster([]))).toBe('no host has the role redis');
  });

  it('lets writers of the database go on whatever happens to Odoo', () => {
    const one = cluster(['edge', 'app', 'cron', 'gevent', 'redis']);
    for (const scenario of SCENARIOS.filter(({ needsOdoo }) => needsOdoo === true)) {
      expect(scenario.expectsWrites?.(one).kind, scenario.name).toBe('survives');
    }
    // With one cron host jobs wait, not users.
    const cron = SCENARIOS.find(({ name }) => name === 'cron-down');
    expect([cron?.expects(one).kind, cron?.expectsUsers?.(one).kind]).toEqual([
      'outage',
      'survives',
    ]);
  });

  it('is nothing where the hosts are missing, and says which', () => {
    const alone = cluster(['pg-primary', 'pgbouncer']);
    expect(expected('standby-down', alone)).toBe('no host has the role pg-standby');
    expect(expected('replica-down', alone)).toBe('no host has the role pg-replica');
    expect(expected('switchover', alone)).toBe('no host has the role pg-standby');
    expect(expected('archive-unreachable', alone)).toBe('postgres.backup is not set');
  });

  it('needs backups and a host for a copy of them', () => {
    const scenario = SCENARIOS.find(({ name }) => name === 'point-in-time-recovery');
    const kept = cluster(['pg-primary', 'pg-standby', 'pgbouncer', 'app']);
    const backup = { path: '/var/lib/pgbackrest', full: 'weekly', diff: 'daily', keep: 2 };
    const s3 = {
      endpoint: 's3.example',
      port: 443,
      bucket: 'acme',
      region: 'r',
      uriStyle: 'path',
    } as const;
    const inBucket = { ...kept, postgres: { ...kept.postgres, backup: { ...backup, s3 } } };
    const onHost = { ...kept, postgres: { ...kept.postgres, backup: { ...backup, host: 'h3' } } };
    expect(scenario?.lacks(kept, {})).toBe('postgres.backup is not set');
    expect(scenario?.lacks(inBucket, {})).toContain('--on HOST');
    expect(scenario?.lacks(inBucket, { scratch: 'h3' })).toBeUndefined();
    expect(scenario?.lacks(onHost, {})).toBeUndefined();
    expect(scenario?.lacks({ ...onHost, hosts: [...onHost.hosts.slice(0, 1)] }, {})).toBe(
      'no host has the role pg-standby',
    );
  });

  it('asks for a name where something may be lost, or the whole database is copied', () => {
    expect(SCENARIOS.filter(({ onRequest }) => onRequest).map(({ name }) => name)).toEqual([
      'point-in-time-recovery',
      'primary-cut-off',
      'host-reset',
      'host-frozen',
      'cable-cut',
      'power-cut',
    ]);
  });

  it('breaks machines from outside only where somebody stands beside them', () => {
    const outside = SCENARIOS.filter(({ name }) =>
      ['host-frozen', 'cable-cut', 'power-cut'].includes(name),
    );
    const two = cluster(['pg-primary', 'pg-standby', 'pgbouncer']);
    for (const { name, lacks } of outside) {
      expect(lacks(two, {}), name).toContain('only in a lab');
      expect(lacks(two, { machines: true }), name).toBeUndefined();
    }
    const powerCut = outside.find(({ name }) => name === 'power-cut');
    expect(powerCut?.lacks(cluster(['pg-primary']), { machines: true })).toContain('pg-standby');
  });

  it('is an outage wherever the filestore is', () => {
    const one = cluster(['edge', 'app', 'cron', 'gevent', 'redis']);
    expect(expected('filestore-down', one)).toBe('outage');
  });
});
