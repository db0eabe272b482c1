import { describe, expect, test } from 'vitest';
import { formatFailure } from '../../src/failure/failure.js';
import { classifyCommandFailure } from '../../src/transport/classify.js';
import { connectFailure, connectTimeout, Dropped } from '../../src/transport/connect-failure.js';
import { afterStart, sudoFailure } from '../../src/transport/sudo-failure.js';
import type { Target } from '../../src/transport/target.js';

const classify = (stderr: string, code = 100) =>
  classifyCommandFailure('app1', 'package:nginx', { code, stdout: '', stderr });

describe('why a command failed', () => {
  test.each([
    [
      'apt, frontend lock',
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)\nN: Be aware that removing the lock file is not a solution and may break your system.\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?',
      'apt is locked by unattended-upgr (process 812)',
    ],
    [
      'apt, after waiting',
      'Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4221 (apt-get)... 5s\nE: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4221 (apt-get)',
      'apt is locked by apt-get (process 4221)',
    ],
    [
      'apt, lists lock',
      'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 77 (apt)\nE: Unable to lock directory /var/lib/apt/lists/',
      'apt is locked by apt (process 77)',
    ],
    [
      'dpkg',
      'dpkg: error: dpkg frontend lock was locked by another process with pid 5555\nNote: removing the lock file is always wrong, can damage the locked area',
      'apt is locked by process 5555',
    ],
    [
      'apt, not saying who',
      'E: Could not get lock /var/lib/apt/lists/lock - open (11: Resource temporarily unavailable)',
      'apt is locked by another process',
    ],
  ])('%s', (_, text, message) => {
    const failure = classify(text);
    expect(failure.reason).toBe('apt-lock');
    expect(failure.message).toBe(message);
    expect(failure.details.found).toMatch(/^the lock \S+.* is held$/);
  });

  test('dpkg interrupted', () => {
    const failure = classify(
      "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. ",
    );
    expect(failure.reason).toBe('dpkg-interrupted');
    expect(failure.details.remedy).toContain('dpkg --configure -a');
  });

  test.each([
    ["cp: error writing '/srv/x': No space left on device", 'the disk is full (at /srv/x)'],
    [
      "E: You don't have enough free space in /var/cache/apt/archives/.",
      'the disk is full (at /var/cache/apt/archives/)',
    ],
    ['sh: 1: echo: echo: I/O error\nwrite error: No space left on device', 'the disk is full'],
    [
      "dpkg: error processing archive x.deb (--unpack):\n cannot copy extracted data: failed to write (No space left on device)\nE: dpkg was interrupted, you must manually run 'dpkg --configure -a'",
      'the disk is full',
    ],
    [
      "found: no room on pool1 in /srv/repo: archiving fails, unable to write '/srv/repo/x': [28] No space left on device",
      'the repository of the backups is full: /srv/repo on pool1',
    ],
    [
      "found: no room on pool1 in /srv/repo, most likely: archiving fails, client state is 'data-get' but expected 'idle'",
      'the repository of the backups is most likely full: /srv/repo on pool1',
    ],
  ])('disk full: %s', (text, message) => {
    expect(classify(text)).toMatchObject({ reason: 'disk-full', message });
  });

  test.each([
    ["cp: error writing '/srv/a/x': No space left on device", '/srv/a'],
    ['could not write to file "/x": No space left on device', '/'],
    [
      'pg_basebackup: error: could not write to file "/var/lib/postgresql/17/main/base/16385/16524": No space left on device',
      '/var/lib/postgresql/17',
    ],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", '/var/cache/apt/archives'],
  ])('disk full: df looks at what is there still: %s', (text, place) => {
    expect(classify(text).details.remedy).toContain(`(df -h ${place};`);
  });

  test('anything else: the exit code and the last lines, without colours', () => {
    const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n');
    const failure = classify(`${lines}\n 10%\r 20%\r\u001b[31mred\u001b[0m`, 3);
    expect(failure).toMatchObject({
      reason: 'command-failed',
      message: 'a command failed with exit code 3',
    });
    expect(failure.details.output?.split('\n')).toHaveLength(12);
    expect(failure.details.output).toMatch(/line 29\nred$/);
    expect(classify('', 124).message).toContain('time limit');
  });

  test('a health check: in its own words, with its own advice where it has any', () => {
    const said =
      'waiting: the standby receives WAL; so far: catchup\nthe standby receives WAL: not within 120 s\nexpected: streaming\nfound: it cannot follow';
    const failed = (key: string, stdout: string): string =>
      formatFailure(classifyCommandFailure('db1', key, { code: 1, stdout, stderr: '' }));
    expect(failed('check:streams', `${said}\nnext: odoo-prov rejoin FILE --host db1`)).toBe(
      [
        'db1 check:streams: the standby receives WAL: not within 120 s',
        '  expected  streaming',
        '  found     it cannot follow',
        '  next      odoo-prov rejoin FILE --host db1',
      ].join('\n'),
    );
    expect(failed('check:streams', said)).toMatch(
      /\n {2}found {5}it cannot follow\n {2}next {6}read what it printed, mend it on the host or in the inventory and run again: only check:streams and what comes after it are left$/,
    );
    expect(failed('file:/x', said)).toContain('a command failed with exit code 1');
  });

  test('standard output is shown where standard error is empty', () => {
    const answer = { code: 1, stdout: 'nginx: [emerg] unknown directive', stderr: ' \n' };
    const failure = classifyCommandFailure('edge1', undefined, answer);
    expect(formatFailure(failure)).toBe(
      [
        'edge1: a command failed with exit code 1',
        '  it said',
        '    nginx: [emerg] unknown directive',
        '  next      read what it printed, mend it on the host and run again',
      ].join('\n'),
    );
  });
});

