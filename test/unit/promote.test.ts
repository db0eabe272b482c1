import { describe, expect, it, vi } from 'vitest';
import { awaitStreaming } from '../../playbooks/primary/await-streaming.js';
import { promote, type Mover } from '../../playbooks/primary/steps.js';
import { Failure } from '../../src/failure/failure.js';
import type { Script } from '../../src/shell/index.js';
import type { Answer, Session } from '../../src/transport/session.js';
import { testCluster, testHost } from '../support/site.js';

const hosts = [
  testHost('db1', 1, ['pg-primary']),
  testHost('db-2', 2, ['pg-standby']),
  testHost('db3', 3, ['pg-replica']),
  testHost('pool1', 4, ['pgbouncer']),
];

/** db-2 answers so to every script. */
function moverOf(answer: Partial<Answer>) {
  const scripts: string[] = [];
  const told: string[] = [];
  const run = (script: Script): Promise<Answer> => {
    scripts.push(script.render());
    return Promise.resolve({ code: 0, stdout: '', stderr: '', ...answer });
  };
  const mover: Mover = {
    cluster: testCluster(hosts),
    sessions: new Map([['db-2', { host: hosts[1], run } as unknown as Session]]),
    tell: (host, text) => void told.push(`${host}: ${text}`),
  };
  return { mover, scripts, told };
}

describe('a standby that is promoted', () => {
  it('gets the slots of all other database hosts first, and says which it lacked', async () => {
    const stdout = '\n(db1,)\n\ntimeline 2\n';
    const { mover, scripts, told } = moverOf({ stdout });
    await promote(mover, 'db-2');
    const [before = '', after] = (scripts[0] ?? '').split('select pg_promote(false)');
    expect(after).toBeDefined();
    const made = [...before.matchAll(/pg_create_physical_replication_slot\('(\w+)'\)/g)];
    expect(made.map(([, slot]) => slot)).toEqual(['db1', 'db3']);
    expect(told).toEqual([
      'db-2: made replication slots that it lacked: db1',
      'db-2: takes writes, on timeline 2',
    ]);
  });

  it('is promoted also where a slot cannot be made, and that is told', async () => {
    const { mover, told } = moverOf({
      stdout: 'psql:<stdin>:3: ERROR:  all replication slots are in use\ntimeline 2\n',
    });
    await promote(mover, 'db-2');
    expect(told).toEqual([
      'db-2: a replication slot could not be made: all replication slots are in use',
      'db-2: takes writes, on timeline 2',
    ]);
  });
});

describe('a promotion that fails', () => {
  it('says that clients are held back, and names no apply, which finds nobody who takes writes', async () => {
    const { mover, told } = moverOf({ code: 3, stdout: 'it was not promoted within 60 s' });
    await expect(promote(mover, 'db-2')).rejects.toMatchObject({
      details: {
        host: 'db-2',
        remedy:
          'run the same command again: it goes on from what it finds. Clients are held back until it has come to its end',
      },
    });
    expect(told).toEqual(['db-2: could not: promote it']);
  });
});

describe('a promotion that takes long', () => {
  it('is told every 10 s', async () => {
    vi.useFakeTimers();
    try {
      const { mover, told } = moverOf({});
      const slow = {
        run: () =>
          new Promise((end) =>
            setTimeout(end, 25_000, { code: 0, stdout: 'timeline 2', stderr: '' }),
          ),
      };
      const sessions = new Map([['db-2', slow as unknown as Session]]);
      const promoted = promote({ ...mover, sessions }, 'db-2');
      await vi.advanceTimersByTimeAsync(60_000);
      await promoted;
      expect(told).toEqual([
        'db-2: not done yet, after 10 s: promote it',
        'db-2: not done yet, after 20 s: promote it',
        'db-2: takes writes, on timeline 2',
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a standby that does not follow', () => {
  it('is not said to follow, and what makes missing slots is named', async () => {
    const { mover, told } = moverOf({ code: 1, stderr: 'it does not receive WAL' });
    const failure = await awaitStreaming(mover, ['db-2']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    const { remedy } = (failure as Failure).details;
    expect(remedy).toContain('makes replication slots');
    expect(remedy).toContain('odoo-prov rejoin FILE --host db-2');
    expect(told).toEqual(['db-2: could not: follow the new primary']);
  });

  it('is not said to follow while its replay is paused: by whom is told', async () => {
    const less = moverOf({
      stdout: 'less max_connections 220 instead of 260\nmax_wal_senders 4 instead of 6\n',
    });
    await awaitStreaming(less.mover, ['db-2']);
    expect(less.told).toEqual([
      'db-2: receives from the new primary and does not replay: max_connections 220 instead of 260, max_wal_senders 4 instead of 6. apply restarts it with as much',
    ]);
    const paused = moverOf({ stdout: 'paused\n' });
    await awaitStreaming(paused.mover, ['db-2']);
    expect(paused.told).toEqual([
      'db-2: receives from the new primary; somebody has paused its replay: select pg_wal_replay_resume() ends that',
    ]);
  });

  it('is told of every 10 s while it is waited for, and each minute later', async () => {
    vi.useFakeTimers();
    try {
      const { mover, told } = moverOf({});
      const session = mover.sessions.get('db-2');
      if (session === undefined) throw new Error('db-2 is not connected');
      const slow = async (): Promise<Answer> => {
        await new Promise((resolve) => setTimeout(resolve, 250_000));
        return { code: 0, stdout: '', stderr: '' };
      };
      const sessions = new Map([['db-2', { ...session, run: slow }]]);
      const waiting = awaitStreaming({ ...mover, sessions }, ['db-2']);
      await vi.advanceTimersByTimeAsync(250_000);
      await waiting;
      const seconds = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 180, 240];
      expect(told).toEqual([
        ...seconds.map((s) => `db-2: not done yet, after ${String(s)} s: follow the new primary`),
        'db-2: follows the new primary',
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
});
