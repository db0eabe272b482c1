import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepRecoveryCopy } from '../../playbooks/recovery-copy.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import {
  createRecoveryKey,
  fingerprintOf,
  openSealed,
  openSecrets,
  RECOVERY_RECIPIENT,
  sealSecrets,
  type SecretStore,
} from '../../src/secrets/index.js';
import { Secret, type Script } from '../../src/shell/index.js';
import type { Session } from '../../src/transport/index.js';
import { testCluster, testHost } from '../support/site.js';

const keeper = testHost('backup1', 61, []);
const secrets = new Map([
  ['redis-password', new Secret('one')],
  ['odoo-db-password', new Secret('two')],
]);

describe('a copy of the secrets', () => {
  it('is opened by the recovery key and by no other', async () => {
    const [key, other] = [await createRecoveryKey(), await createRecoveryKey()];
    const text = await sealSecrets(secrets, key.recipient);
    expect(text).not.toContain('two');
    const opened = await openSealed(text, key.identity, 'here');
    expect(opened.get('odoo-db-password')?.reveal()).toBe('two');
    await expect(openSealed(text, other.identity, 'here')).rejects.toThrow(
      'this recovery key does not open here',
    );
  });

  it('has a fingerprint that changes with any name and value', () => {
    const print = fingerprintOf(secrets);
    expect(fingerprintOf(new Map([...secrets].reverse()))).toBe(print);
    expect(fingerprintOf(new Map([...secrets, ['a', new Secret('')]]))).not.toBe(print);
    expect(fingerprintOf(new Map([...secrets, ['redis-password', new Secret('1')]]))).not.toBe(
      print,
    );
  });
});

describe('keeping it beside the backups', () => {
  let folder: string;
  let cluster: Cluster;
  let store: SecretStore;
  let written: Script[];
  let shown: Secret[];
  const sessions = (code = 0): ReadonlyMap<string, Session> =>
    new Map([
      [
        'backup1',
        {
          host: keeper,
          run: (script: Script) => {
            written.push(script);
            return Promise.resolve({ code, stdout: '', stderr: 'no space' });
          },
          close: () => Promise.resolve(),
        } as unknown as Session,
      ],
    ]);
  const keep = (changed: boolean, show = true): Promise<void> =>
    keepRecoveryCopy(cluster, store, sessions(), {
      changed,
      showKey: show ? (key) => shown.push(key) : undefined,
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'odoo-prov-recovery-'));
    const plain = testCluster([testHost('db1', 31, ['pg-primary']), keeper]);
    const backup = { host: 'backup1', full: 'weekly', keep: 2, path: '/srv/backups' };
    cluster = {
      ...plain,
      file: join(folder, 'acme.yaml'),
      postgres: { ...plain.postgres, backup },
    };
    store = await openSecrets(cluster.file, { keyFile: join(folder, 'age.key') });
    store.get('redis-password');
    await store.save();
    written = [];
    shown = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes a key once, shows it, and keeps it nowhere', async () => {
    await keep(true);
    await keep(false);
    expect(shown.length).toBe(1);
    expect(written.length).toBe(1);
    const key = shown[0]?.reveal() ?? '';
    expect(key).toMatch(/^AGE-SECRET-KEY-1/);
    for (const name of ['acme.secrets.age', 'acme.state.json', 'age.key']) {
      expect(await readFile(join(folder, name), 'utf8')).not.toContain(key);
    }
    expect(written[0]?.hasSecrets).toBe(true);
    expect(written[0]?.render()).not.toContain(key);
    const text = /printf %s (\S+) \|/.exec(written[0]?.render() ?? '')?.[1] ?? '';
    const copy = Buffer.from(text, 'base64').toString();
    const opened = await openSealed(copy, new Secret(key), 'here');
    expect([...opened.keys()].sort()).toEqual([RECOVERY_RECIPIENT, 'redis-password']);
  });

  it('makes none where nobody sees it', async () => {
    await keep(true, false);
    expect(written).toEqual([]);
    expect(store.names()).toEqual(['redis-password']);
  });

  it('is written anew after a change on the hosts, and for new secrets', async () => {
    await keep(true);
    await keep(true);
    expect(written.length).toBe(2);
    store.get('odoo-db-password');
    await keep(false);
    expect(written.length).toBe(3);
    await keep(false);
    expect(written.length).toBe(3);
  });

  it('goes into a bucket through any database host', async () => {
    const s3 = {
      endpoint: 's3.example.net',
      port: 443,
      bucket: 'acme',
      region: 'x',
      uriStyle: 'path',
    } as const;
    const backup = { s3, full: 'weekly', keep: 2, path: '/acme' };
    const other = { ...cluster, postgres: { ...cluster.postgres, backup } };
    const db1 = new Map([...sessions()].map(([, session]) => ['db1', session]));
    const keepThere = (): Promise<void> =>
      keepRecoveryCopy(other, store, db1, {
        changed: false,
        showKey: (key) => shown.push(key),
      });
    await keepThere();
    await keepThere();
    expect(written.map((script) => script.hasSecrets)).toEqual([true]);
    expect(written[0]?.render()).toContain('backrest repo-put --raw odoo-prov-recovery.age');
    expect(shown).toHaveLength(1);
  });

  it('shows no key for a copy that could not be written', async () => {
    const failing = keepRecoveryCopy(cluster, store, sessions(1), {
      changed: true,
      showKey: (key) => shown.push(key),
    });
    await expect(failing).rejects.toThrow('could not be put beside the backups on backup1');
    expect(shown).toEqual([]);
    expect(store.find(RECOVERY_RECIPIENT)).toBeUndefined();
  });
});
