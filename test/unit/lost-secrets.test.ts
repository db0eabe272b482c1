import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bringSecretsBack, inBucket } from '../../playbooks/lost-secrets.js';
import { holdsNoSecrets, takeCopy } from '../../src/cli/given-secrets.js';
import { Failure } from '../../src/failure/failure.js';
import { createRecoveryKey, openSecrets, sealSecrets } from '../../src/secrets/index.js';
import { Secret, type Script } from '../../src/shell/index.js';
import { testCluster, testHost } from '../support/site.js';

const hosts = [testHost('db1', 31, ['pg-primary']), testHost('backup1', 61, [])];
const plain = testCluster(hosts);
const s3 = {
  ...{ endpoint: 's3.example.net', port: 443, bucket: 'acme', region: 'x' },
  uriStyle: 'path',
} as const;
const kept = { full: 'weekly', keep: 2, path: '/acme' };
const inStore = { ...plain, postgres: { ...plain.postgres, backup: { ...kept, s3 } } };
const onHost = { ...plain, postgres: { ...plain.postgres, backup: { ...kept, host: 'backup1' } } };

/** What is done on hosts, in order; `answer` is what the copy's file gives. */
function recorder(answer: () => Promise<string>) {
  const done: string[] = [];
  const scripts: Script[] = [];
  return {
    done,
    scripts,
    procedure: {
      lock: ([host]: readonly { name: string }[]) => {
        done.push(`lock ${host?.name ?? ''}`);
        return Promise.resolve();
      },
      unlock: () => {
        done.push('unlock');
        return Promise.resolve();
      },
      step: (host: { name: string }, what: string, script: Script) => {
        done.push(`${host.name}: ${what}`);
        scripts.push(script);
        return Promise.resolve('');
      },
      ask: (host: { name: string }, script: Script) => {
        done.push(`ask ${host.name}`);
        scripts.push(script);
        return answer();
      },
    },
  };
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw new Error('it did not fail as it should');
  return error;
}

describe('secrets that are lost', () => {
  const copy = new Map([
    ['redis-password', new Secret('one')],
    ['s3-key', new Secret('the old key')],
  ]);
  let got: ReadonlyMap<string, Secret> | undefined;
  const lost = (key: Secret) => ({
    key,
    given: (name: string) => new Secret(`given ${name}`),
    keep: (secrets: ReadonlyMap<string, Secret>) => {
      got = secrets;
      return Promise.resolve();
    },
  });
  beforeEach(() => {
    got = undefined;
  });

  it('come from a bucket through the future primary, which is given what reads it', async () => {
    const { identity, recipient } = await createRecoveryKey();
    const { done, scripts, procedure } = recorder(() => sealSecrets(copy, recipient));
    await bringSecretsBack(procedure, inStore, lost(identity));
    expect(done).toEqual([
      'lock db1',
      'db1: installing what reads the bucket',
      'unlock',
      'ask db1',
    ]);
    expect(scripts[0]?.render()).toContain('pgbackrest ca-certificates');
    expect(got?.get('redis-password')?.reveal()).toBe('one');
  });

  it('come from the host of the backups without anything more', async () => {
    const { identity, recipient } = await createRecoveryKey();
    const { done, procedure } = recorder(() => sealSecrets(copy, recipient));
    await bringSecretsBack(procedure, onHost, lost(identity));
    expect(done).toEqual(['ask backup1']);
    expect([...(got ?? [])]).toHaveLength(2);
  });

  it('are not kept with a wrong key, or where there is no copy', async () => {
    const [{ recipient }, other] = [await createRecoveryKey(), await createRecoveryKey()];
    const { procedure } = recorder(() => sealSecrets(copy, recipient));
    const wrong = await failureOf(bringSecretsBack(procedure, inStore, lost(other.identity)));
    expect(wrong.message).toBe(
      'this recovery key does not open odoo-prov-recovery.age in the bucket acme at s3.example.net, in /acme',
    );
    const nothing = recorder(() => Promise.resolve('\n'));
    const none = await failureOf(
      bringSecretsBack(nothing.procedure, inStore, lost(other.identity)),
    );
    expect(none.message).toBe('there is no copy of the secrets beside the backups');
    expect(none.details.remedy).toContain('postgres.backup in the inventory (bucket, path)');
    expect(got).toBeUndefined();
  });

  it('leave hosts unlocked where nothing could be installed', async () => {
    const { done, procedure } = recorder(() => Promise.resolve(''));
    const failing = { ...procedure, step: () => Promise.reject(new Error('no space')) };
    await expect(bringSecretsBack(failing, inStore, lost(new Secret('x')))).rejects.toThrow();
    expect(done).toEqual(['lock db1', 'unlock']);
  });
});

describe('what a bucket refuses to bare hosts', () => {
  const failing = (reason: 'command-failed' | 'unreachable') => () =>
    Promise.reject(
      new Failure({ reason, message: 'no', found: 'HTTP 403', remedy: 'odoo-prov apply FILE' }),
    );

  it('is not to be mended by an apply, which would make an empty database', async () => {
    const failure = await failureOf(inBucket(failing('command-failed')));
    expect(failure.details).toMatchObject({ message: 'no', found: 'HTTP 403' });
    expect(failure.details.remedy).not.toContain('apply');
    expect(failure.details.remedy).toContain('then run the same command again');
  });

  it('is not a host that cannot be reached', async () => {
    const failure = await failureOf(inBucket(failing('unreachable')));
    expect(failure.details.remedy).toBe('odoo-prov apply FILE');
  });
});

describe('a copy of the secrets beside what the operator has set', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'odoo-prov-lost-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('gives what is lost, and not the key of a bucket that may be another one since', async () => {
    const open = () => openSecrets(join(folder, 'acme.yaml'), { keyFile: join(folder, 'age.key') });
    const store = await open();
    store.set('s3-key', new Secret('the new key'));
    await store.save();
    expect(holdsNoSecrets(await open())).toBe(true);
    takeCopy(
      store,
      new Map([
        ['s3-key', new Secret('the old key')],
        ['s3-secret', new Secret('its secret')],
        ['redis-password', new Secret('one')],
      ]),
    );
    await store.save();
    const again = await open();
    expect(again.names().map((name) => [name, again.get(name).reveal()])).toEqual([
      ['redis-password', 'one'],
      ['s3-key', 'the new key'],
      ['s3-secret', 'its secret'],
    ]);
    expect(holdsNoSecrets(again)).toBe(false);
  });
});
