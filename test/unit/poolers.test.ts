import { describe, expect, it } from 'vitest';
import { cutOff, letThrough, pointTo, silentIn } from '../../playbooks/primary/poolers.js';
import { Failure } from '../../src/failure/failure.js';
import type { Answer, RunOptions, Session } from '../../src/transport/session.js';
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

describe('a PgBouncer that falls silent in a move', () => {
  it("holds up nobody else's clients, and is not waited for as long a second time", async () => {
    const limits: (number | undefined)[] = [];
    let giveUp = (): void => undefined;
    const given = new Promise<void>((resolve) => (giveUp = resolve));
    const sessions = hosts.map((host): [string, Session] => {
      const run = async (_script: unknown, options?: RunOptions): Promise<Answer> => {
        if (host.name !== 'pool2') return { code: 0, stdout: '', stderr: '' };
        limits.push(options?.limit);
        await given;
        const message = 'the command did not end';
        throw new Failure({ reason: 'timeout', host: 'pool2', message, remedy: 'look' });
      };
      return [host.name, { host, run } as unknown as Session];
    });
    const told: string[] = [];
    const tell = (host: string, text: string): void => {
      told.push(`${host}: ${text}`);
      if (text.includes('lets clients through')) giveUp();
    };
    const mover = { cluster, sessions: new Map(sessions), tell };
    const through = letThrough(mover, cluster, pointTo(mover, cluster));
    await expect(through).rejects.toThrow('could not let clients through');
    const address = hosts[0]?.address ?? '';
    expect(told).toEqual([
      `pool1: PgBouncer lets clients through, to ${address}`,
      `pool2: could not: point PgBouncer to ${address}`,
      `pool2: could not: let clients through to ${address}`,
    ]);
    expect(limits).toEqual([30, 5]);
  });

  it('is known by what a move broke off of', () => {
    const failure = (reason: 'timeout' | 'command-failed'): Failure =>
      new Failure({ reason, host: 'pool2', message: 'the command did not end', remedy: 'look' });
    expect([...silentIn(failure('timeout')).keys()]).toEqual(['pool2']);
    expect(silentIn(failure('command-failed')).size).toBe(0);
  });
});
