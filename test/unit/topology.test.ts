import { describe, expect, it } from 'vitest';
import type { FoundDatabase } from '../../src/facts/database-facts.js';
import { observedCluster, topologyOf } from '../../src/facts/topology.js';
import { testCluster, testHost } from '../support/site.js';

const cluster = testCluster([
  testHost('db1', 1, ['pg-primary', 'redis']),
  testHost('db2', 2, ['pg-standby']),
  testHost('db3', 3, ['pg-replica', 'cron']),
]);

function data(timeline: number, standby: boolean, directory = '/var/lib/postgresql/17/main') {
  return { directory, systemIdentifier: '7', timeline, standby, state: 'in production' };
}

function topology(seen: Readonly<Record<string, readonly FoundDatabase[]>>, primary?: string) {
  const remembered = primary === undefined ? undefined : { primary, systemIdentifier: '7' };
  return topologyOf(cluster, ({ name }) => seen[name], remembered);
}

describe('who is primary', () => {
  it('is whom the inventory says while there is no data', () => {
    expect(topology({ db1: [], db2: [], db3: [] })).toMatchObject({ primary: 'db1', rivals: [] });
  });

  it('is who holds data that is no standby’s, whatever the inventory says', () => {
    const seen = { db1: [data(2, true)], db2: [data(2, false)], db3: [data(2, true)] };
    expect(topology(seen, 'db1')).toMatchObject({ primary: 'db2', systemIdentifier: '7' });
  });

  it('is who has the newest timeline, and the other was primary before', () => {
    const seen = { db1: [data(1, false)], db2: [data(2, false)] };
    expect(topology(seen)).toMatchObject({
      primary: 'db2',
      formerPrimaries: ['db1'],
      rivals: [],
    });
  });

  it('cannot be told of two on the same timeline', () => {
    const seen = { db1: [data(1, false)], db2: [data(1, false)] };
    expect(topology(seen).rivals).toHaveLength(1);
  });

  it('is who was it when it was last seen, while only standbys answer', () => {
    expect(topology({ db1: [data(2, true)] }, 'db2').primary).toBe('db2');
    expect(topology({ db1: [data(2, true)] }, 'gone').primary).toBe('db1');
  });

  it('is nobody when all answer, and hold standbys’ data only', () => {
    const [standby, none] = [[data(2, true)], [] as FoundDatabase[]];
    expect(topology({ db1: standby, db2: standby, db3: none })).toMatchObject({
      withoutPrimary: true,
    });
    expect(topology({ db1: standby, db2: standby }).withoutPrimary).toBe(false);
    expect(topology({ db1: none, db2: none, db3: none }).withoutPrimary).toBe(false);
  });

  it('is not who holds data that a standby is beyond: it is among those who do not answer', () => {
    const [old, beyond] = [[data(8, false)], [data(9, true)]];
    for (const remembered of ['db1', 'db2', undefined]) {
      expect(topology({ db2: old, db3: beyond }, remembered)).toMatchObject({
        primary: 'db1',
        primarySeen: false,
        formerPrimaries: ['db2'],
        rivals: [],
        withoutPrimary: false,
      });
    }
    // Nobody is left, or nobody can tell which of them.
    expect(topology({ db1: beyond, db2: old, db3: beyond }, 'db2').withoutPrimary).toBe(true);
    const four = testCluster([...cluster.hosts, testHost('db4', 4, ['pg-standby'])]);
    const seen: Readonly<Record<string, readonly FoundDatabase[]>> = { db1: old, db2: beyond };
    const unclear = topologyOf(four, ({ name }) => seen[name], { primary: 'db1' });
    expect(unclear).toMatchObject({ withoutPrimary: true });
    const told = topologyOf(four, ({ name }) => seen[name], { primary: 'db4' });
    expect(told).toMatchObject({ withoutPrimary: false, primary: 'db4' });
  });

  it('is not a copy that was kept or restored beside the data', () => {
    const kept = data(9, false, '/var/lib/postgresql/17/main.before-rejoin-1');
    expect(topology({ db1: [data(1, false)], db2: [kept, data(1, true)] }).primary).toBe('db1');
  });
});

describe('the cluster as it is', () => {
  const rolesAfter = (primary: string) =>
    observedCluster(cluster, { primary }).hosts.map((h) => h.roles);

  it('is the inventory’s while the primary is where it says', () => {
    expect(observedCluster(cluster, topology({}))).toBe(cluster);
  });

  it('has the roles of the two exchanged after a promotion, and no other', () => {
    expect(rolesAfter('db2')).toEqual([
      ['pg-standby', 'redis'],
      ['pg-primary'],
      ['pg-replica', 'cron'],
    ]);
    expect(rolesAfter('db3')).toEqual([
      ['pg-replica', 'redis'],
      ['pg-standby'],
      ['pg-primary', 'cron'],
    ]);
  });
});
