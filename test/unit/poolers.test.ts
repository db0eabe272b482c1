import { describe, expect, it } from 'vitest';
import { cutOff, letThrough } from '../../playbooks/primary/poolers.js';
import type { Answer, Session } from '../../src/transport/session.js';
import { testCluster, testHost } from '../support/site.js';

const hosts = [
  testHost('db1', 1, ['pg-primary']),
  testHost('pool1', 2, ['pgbouncer']),
  testHost('pool2', 3, ['pgbouncer']),
];
const cluster = testCluster(hosts);

describe('a PgBouncer that apply has not made yet', () => {
  it('is passed over by a move, and told as such', async () => {
    const said: Readonly<Record<string, string>> = { pool2: 'unmade\n' };
    const sessions = hosts.map((host): [string, Session] => {
      const run = (): Promise<Answer> =>
        Promise.resolve({ code: 0, stdout: said[host.name] ?? '', stderr: '' });
      return [host.name, { host, run } as unknown as Session];
    });
    const told: string[] = [];
    const tell = (host: string, text: string): void => void told.push(`${host}: ${text}`);
    const mover = { cluster, sessions: new Map(sessions), tell };
    await cutOff(mover);
    await letThrough(mover, cluster);
    expect(told).toEqual([
      'pool1: PgBouncer holds all clients back',
      'pool2: is no PgBouncer yet: the apply that ends this makes it one',
      `pool1: PgBouncer lets clients through, to ${hosts[0]?.address ?? ''}`,
    ]);
  });
});