describe('why a connection failed', () => {
  const target = {
    label: 'app1',
    host: 'a.example',
    port: 2222,
    user: 'me',
    via: undefined,
  } as Target;
  const coded = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

  test.each([
    ['ENOTFOUND', 'does not resolve'],
    ['ECONNREFUSED', 'connection refused'],
    ['EHOSTUNREACH', 'no route'],
    ['ENETUNREACH', 'no route'],
    ['ETIMEDOUT', 'timed out'],
  ])('%s', (code, message) => {
    const failure = connectFailure(target, coded(code));
    expect(failure).toMatchObject({ reason: 'unreachable' });
    expect(failure.message).toContain(`a.example:2222: `);
    expect(failure.message).toContain(message);
    expect(failure.details.host).toBe('app1');
  });

  test('several addresses, none of which answered', () => {
    const error = new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]);
    expect(connectFailure(target, error).message).toContain('connection refused');
  });

  test('a server that drops connections, with what it said', () => {
    const failure = connectFailure(target, new Dropped(''), 'Exceeded MaxStartups');
    expect(failure.message).toContain('closes new connections at once');
    expect(failure.details).toMatchObject({ output: 'Exceeded MaxStartups' });
    expect(failure.details.remedy).toContain('MaxStartups');
  });

  test.each([
    ['HTTP/1.1 400 Bad Request\r\nServer: x', 'HTTP/1.1 400 Bad Request'],
    ['220 mail.example ESMTP\u001b[31m', '220 mail.example ESMTP[31m'],
    [`+OK ${'x'.repeat(200)}`, `+OK ${'x'.repeat(76)}…`],
    ['\u0015\u0003\u0001\u0000\u0002\u0002', 'bytes 150301000202'],
  ])('another service than SSH: %j', (said, found) => {
    const failures = [
      connectFailure(target, new Dropped(said), said),
      connectTimeout(target, 15, 'exchanging keys', said),
    ];
    for (const failure of failures) {
      expect(failure).toMatchObject({ reason: 'unreachable' });
      expect(failure.message).toBe('a.example:2222: it answers, but not as SSH');
      expect(failure.details).toMatchObject({ found });
      expect(failure.details.remedy).toContain('another service listens on port 2222');
    }
  });

  test('a server that closes without a word is not taken for another service', () => {
    expect(connectFailure(target, new Dropped(''), '').message).toContain('closes new connections');
    const late = connectTimeout(target, 15, 'exchanging keys', 'SSH-2.0-OpenSSH_9.2\r\n');
    expect(late.reason).toBe('unreachable');
    expect(late.details.remedy).toContain('UseDNS');
  });

  test('a host that takes the connection and says nothing hangs: that is no matter of its names', () => {
    const { reason, remedy } = connectTimeout(target, 15, 'exchanging keys').details;
    expect(reason).toBe('unreachable');
    expect(remedy).toContain('the host hangs, is frozen or overloaded, or its sshd is');
    expect(remedy).not.toContain('UseDNS');
  });

  test('a bastion that may not forward', () => {
    const via = { ...target, label: 'bastion gate' };
    const error = Object.assign(new Error('(SSH) Channel open failure: open failed'), {
      reason: 1,
    });
    const failure = connectFailure({ ...target, via }, error);
    expect(failure.message).toContain('does not forward');
    expect(failure.details.remedy).toContain('bastion gate: AllowTcpForwarding');
  });
});

describe('why sudo did not start', () => {
  const nonce = 'abc';
  const judge = (stderr: string, withPassword = true) =>
    sudoFailure({ host: 'app1', user: 'deploy', nonce, withPassword, code: 1, stderr });

  // As sudo 1.9.13 (Debian 12) and 1.9.16 (Debian 13) print them.
  test.each([
    [
      '@password abcSorry, try again.\n@password abc\nsudo: no password was provided\nsudo: 1 incorrect password attempt\n',
      'sudo-password',
      'refused the password of deploy',
    ],
    [
      '@password abcdeploy is not in the sudoers file.\n',
      'sudo-not-allowed',
      'may not run commands',
    ],
    ['Sorry, user deploy may not run sudo on app1.\n', 'sudo-not-allowed', 'may not run commands'],
    [
      "Sorry, user deploy is not allowed to execute '/usr/bin/sh' as root on app1.\n",
      'sudo-not-allowed',
      'may not run commands',
    ],
    ['sudo: sorry, you must have a tty to run sudo\n', 'sudo-not-allowed', 'requiretty'],
    ['sh: 1: sudo: not found\n', 'sudo-not-allowed', 'not installed'],
    ['@password abcsudo: a password is required\n', 'sudo-not-allowed', 'timestamp_timeout=0'],
    ['@password abcThe account is locked due to 3 failed logins.\n', 'sudo-not-allowed', 'locked'],
    ['something new\n', 'sudo-not-allowed', 'did not start a shell (exit code 1)'],
  ])('%j', (stderr, reason, message) => {
    const failure = judge(stderr);
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain(message);
    expect(JSON.stringify(failure.details)).not.toContain('@password');
    expect(failure.details.remedy).not.toContain('USER');
  });

  test('a password is wanted and none was given', () => {
    expect(judge('sudo: a password is required\n', false).reason).toBe('sudo-password');
  });

  test('what came before the start is not the script’s', () => {
    expect(afterStart('lecture\n@password abc@started abc\nmine\n', nonce)).toBe('mine\n');
    expect(afterStart('@started other\n', nonce)).toBeUndefined();
  });
});
