import { describe, expect, it } from 'vitest';
import { leadFollowers } from '../../playbooks/primary/followers.js';
import type { Script } from '../../src/shell/index.js';
import type { Answer, Session } from '../../src/transport/session.js';
import { testCluster, testHost } from '../support/site.js';

const hosts = [
  testHost('db1', 1, ['pg-primary']),
  testHost('db2', 2, ['pg-standby']),
  testHost('db3', 3, ['pg-standby']),
];

/** What each host was asked to do, and what was told, where db1 is primary and its role of replication is so. */
async function led(closed: string) {
  const asked: string[] = [];
  const told: string[] = [];
  const sessions = hosts.map((host): [string, Session] => {
    const run = (script: Script): Promise<Answer> => {
      const text = script.render();
      const what = text.includes('rolvaliduntil')
        ? 'asked for the role'
        : text.includes('systemctl start')
          ? 'started'
          : text.includes('pg_stat_wal_receiver where status')
            ? 'waited for'
            : 'reconnected';
      asked.push(`${host.name} ${what}`);
      return Promise.resolve({ code: 0, stdout: host.name === 'db1' ? closed : '', stderr: '' });
    };
    return [host.name, { host, run } as unknown as Session];
  });
  const mover = {
    cluster: testCluster(hosts),
    sessions: new Map(sessions),
    tell: (host: string, text: string) => void told.push(`${host}: ${text}`),
  };
  await leadFollowers(mover, 'db1', { running: ['db2'], stopped: ['db3'] });
  return { asked: asked.sort(), told: told.sort() };
}

describe('those that follow a new primary', () => {
  it('are waited for, and told', async () => {
    expect(await led('')).toEqual({
      asked: [
        'db1 asked for the role',
        'db2 reconnected',
        'db2 waited for',
        'db3 started',
        'db3 waited for',
      ],
      told: ['db2: follows the new primary', 'db3: follows the new primary'],
    });
  });

  it('are not waited for where their role lets nobody in: only an apply opens it', async () => {
    expect(await led('NOLOGIN\n')).toEqual({
      asked: ['db1 asked for the role', 'db2 reconnected', 'db3 started'],
      told: [
        'db1: the role replicator lets nobody in (NOLOGIN): db2, db3 can only follow once the apply that ends this has opened it',
      ],
    });
  });

  it('are none where nobody is left: then nothing is asked', async () => {
    const mover = { cluster: testCluster(hosts), sessions: new Map(), tell: () => undefined };
    await expect(leadFollowers(mover, 'db1', { running: [] })).resolves.toBeUndefined();
  });
});
