import { describe, expect, it } from 'vitest';
import { archivedSince } from '../../playbooks/primary/archive-away.js';
import type { Mover } from '../../playbooks/primary/steps.js';
import { Failure } from '../../src/failure/failure.js';
import type { Answer, Session } from '../../src/transport/session.js';
import { testCluster, testHost } from '../support/site.js';

const hosts = [
  testHost('db1', 1, ['pg-primary']),
  testHost('db2', 2, ['pg-standby']),
  testHost('pool1', 3, ['pgbouncer']),
];

/** Whether db2 is taken for archived where it answers so, and what is told then. */
async function seen(answer: () => Promise<Answer>) {
  const told: string[] = [];
  const cluster = testCluster(hosts);
  const backup = { host: 'pool1', full: 'Sun 02:00', keep: 2, path: '/var/lib/pgbackrest' };
  const mover: Mover = {
    cluster: { ...cluster, postgres: { ...cluster.postgres, backup } },
    sessions: new Map([['db2', { host: hosts[1], run: answer } as unknown as Session]]),
    tell: (host, text) => void told.push(`${host}: ${text}`),
  };
  return { archived: await archivedSince(mover, 'db2'), told };
}

function printing(stdout: string): () => Promise<Answer> {
  return () => Promise.resolve({ code: 0, stdout, stderr: '' });
}

describe('WAL that waited for an archive, at the end of a move', () => {
  it('is archived where nothing waits by then', async () => {
    expect(await seen(printing(''))).toEqual({
      archived: true,
      told: ['db2: the archive answers by now, and has all its WAL'],
    });
  });

  it('waits where the archive does not answer, or takes nothing', async () => {
    const waiting = '3 1700000000 000000020000000000000005\nnone is counted\n';
    for (const said of ['no answer\n', waiting]) {
      expect(await seen(printing(said))).toEqual({ archived: false, told: [] });
    }
  });

  it('is not waited for any more after Ctrl-C', async () => {
    const interrupted = new Failure({ reason: 'interrupted', message: 'interrupted', remedy: '' });
    await expect(seen(() => Promise.reject(interrupted))).rejects.toMatchObject({
      reason: 'interrupted',
    });
  });

  it('waits where nobody could see that, which is told', async () => {
    const gone = (): Promise<Answer> =>
      Promise.reject(
        new Failure({ reason: 'unreachable', host: 'db2', message: 'gone', remedy: 'look' }),
      );
    expect(await seen(gone)).toEqual({
      archived: false,
      told: ['db2: could not: see whether the archive answers by now'],
    });
  });
});
