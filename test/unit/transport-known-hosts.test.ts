import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/failure/failure.js';
import { describeKey, fingerprint, hostKeyAlgorithms } from '../../src/transport/host-key.js';
import {
  judgeHostKey,
  knownTypes,
  namesHost,
  parseKnownHosts,
} from '../../src/transport/known-hosts.js';
import { appendKnownHost, inTurn, replaceKnownHost } from '../../src/transport/known-hosts-file.js';

// Made by ssh-keygen; the fingerprint is what `ssh-keygen -lf` prints for it.
const ED25519 = 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'; // github.com's
const ED25519_FINGERPRINT = 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU';
const key = Buffer.from(ED25519, 'base64');
const other = blob('ssh-ed25519', 'b');
const rsa = blob('ssh-rsa', 'c');

/** A key blob of a type: its name, then anything. */
function blob(type: string, fill: string): Buffer {
  const name = Buffer.alloc(4);
  name.writeUInt32BE(type.length);
  return Buffer.concat([name, Buffer.from(type), Buffer.from(fill.repeat(36))]);
}

const row = (hosts: string, type: string, value: Buffer): string =>
  `${hosts} ${type} ${value.toString('base64')}`;

function hashed(name: string): string {
  const salt = Buffer.from('twenty bytes of salt');
  const digest = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${digest}`;
}

describe('keys', () => {
  test('fingerprints are those of OpenSSH', () => {
    expect(fingerprint(key)).toBe(ED25519_FINGERPRINT);
    expect(describeKey(key)).toBe(`ED25519 ${ED25519_FINGERPRINT}`);
  });

  test('the algorithms of known types are offered first, SHA-1 never', () => {
    expect(hostKeyAlgorithms([])[0]).toBe('ssh-ed25519');
    expect(hostKeyAlgorithms(['ssh-rsa']).slice(0, 3)).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-ed25519',
    ]);
    expect(hostKeyAlgorithms(['ssh-rsa'])).not.toContain('ssh-rsa');
    expect(new Set(hostKeyAlgorithms(['ecdsa-sha2-nistp256'])).size).toBe(6);
  });
});

describe('names in known_hosts', () => {
  test.each([
    ['app1.example', 'app1.example', true],
    ['App1.Example', 'app1.example', true],
    ['app1.example,198.51.100.1', '198.51.100.1', true],
    ['app1.example', 'app1.example.org', false],
    ['*.example', 'app1.example', true],
    ['app?.example', 'app1.example', true],
    ['app?.example', 'app.example', false],
    ['app.example', 'appXexample', false],
    ['*.example,!db.example', 'db.example', false],
    ['*.example,!db.example', 'app.example', true],
    ['!db.example', 'app.example', false],
    ['[app1.example]:2222', '[app1.example]:2222', true],
    ['[app1.example]:2222', 'app1.example', false],
    ['[*.example]:2222', '[app1.example]:2222', true],
    [hashed('app1.example'), 'app1.example', true],
    [hashed('[app1.example]:2222'), '[app1.example]:2222', true],
    [hashed('app1.example'), 'app2.example', false],
    ['|1|broken', 'app1.example', false],
    ['|2|x|y', 'app1.example', false],
  ])('%s names %s: %s', (hosts, name, expected) => {
    expect(namesHost(hosts, name)).toBe(expected);
  });
});

describe('reading', () => {
  test('comments, empty, broken and unknown lines hold no key; numbers are the file’s', () => {
    const text = [
      '# a comment',
      '',
      '   ',
      'nonsense',
      'host ssh-ed25519',
      '@unknown host ssh-ed25519 AAAA',
      `  host\tssh-ed25519  ${ED25519} a comment`,
      `@revoked * ssh-ed25519 ${ED25519}\r`,
      `@cert-authority *.example ssh-ed25519 ${ED25519}`,
    ].join('\n');
    const found = parseKnownHosts(text, 'known_hosts');
    expect(found.map(({ line, marker, hosts }) => ({ line, marker, hosts }))).toEqual([
      { line: 7, marker: undefined, hosts: 'host' },
      { line: 8, marker: 'revoked', hosts: '*' },
      { line: 9, marker: 'cert-authority', hosts: '*.example' },
    ]);
    expect(found.every((entry) => entry.key.equals(key))).toBe(true);
  });
});

describe('judging a key', () => {
  const judge = (rows: string[], name: string, presented: Buffer) =>
    judgeHostKey(
      parseKnownHosts(rows.join('\n'), 'f'),
      name,
      name.replace(/^\[(.+)\]:\d+$/, '$1'),
      presented,
    );

  test('known, new, changed', () => {
    const rows = [row('a', 'ssh-rsa', rsa), row('a', 'ssh-ed25519', key)];
    expect(judge(rows, 'a', key)).toMatchObject({ state: 'known', at: { line: 2 } });
    expect(judge(rows, 'b', key)).toEqual({ state: 'new', onlyAuthority: false });
    const changed = judge(rows, 'a', other);
    expect(changed).toMatchObject({ state: 'changed', known: [{ line: 1 }, { line: 2 }] });
  });

  test('another type than the known one is a change, not a new key', () => {
    expect(judge([row('a', 'ssh-ed25519', key)], 'a', rsa).state).toBe('changed');
  });

  test('a revoked key is refused though another line knows it', () => {
    const rows = [row('a', 'ssh-ed25519', key), row('@revoked *', 'ssh-ed25519', key)];
    expect(judge(rows, 'a', key)).toMatchObject({ state: 'revoked', at: { line: 2 } });
    expect(judge(rows, '[a]:2222', key).state).toBe('revoked');
    // Another revoked key says nothing of this one.
    expect(judge([row('@revoked *', 'ssh-ed25519', other)], 'a', key).state).toBe('new');
  });

  test('an authority’s key is not a host’s own', () => {
    const rows = [row('@cert-authority *', 'ssh-ed25519', key)];
    expect(judge(rows, 'a', key)).toEqual({ state: 'new', onlyAuthority: true });
  });

  test('a key known without the port counts for any port, another key there is no change', () => {
    const rows = [row('a', 'ssh-ed25519', key)];
    expect(judge(rows, '[a]:2222', key).state).toBe('known');
    expect(judge(rows, '[a]:2222', other).state).toBe('new');
    const entries = parseKnownHosts(rows.join('\n'), 'f');
    expect(knownTypes(entries, '[a]:2222', 'a')).toEqual(['ssh-ed25519']);
  });
});

describe('writing', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'odoo-prov-known-'));
    file = join(folder, 'sub', 'known_hosts');
  });
  afterEach(() => rm(folder, { recursive: true }));
  const text = (): Promise<string> => readFile(file, 'utf8');

  test('many at once lose no line; file and folder are for the owner only', async () => {
    const names = Array.from({ length: 40 }, (_, n) => `h${n}`);
    await Promise.all(names.map((name) => inTurn(file, () => appendKnownHost(file, name, key))));
    const found = parseKnownHosts(await text(), file);
    expect(found.map((entry) => entry.hosts)).toEqual(names);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'sub'))).mode & 0o777).toBe(0o700);
  });

  test('work in turn goes on after a failure, which reaches its caller', async () => {
    const failing = inTurn(file, () => Promise.reject(new Error('first')));
    const next = inTurn(file, () => Promise.resolve('second'));
    await expect(failing).rejects.toThrow('first');
    expect(await next).toBe('second');
  });

  test('replacing takes the name out of shared lines and keeps all else', async () => {
    await appendKnownHost(file, 'a,b', other);
    await appendKnownHost(file, hashed('a'), rsa);
    await appendKnownHost(file, 'c', other);
    await writeFile(file, `# mine\n${await text()}`);
    await replaceKnownHost(file, 'a', key);
    expect(await text()).toBe(
      ['# mine', row('b', 'ssh-ed25519', other), row('c', 'ssh-ed25519', other)]
        .concat(row('a', 'ssh-ed25519', key), '')
        .join('\n'),
    );
    const before = await text();
    await replaceKnownHost(file, 'a', key);
    expect(await text()).toBe(before);
  });

  test('a pattern that means other hosts too is left to its owner', async () => {
    await appendKnownHost(file, '*.example', other);
    const before = await text();
    const refused = replaceKnownHost(file, 'a.example', key);
    await expect(refused).rejects.toThrow(Failure);
    await expect(refused).rejects.toThrow(/known_hosts:1 gives another key/);
    expect(await text()).toBe(before);
  });
});
