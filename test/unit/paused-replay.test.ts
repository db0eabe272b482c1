import { expect, it } from 'vitest';
import { chooseReplaying, pausedText } from '../../playbooks/primary/paused-replay.js';
import { chooseCandidate, type Sight } from '../../src/postgres/promotion.js';
import { testCluster, testHost } from '../support/site.js';

const cluster = testCluster([
  testHost('db1', 1, ['pg-primary']),
  testHost('db2', 2, ['pg-standby']),
  testHost('db3', 3, ['pg-standby']),
  testHost('db4', 4, ['pg-replica']),
]);

function standby(host: string, lsn: number, replayPaused = false): Sight {
  return {
    ...{ host, lsn: BigInt(lsn), replayPaused, timeline: 1, dataTimeline: 1, received: 1 },
    ...{ running: true, stuck: false, writable: false, standby: true, fenced: false },
    ...{ pastFork: false, handedOver: false, compared: false, backingUp: false, newest: undefined },
    ...{ hotStandby: {}, hotStandbyAtStart: {}, systemIdentifier: '7' },
  };
}

function chosen(sights: readonly Sight[], to?: string): string {
  return chooseReplaying(cluster, (host) => chooseCandidate(cluster, sights, host), to).candidate
    .host;
}

it('a switchover takes a standby that replays, whoever has received a little more', () => {
  expect(chosen([standby('db2', 200, true), standby('db3', 100)])).toBe('db3');
});

it('and one that is paused where it is named, or only a replica replays', () => {
  expect(chosen([standby('db2', 200, true), standby('db3', 100)], 'db2')).toBe('db2');
  expect(chosen([standby('db2', 200, true), standby('db4', 100)])).toBe('db2');
});

it('tells what becomes of a pause', () => {
  expect(pausedText(standby('db2', 1, true), [standby('db3', 1, true), standby('db4', 1)])).toEqual(
    [
      'somebody has paused the replay of db2: the promotion ends that, and it replays all that it received',
      'somebody has paused the replay of db3: it does not go over to db2 until that ends, and is not waited for (there, as postgres: select pg_wal_replay_resume())',
    ],
  );
});
