import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Host, SshOptions } from '../../src/inventory/cluster.js';
import {
  formatPlace,
  knownHostsName,
  parseAddress,
  parseJumps,
} from '../../src/transport/address.js';
import { parseUserConfig, readUserConfig } from '../../src/transport/ssh-config.js';
import { resolveTarget, type Target } from '../../src/transport/target.js';

const local = { name: 'me', home: '/home/me', agent: '/run/agent' };

function host(ssh: Partial<SshOptions> = {}, address = 'app1.example'): Host {
  const options = { become: true, hostKey: 'strict' as const, ...ssh };
  return { name: 'app1', address, roles: ['app'], weight: 1, ssh: options };
}

const resolve = (config: string, ssh: Partial<SshOptions> = {}, address?: string): Target =>
  resolveTarget(host(ssh, address), parseUserConfig(config, 'config'), local);

/** The way to a target, the target last. */
const way = (target: Target): string[] => [
  ...(target.via === undefined ? [] : way(target.via)),
  `${target.user}@${target.host}:${target.port}`,
];

describe('addresses', () => {
  test.each([
    ['gate', { host: 'gate' }],
    ['deploy@gate.example:2222', { user: 'deploy', host: 'gate.example', port: 2222 }],
    ['a@b@gate', { user: 'a@b', host: 'gate' }],
    ['[2001:db8::1]:2222', { host: '2001:db8::1', port: 2222 }],
    ['me@[2001:db8::1]', { user: 'me', host: '2001:db8::1' }],
    ['2001:db8::1', { host: '2001:db8::1' }],
    ['fe80::1%eth0', { host: 'fe80::1%eth0' }],
    ['ssh://me@gate:22', { user: 'me', host: 'gate', port: 22 }],
  ])('%s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });

  test.each([
    '',
    '@gate',
    'gate:',
    'gate:0',
    'gate:65536',
    'gate:ssh',
    'a b',
    'a,b',
    '[::1',
    ':22',
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('chains', () => {
    expect(parseJumps('a, me@b:23')).toEqual([{ host: 'a' }, { user: 'me', host: 'b', port: 23 }]);
    expect(parseJumps('none')).toEqual([]);
    expect(parseJumps('a,,b')).toBeUndefined();
  });

  test('names in messages and in known_hosts', () => {
    expect(formatPlace('gate', 22)).toBe('gate');
    expect(formatPlace('gate', 23)).toBe('gate:23');
    expect(formatPlace('2001:db8::1', 23)).toBe('[2001:db8::1]:23');
    expect(knownHostsName('Gate', 22)).toBe('gate');
    expect(knownHostsName('2001:db8::1', 2222)).toBe('[2001:db8::1]:2222');
  });
});

describe('where a host is', () => {
  test('without anything: OpenSSH’s defaults', () => {
    expect(resolve('')).toEqual({
      label: 'app1',
      host: 'app1.example',
      port: 22,
      user: 'me',
      hostKeyAlias: undefined,
      identityFiles: ['id_rsa', 'id_ecdsa', 'id_ed25519'].map((name) => `/home/me/.ssh/${name}`),
      identitiesGiven: false,
      identitiesOnly: false,
      agent: '/run/agent',
      knownHosts: ['/home/me/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'],
      hostKey: 'strict',
      via: undefined,
    });
  });

  const config = `
# keywords in any case, first value wins
host app1.example
  HOSTNAME 198.51.100.7
  user fromconfig
  Port 2022
  IdentityFile ~/.ssh/app_%r
  StrictHostKeyChecking no
  UserKnownHostsFile ~/.ssh/one "%d/two"
Host *.example !db.example
  User later
  IdentityFile %d/keys/%h
  IdentitiesOnly yes
`;

  test('~/.ssh/config is looked up by the address', () => {
    expect(resolve(config)).toMatchObject({
      host: '198.51.100.7',
      port: 2022,
      user: 'fromconfig',
      identityFiles: ['/home/me/.ssh/app_fromconfig', '/home/me/keys/198.51.100.7'],
      identitiesGiven: true,
      identitiesOnly: true,
      knownHosts: ['/home/me/.ssh/one', '/home/me/two', '/etc/ssh/ssh_known_hosts'],
      // StrictHostKeyChecking is the inventory's to decide.
      hostKey: 'strict',
    });
    expect(resolve(config, {}, 'db.example')).toMatchObject({ host: 'db.example', user: 'me' });
  });

  test('the inventory comes first', () => {
    const given = { user: 'inv', port: 23, key: '~/inv', knownHosts: '~/kh' };
    const target = resolve(config, { ...given, hostKey: 'accept-new' });
    expect(target).toMatchObject({ host: '198.51.100.7', port: 23, user: 'inv' });
    expect(target.identityFiles[0]).toBe('/home/me/inv');
    expect(target).toMatchObject({ knownHosts: ['/home/me/kh'], hostKey: 'accept-new' });
  });

  test('IdentityAgent and HostKeyAlias', () => {
    expect(resolve('IdentityAgent none').agent).toBeUndefined();
    expect(resolve('IdentityAgent ~/agent').agent).toBe('/home/me/agent');
    expect(resolve('HostKeyAlias other').hostKeyAlias).toBe('other');
  });

  test('Match exec runs nothing', () => {
    expect(resolve('Match exec "exit 0"\n  User evil\n').user).toBe('me');
  });
});

describe('the way to a host', () => {
  const config = `
Host gate
  HostName 198.51.100.1
  User g
  Port 2201
Host inner
  HostName 198.51.100.2
  ProxyJump gate
Host app1.example
  ProxyJump gate,me@second:23
Host loop
  ProxyJump loop
`;

  test('ProxyJump, with what the configuration says of each bastion', () => {
    expect(way(resolve(config))).toEqual([
      'g@198.51.100.1:2201',
      'me@second:23',
      'me@app1.example:22',
    ]);
  });

  test('the inventory’s bastion replaces ProxyJump; its own bastions are followed', () => {
    expect(way(resolve(config, { jump: 'x@inner', user: 'u' }))).toEqual([
      'g@198.51.100.1:2201',
      'x@198.51.100.2:22',
      'u@app1.example:22',
    ]);
  });

  test('a bastion does not take the host’s user and port, but its key and known hosts', () => {
    const ssh = { user: 'u', port: 99, key: '/k', knownHosts: '/kh', jump: 'b' };
    expect(resolve('', ssh).via).toMatchObject({
      label: 'bastion b',
      user: 'me',
      port: 22,
      identityFiles: ['/k'],
      knownHosts: ['/kh'],
    });
  });

  test('ProxyJump none is none', () => {
    expect(resolve('Host app1.example\n ProxyJump none\nHost *\n ProxyJump gate').via).toBe(
      undefined,
    );
  });

  test.each([
    ['a loop', config, {}, 'loop', 'loop of them'],
    ['not an address', '', { jump: 'a b' }, 'x', 'not [user@]host[:port]'],
    ['a ProxyCommand', 'ProxyCommand nc %h %p', {}, 'x', 'ProxyCommand'],
  ])('%s is refused', (_, text, ssh, address, message) => {
    expect(() => resolve(text, ssh, address)).toThrow(message);
  });
});

test('Include is followed, with wildcards and in order; a missing configuration says nothing', async () => {
  const home = await mkdtemp(join(tmpdir(), 'odoo-prov-home-'));
  const ssh = join(home, '.ssh');
  try {
    expect((await readUserConfig(home)).lookup('x')).toEqual({});
    await mkdir(join(ssh, 'conf.d'), { recursive: true });
    await writeFile(
      join(ssh, 'config'),
      'Include conf.d/*.conf ~/.ssh/missing\nHost *\n  User last\n',
    );
    await writeFile(join(ssh, 'conf.d/10.conf'), 'Host a\n  User ten\n');
    await writeFile(join(ssh, 'conf.d/20.conf'), 'Host a\n  User twenty\n  Port 20\n');
    await writeFile(join(ssh, 'conf.d/other'), 'Port 1\n');
    const config = await readUserConfig(home);
    expect(config.lookup('a')).toMatchObject({ user: 'ten', port: '20' });
    expect(config.lookup('b')['user']).toBe('last');
    await writeFile(join(ssh, 'config'), 'Include config\n');
    await expect(readUserConfig(home)).rejects.toThrow('too many nested Include lines');
    await writeFile(join(ssh, 'config'), 'User "unfinished\n');
    await expect(readUserConfig(home)).rejects.toThrow(/config cannot be read/);
  } finally {
    await rm(home, { recursive: true });
  }
});
