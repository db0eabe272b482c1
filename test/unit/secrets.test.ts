import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatFailure, Failure } from '../../src/failure/failure.js';
import { openSecrets, redact } from '../../src/secrets/index.js';
import { Secret } from '../../src/shell/index.js';

let folder: string;
let inventory: string;
let keyFile: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odoo-prov-secrets-'));
  inventory = join(folder, 'acme.yaml');
  keyFile = join(folder, 'config', 'age.key');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The text a user would see, with this test's folder named `…`. */
async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Failure) return formatFailure(error).replaceAll(folder, '…');
    throw error;
  }
  throw new Error('nothing failed');
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o7777).toString(8);
}

describe('the store', () => {
  it('makes a value at first use and gives the same one after saving and opening again', async () => {
    const first = await openSecrets(inventory, { keyFile });
    const password = first.get('redis-password');
    expect(first.get('redis-password')).toBe(password);
    expect(password.reveal()).toMatch(/^[A-Za-z0-9]{32}$/);
    await first.save();

    const second = await openSecrets(inventory, { keyFile });
    expect(second.names()).toEqual(['redis-password']);
    expect(second.get('redis-password').reveal()).toBe(password.reveal());
    expect(second.find('odoo-admin-password')).toBeUndefined();
  });

  it('keeps both files private, encrypted and without left-over files', async () => {
    const store = await openSecrets(inventory, { keyFile });
    const password = store.get('redis-password').reveal();
    await store.save();

    expect(await modeOf(store.file)).toBe('600');
    expect(await modeOf(keyFile)).toBe('600');
    expect(await modeOf(join(folder, 'config'))).toBe('700');
    const text = await readFile(store.file, 'utf8');
    expect(text).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    expect(text).not.toContain(password);
    expect((await readdir(folder)).sort()).toEqual(['acme.secrets.age', 'config']);
    expect(await readdir(join(folder, 'config'))).toEqual(['age.key']);
  });

  it('writes nothing in a dry run', async () => {
    const store = await openSecrets(inventory, { keyFile, dryRun: true });
    store.get('redis-password');
    await store.save();
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not rewrite the file when nothing is new', async () => {
    const first = await openSecrets(inventory, { keyFile });
    first.get('redis-password');
    await first.save();
    const text = await readFile(first.file, 'utf8');
    const second = await openSecrets(inventory, { keyFile });
    second.get('redis-password');
    await second.save();
    expect(await readFile(first.file, 'utf8')).toBe(text);
  });
});

describe('two runs at once', () => {
  it('keep each other’s values', async () => {
    const stores = await Promise.all(
      Array.from({ length: 8 }, () => openSecrets(inventory, { keyFile })),
    );
    const values = stores.map((store, i) => store.get(`secret-${String(i)}`).reveal());
    await Promise.all(stores.map((store) => store.save()));

    const after = await openSecrets(inventory, { keyFile });
    expect(values.map((_, i) => after.find(`secret-${String(i)}`)?.reveal())).toEqual(values);
    expect(await readdir(join(folder, 'config'))).toEqual(['age.key']);
  });

  it('never both go on with different values of one name', async () => {
    const [one, two] = [
      await openSecrets(inventory, { keyFile }),
      await openSecrets(inventory, { keyFile }),
    ];
    const kept = one.get('redis-password').reveal();
    two.get('redis-password');
    await one.save();
    expect(await failureOf(two.save())).toBe(
      [
        'another odoo-prov made the secret redis-password at the same time',
        '  found     …/acme.secrets.age has a value of it now; nothing was sent to a host by this run',
        '  next      run the same command again: it will use that value',
      ].join('\n'),
    );
    expect((await openSecrets(inventory, { keyFile })).get('redis-password').reveal()).toBe(kept);
  });

  it('are not held up by the lock of a process that died', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['-p', 'process.pid']);
    const { hostname } = await import('node:os');
    const lock = join(folder, 'acme.secrets.age.lock');
    await writeFile(lock, `${stdout.trim()} ${hostname()}\n`);
    const store = await openSecrets(inventory, { keyFile });
    store.get('a');
    await store.save();
    expect((await readdir(folder)).sort()).toEqual(['acme.secrets.age', 'config']);
  });
});

describe('what cannot be opened is named', () => {
  async function saved(): Promise<string> {
    const store = await openSecrets(inventory, { keyFile });
    store.get('redis-password');
    await store.save();
    return store.file;
  }

  it('a key file that others can read', async () => {
    await saved();
    await chmod(keyFile, 0o640);
    expect(await failureOf(openSecrets(inventory, { keyFile }))).toBe(
      [
        'other users of this machine can read the key file …/config/age.key',
        '  expected  mode 0600',
        '  found     mode 0640',
        '  next      run: chmod 600 …/config/age.key',
      ].join('\n'),
    );
  });

  it('a missing key file: none is made that could not open the secrets', async () => {
    await saved();
    await rm(keyFile);
    expect(await failureOf(openSecrets(inventory, { keyFile }))).toBe(
      [
        'the key to …/acme.secrets.age is missing',
        '  expected  a key file at …/config/age.key',
        '  next      copy it there from where these secrets were made, or name it in ODOO_PROV_KEY_FILE',
      ].join('\n'),
    );
    expect(await readdir(join(folder, 'config'))).toEqual([]);
  });

  it('another key', async () => {
    await saved();
    const other = join(folder, 'other.key');
    const elsewhere = await openSecrets(join(folder, 'other.yaml'), { keyFile: other });
    elsewhere.get('x');
    await elsewhere.save();
    expect(await failureOf(openSecrets(inventory, { keyFile: other }))).toBe(
      [
        'the key in …/other.key does not open …/acme.secrets.age',
        '  expected  the key that was there when the secrets were made',
        '  next      put that key file there, or name it in ODOO_PROV_KEY_FILE',
      ].join('\n'),
    );
  });

  it('a file that is no key file', async () => {
    await writeFile(keyFile.replace('config/', ''), 'hello\n', { mode: 0o600 });
    const store = await openSecrets(inventory, { keyFile: join(folder, 'age.key') });
    store.get('x');
    expect(await failureOf(store.save())).toBe(
      [
        '…/age.key is not an age key file',
        '  expected  lines that start with AGE-SECRET-KEY-',
        '  next      put the key file of these secrets there, or name it in ODOO_PROV_KEY_FILE',
      ].join('\n'),
    );
  });

  it('a file cut at any place, without showing what is inside', async () => {
    const file = await saved();
    const whole = await readFile(file, 'utf8');
    for (let length = 0; length < whole.length - 1; length += 17) {
      await writeFile(file, whole.slice(0, length));
      const text = await failureOf(openSecrets(inventory, { keyFile }));
      expect(text).toMatch(/^the secrets file …\/acme.secrets.age is cut or damaged\n/);
    }
  });
});

describe('redact', () => {
  const store = { values: () => [new Secret('pA55wordOfRedis'), new Secret('x')] };

  it('hides values and their base64 form everywhere', () => {
    const encoded = Buffer.from('pA55wordOfRedis').toString('base64');
    expect(redact(`redis://:pA55wordOfRedis@h and ${encoded}`, store)).toBe(
      'redis://:•••@h and •••',
    );
  });

  it('leaves ordinary text alone, whatever short values there are', () => {
    expect(redact('nginx: exact text', store)).toBe('nginx: exact text');
  });
});
