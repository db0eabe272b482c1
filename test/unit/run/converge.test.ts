import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Host } from '../../../src/inventory/cluster.js';
import type { RoleDefinition } from '../../../src/role/role.js';
import { converge } from '../../../src/run/converge.js';
import type { RunContext } from '../../../src/run/context.js';
import { Secret } from '../../../src/shell/index.js';
import type { ForwardingSession } from '../../../src/transport/session.js';
import { testCluster, testHost } from '../../support/site.js';

const wrong: RoleDefinition = {
  ...{ name: 'app', summary: 'a role with a mistake in it', after: [] },
  on: () => true,
  install: () => {
    throw new Error('a mistake');
  },
  configure: () => [],
};

it('ends every connection when it fails, also one that is only being made then', async () => {
  const closed: string[] = [];
  const session = (host: Host): ForwardingSession => ({
    ...{ host, use: { connections: 1, execs: 0, bytesSent: 0, bytesReceived: 0 } },
    run: () => Promise.reject(new Error('nothing is to be asked')),
    forward: () => Promise.reject(new Error('nothing is to be asked')),
    close: () => {
      closed.push(host.name);
      return Promise.resolve();
    },
  });
  const hosts = ['quick', 'slow'].map((name, i) => testHost(name, i + 1, ['app']));
  const context: RunContext = {
    cluster: testCluster(hosts),
    roles: [wrong],
    kinds: {},
    connector: {
      connect: async (host) => {
        await sleep(host.name === 'slow' ? 50 : 0);
        return session(host);
      },
      close: () => Promise.resolve(),
    },
    ...{ templates: new Map(), given: new Map(), state: { facts: {} }, secretsAreNew: false },
    secret: (name) => new Secret(name),
    saveSecrets: () => Promise.resolve(),
    saveState: () => undefined,
    runner: { who: 'ann@laptop', version: '1.2.3', started: '2026-01-02T03:04:05Z' },
    emit: () => undefined,
    options: {
      ...{ check: true, diff: false, prune: false, restartPrimary: false, concurrency: 10 },
      ...{ hosts, connect: {}, stop: new AbortController().signal },
    },
  };
  await expect(converge(context)).rejects.toThrow('cannot work out what quick should have');
  expect(closed.sort()).toEqual(['quick', 'slow']);
});
