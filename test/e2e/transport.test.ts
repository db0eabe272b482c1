import { spawn, type ChildProcess, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Failure, type Reason } from '../../src/failure/failure.js';
import type { Host, SshOptions } from '../../src/inventory/cluster.js';
import { raw, Secret, type Script, sh } from '../../src/shell/index.js';
import {
  collectHostKeys,
  type ConnectOptions,
  type Connector,
  createConnector,
  type LocalUser,
  pinHostKeys,
  type Session,
} from '../../src/transport/index.js';
import {
  type LoopbackSshd,
  makeFolder,
  makeKey,
  makeUsers,
  removeUsers,
  startSshd,
  stopAllSshd,
  type TestUser,
} from '../support/loopback-sshd.js';

const USERS: readonly TestUser[] = [
  { name: 'opt-pw', password: 'right horse', sudoers: ['opt-pw ALL=(ALL:ALL) ALL'] },
  { name: 'opt-pw2', password: 'another', sudoers: ['opt-pw2 ALL=(ALL:ALL) ALL'] },
  { name: 'opt-free', password: 'x', sudoers: ['opt-free ALL=(ALL:ALL) NOPASSWD: ALL'] },
  { name: 'opt-none', password: 'right horse', sudoers: [] },
  {
    name: 'opt-ts0',
    password: 'right horse',
    sudoers: ['Defaults:opt-ts0 timestamp_timeout=0', 'opt-ts0 ALL=(ALL:ALL) ALL'],
  },
  {
    name: 'opt-tty',
    password: 'x',
    sudoers: ['Defaults:opt-tty requiretty', 'opt-tty ALL=(ALL:ALL) NOPASSWD: ALL'],
  },
];

let folder: string;
let key: string;
let sshd: LoopbackSshd;
let bastion: LoopbackSshd;
let local: LocalUser;
let sudoLog: string;
const connectors: Connector[] = [];
const sessions: Session[] = [];

beforeAll(async () => {
  folder = makeFolder();
  key = makeKey(folder, 'id_login');
  sudoLog = join(folder, 'sudo.log');
  makeUsers(USERS, sudoLog);
  mkdirSync(join(folder, 'home/.ssh'), { recursive: true });
  local = { name: 'root', home: join(folder, 'home') };
  sshd = await startSshd(folder, 'target', [key]);
  bastion = await startSshd(folder, 'bastion', [key]);
});

afterAll(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  await Promise.all(connectors.map((connector) => connector.close()));
  await stopAllSshd();
  removeUsers(USERS);
  rmSync(folder, { recursive: true, force: true });
});

/** A host of the inventory; another known_hosts file for each unless one is given. */
let files = 0;
function host(ssh: Partial<SshOptions> = {}, name = 'app1', address = '127.0.0.1'): Host {
  files += 1;
  return {
    name,
    address,
    roles: ['app'],
    weight: 1,
    ssh: {
      user: 'root',
      port: sshd.port,
      key,
      become: false,
      hostKey: 'accept-new',
      knownHosts: join(folder, `known_hosts.${files}`),
      ...ssh,
    },
  };
}

function connector(user: LocalUser = local): Connector {
  const made = createConnector(user);
  connectors.push(made);
  return made;
}

async function open(
  target: Host,
  options: ConnectOptions = {},
  through: Connector = connector(),
): Promise<Session> {
  const session = await through.connect(target, options);
  sessions.push(session);
  return session;
}

async function failure(promise: Promise<unknown>, reason: Reason): Promise<Failure> {
  const error: unknown = await promise.then(
    () => new Error('nothing failed'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw error;
  expect({ reason: error.reason, message: error.message }).toMatchObject({ reason });
  return error;
}

const whoami = raw('id -un');
const count = (text: string, part: string): number => text.split(part).length - 1;

describe('running scripts as root', () => {
  test('a script gets code, both outputs and its own locale, in one exec', async () => {
    const session = await open(host());
    const before = count(sshd.log(), 'Starting session: command');
    const answer = await session.run(raw('echo out; echo err >&2; echo "$LC_ALL $PATH"; exit 7'));
    expect(answer.code).toBe(7);
    expect(answer.stdout).toMatch(/^out\nC \/usr\/local\/sbin:.*\/sbin/);
    expect(answer.stderr).toBe('err\n');
    expect(session.use).toMatchObject({ connections: 1, execs: 1 });
    expect(session.use.bytesReceived).toBeGreaterThan(1000);
    expect(session.use.bytesSent).toBeGreaterThan(1000);
    expect(count(sshd.log(), 'Starting session: command')).toBe(before + 1);
  });

  test('quotes, backslashes and here-documents arrive as they are', async () => {
    const session = await open(host());
    const text = `it's "a" \\n $HOME \`x\` \\\\ é\n#end`;
    const answer = await session.run(sh`printf '%s' ${text}; cat <<'EOF'
${raw(text)}
EOF`);
    expect(answer.stdout).toBe(`${text}${text}\n`);
  });

  test('a secret never stands in a process list', async () => {
    const session = await open(host());
    const secret = new Secret('s3cret-in-script');
    const script = sh`s=${secret}; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '`;
    const answer = await session.run(script);
    expect(answer.stdout).toContain('sshd');
    expect(answer.stdout).not.toContain(secret.reveal());
  });

  test('a script of 100 KB and more goes over stdin', async () => {
    const session = await open(host());
    const body = 'x'.repeat(300 * 1024);
    const answer = await session.run(raw(`: '${body}'\ns='${body}'\necho \${#s}`));
    expect(answer).toMatchObject({ code: 0, stdout: `${300 * 1024}\n` });
  });

  test('a script cut on the way runs nothing', async () => {
    const session = await open(host());
    const mark = join(folder, 'cut');
    async function* cut(): AsyncGenerator<Script> {
      // What is left of a script when its last line is missing.
      await Promise.resolve();
      yield raw(`odoo_prov() {\ntouch ${mark}\n`);
    }
    const answer = await session.run(raw(':'), { feed: cut() });
    expect(answer.code).not.toBe(0);
    expect(existsSync(mark)).toBe(false);
  });

  test('more scripts can be fed to the same shell, as answers come', async () => {
    const session = await open(host());
    const lines: string[] = [];
    let heard: (() => void) | undefined;
    async function* feed(): AsyncGenerator<Script> {
      for (const step of [1, 2, 3]) {
        const answered = new Promise<void>((resolve) => (heard = resolve));
        yield raw(`n=$((n+${step})); echo "sum $n"`);
        await answered;
      }
    }
    const answer = await session.run(raw('n=10'), {
      feed: feed(),
      onLine: (line) => {
        lines.push(line);
        heard?.();
      },
    });
    expect(answer.code).toBe(0);
    expect(lines).toEqual(['sum 11', 'sum 13', 'sum 16']);
    expect(session.use.execs).toBe(1);
  });

  test('1 MB of output, and characters split between packets, arrive whole', async () => {
    const session = await open(host());
    const lines: string[] = [];
    const script = raw(`
i=0; while [ $i -lt 20 ]; do printf '\\303'; sleep 0.01; printf '\\244\\342\\202'; sleep 0.01; printf '\\254'; i=$((i+1)); done; echo
yes 'ä€-zeile' | head -c 1048572; echo`);
    const answer = await session.run(script, { onLine: (line) => lines.push(line) });
    expect(answer.stdout.startsWith(`${'ä€'.repeat(20)}\n`)).toBe(true);
    expect(lines[0]).toBe('ä€'.repeat(20));
    expect(Buffer.byteLength(answer.stdout)).toBe(1048572 + 1 + 101);
    expect(lines.join('\n')).toBe(answer.stdout.replace(/\n$/, ''));
    expect(answer.stdout.replaceAll('\uFFFD', '').length).toBeGreaterThan(answer.stdout.length - 3);
  });

  test('the exit code of a command that ends at once is never missed', async () => {
    const session = await open(host({ user: 'opt-free', become: true }));
    for (let n = 0; n < 40; n += 1) expect((await session.run(raw('exit 6'))).code).toBe(6);
  });

  test('twelve hosts at once', async () => {
    const shared = connector();
    const names = Array.from({ length: 12 }, (_, i) => `app${i}`);
    const all = await Promise.all(names.map((name) => open(host({}, name), {}, shared)));
    const answers = await Promise.all(all.map((session) => session.run(whoami)));
    expect(answers.map((answer) => answer.stdout)).toEqual(names.map(() => 'root\n'));
  });
});

describe('login shells', () => {
  // tcsh, fish and zsh are tried where they are installed; every Debian host has dash and bash.
  const shells = ['/bin/dash', '/bin/bash', '/usr/bin/zsh', '/usr/bin/fish', '/bin/tcsh'];
  test.each(shells)('%s gets the same script', async (shell) => {
    if (!existsSync(shell)) return;
    execFileSync('usermod', ['--shell', shell, 'opt-pw']);
    const session = await open(host({ user: 'opt-pw' }));
    const text = `a\\b\n'it' "$HOME" !x`;
    const answer = await session.run(sh`printf '%s' ${text}; exit 5`);
    expect(answer).toEqual({ code: 5, stdout: text, stderr: '' });
    expect(session.use.execs).toBe(1);
    const root = await open(host({ user: 'opt-pw', become: true }), {
      becomePassword: new Secret('right horse'),
    });
    expect((await root.run(whoami)).stdout).toBe('root\n');
    execFileSync('usermod', ['--shell', '/bin/bash', 'opt-pw']);
  });

  test('one that runs nothing is named', async () => {
    execFileSync('usermod', ['--shell', '/usr/sbin/nologin', 'opt-pw']);
    const session = await open(host({ user: 'opt-pw' }));
    const error = await failure(session.run(whoami), 'command-failed');
    expect(error.message).toContain('was not started');
    expect(error.details.output).toContain('not available');
    execFileSync('usermod', ['--shell', '/bin/bash', 'opt-pw']);
  });
});

describe('what ends a command early', () => {
  test('its time limit', async () => {
    const session = await open(host());
    const error = await failure(session.run(raw('sleep 40'), { limit: 1 }), 'timeout');
    expect(error.message).toContain('within 1 s');
    // The connection is still good.
    expect((await session.run(whoami)).stdout).toBe('root\n');
  });

  test('an abort', async () => {
    const session = await open(host());
    const stop = new AbortController();
    const running = session.run(raw('echo on; sleep 40'), {
      signal: stop.signal,
      onLine: () => stop.abort(),
    });
    await failure(running, 'interrupted');
  });

  test('a connection that breaks: the answer is cut, and the next command says so', async () => {
    const session = await open(host());
    // The sshd process of this connection is the first of that name among the shell's ancestors.
    const script = raw(
      'echo partial; p=$$; until ps -o comm= -p $p | grep -q sshd; do p=$(ps -o ppid= -p $p | tr -d " "); done; echo $p; sleep 40',
    );
    const error = await failure(
      session.run(script, {
        onLine: (line) => /\d/.test(line) && process.kill(Number(line), 'SIGKILL'),
      }),
      'cut-answer',
    );
    expect(error.details.output).toContain('partial');
    await failure(session.run(whoami), 'unreachable');
  });

  test('a shell that is killed', async () => {
    const session = await open(host());
    const error = await failure(
      session.run(
        raw(
          'p=$$; until ps -o comm= -p $(ps -o ppid= -p $p) | grep -q sshd; do p=$(ps -o ppid= -p $p); done; kill -9 $p; sleep 1',
        ),
      ),
      'cut-answer',
    );
    expect(error.message).toContain('SIGKILL');
  });

  test('a listener of the caller that throws is the caller’s error', async () => {
    const session = await open(host());
    const running = session.run(raw('echo a; sleep 40'), {
      onLine: () => {
        throw new Error('mine');
      },
    });
    await expect(running).rejects.toThrow('mine');
  });
});

describe('keys', () => {
  test('with a passphrase: asked once for all hosts, and again when it was wrong', async () => {
    const locked = makeKey(folder, 'id_locked', { passphrase: 'open sesame' });
    const server = await startSshd(folder, 'locked', [locked]);
    const asked: string[] = [];
    const options: ConnectOptions = {
      askPassphrase: (path) => {
        asked.push(path);
        return Promise.resolve(new Secret(asked.length === 1 ? 'wrong' : 'open sesame'));
      },
    };
    const shared = connector();
    const hosts = [1, 2, 3].map((n) => host({ key: locked, port: server.port }, `app${n}`));
    const all = await Promise.all(hosts.map((one) => open(one, options, shared)));
    expect((await all[2]?.run(whoami))?.stdout).toBe('root\n');
    expect(asked).toEqual([locked, locked]);
    const error = await failure(open(hosts[0] ?? host()), 'authentication');
    expect(error.details.remedy).toContain('ssh-add');
    await server.stop();
  });

  test.each([
    ['rsa', undefined],
    ['ecdsa', undefined],
    ['rsa', 'PEM'],
  ])('of type %s in format %s, encrypted', async (type, format) => {
    const path = makeKey(folder, 'id_kind', {
      type,
      passphrase: 'pass phrase',
      ...(format && { format }),
    });
    const server = await startSshd(folder, 'kind', [path]);
    const session = await open(host({ key: path, port: server.port }), {
      askPassphrase: () => Promise.resolve(new Secret('pass phrase')),
    });
    expect((await session.run(whoami)).stdout).toBe('root\n');
    await session.close();
    await server.stop();
  });

  describe('in an agent', () => {
    let agent: ChildProcess;
    let socket: string;
    beforeAll(async () => {
      socket = join(folder, 'agent');
      agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      for (let tries = 0; !existsSync(socket) && tries < 200; tries += 1) await sleep(25);
    });
    afterAll(() => agent.kill());
    const add = (path: string, passphrase = ''): void => {
      const ask = join(folder, 'ask');
      writeFileSync(ask, `#!/bin/sh\necho '${passphrase}'\n`, { mode: 0o755 });
      const env = {
        ...process.env,
        SSH_AUTH_SOCK: socket,
        SSH_ASKPASS: ask,
        SSH_ASKPASS_REQUIRE: 'force',
      };
      execFileSync('ssh-add', ['-q', path], { env, stdio: 'ignore' });
    };

    test('log in, and a key that is also a locked file is not asked for', async () => {
      const locked = makeKey(folder, 'id_agent', { passphrase: 'pass phrase' });
      const rsa = makeKey(folder, 'id_agent_rsa', { type: 'rsa' });
      add(locked, 'pass phrase');
      add(rsa);
      const server = await startSshd(folder, 'agent-host', [locked]);
      const user = { ...local, agent: socket };
      const named = await open(host({ key: locked, port: server.port }), {}, connector(user));
      expect((await named.run(whoami)).stdout).toBe('root\n');
      const { key: unnamed, ...noKey } = host({ port: server.port }).ssh;
      expect(unnamed).toBe(key);
      const any = await open({ ...host(), ssh: noKey }, {}, connector(user));
      expect((await any.run(whoami)).stdout).toBe('root\n');
      await server.stop();
      const other = await startSshd(folder, 'agent-rsa', [rsa]);
      const byRsa = await open(host({ port: other.port }), {}, connector(user));
      expect((await byRsa.run(whoami)).stdout).toBe('root\n');
      await other.stop();
    });
  });

  test('that the host does not take are named, with what it takes', async () => {
    const stranger = makeKey(folder, 'id_stranger');
    const error = await failure(open(host({ key: stranger })), 'authentication');
    expect(error.message).toContain('root; it takes publickey');
    expect(error.details.found).toMatch(/ED25519 SHA256:\S+ \(.*id_stranger\)/);
    expect(error.details.remedy).toContain('ssh-copy-id');
  });

  test('that do not exist are said not to', async () => {
    const error = await failure(open(host({ key: join(folder, 'nowhere') })), 'authentication');
    expect(error.details.found).toContain('nowhere does not exist');
  });
});

describe('sudo', () => {
  const password = new Secret('right horse');
  const as = (user: string, name = user): Host => host({ user, become: true }, name);
  const attempts = (): number => {
    const log = existsSync(sudoLog) ? readFileSync(sudoLog, 'utf8').replace(/\n\s+/g, ' ') : '';
    return [...log.matchAll(/(\d+) incorrect password attempt/g)]
      .map((match) => Number(match[1]))
      .reduce((sum, n) => sum + n, 0);
  };
  const root = sh`id -un; s=${new Secret('in-the-script')}; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '`;

  test('without a password', async () => {
    const session = await open(as('opt-free'));
    expect((await session.run(raw('id -un; echo e >&2'))).stderr).toBe('e\n');
    expect((await session.run(raw('id -un; exit 3'))).code).toBe(3);
    expect(session.use.execs).toBe(2);
  });

  test('with a password: one exec, nothing secret in a process list or in sudo’s log', async () => {
    const session = await open(as('opt-pw'), { becomePassword: password });
    const before = count(sshd.log(), 'Starting session: command');
    const answer = await session.run(root);
    expect(answer.code).toBe(0);
    expect(answer.stdout.startsWith('root\n')).toBe(true);
    expect(answer.stderr).toBe('');
    expect(answer.stdout).not.toContain('right horse');
    expect(answer.stdout).not.toContain('in-the-script');
    expect(count(sshd.log(), 'Starting session: command')).toBe(before + 1);
    expect(readFileSync(sudoLog, 'utf8')).not.toMatch(/right horse|in-the-script/);
    expect((await session.run(raw('id -un; exit 4'))).code).toBe(4);
  });

  test('with a password that the host does not want: it is not run as a command', async () => {
    const session = await open(as('opt-free'), { becomePassword: new Secret('touch /never') });
    expect(await session.run(whoami)).toEqual({ code: 0, stdout: 'root\n', stderr: '' });
  });

  test('with a wrong password: tried exactly once, on one host only', async () => {
    const shared = connector();
    const options = { becomePassword: new Secret('wrong') };
    const first = await open(as('opt-pw', 'app1'), options, shared);
    const second = await open(as('opt-pw', 'app2'), options, shared);
    const before = attempts();
    const errors = await Promise.all([
      failure(first.run(whoami), 'sudo-password'),
      failure(second.run(whoami), 'sudo-password'),
    ]);
    await failure(first.run(whoami), 'sudo-password');
    expect(attempts()).toBe(before + 1);
    expect(errors[0].message).toContain('refused the password of opt-pw');
    expect(errors[1].message).toContain('app1 has refused it');
    expect(second.use.execs).toBe(0);
  });

  test('with a password that another host took: a refusal concerns only its own host', async () => {
    const shared = connector();
    const options = { becomePassword: password };
    const good = await open(as('opt-pw'), options, shared);
    const bad = await open(as('opt-pw2'), options, shared);
    const before = attempts();
    expect((await good.run(whoami)).stdout).toBe('root\n');
    await failure(bad.run(whoami), 'sudo-password');
    await failure(bad.run(whoami), 'sudo-password');
    expect((await good.run(whoami)).stdout).toBe('root\n');
    expect(attempts()).toBe(before + 1);
  });

  test('that wants a password when none was given', async () => {
    const session = await open(as('opt-pw'));
    const error = await failure(session.run(whoami), 'sudo-password');
    expect(error.details.remedy).toContain('--ask-become-pass');
  });

  test.each([
    ['opt-none', 'may not run commands as root', 'visudo'],
    ['opt-ts0', 'timestamp_timeout=0', 'timestamp_timeout=1'],
    ['opt-tty', 'requiretty', '!requiretty'],
  ])('is not allowed to %s: %s', async (user, message, remedy) => {
    const session = await open(as(user), { becomePassword: password });
    const error = await failure(session.run(whoami), 'sudo-not-allowed');
    expect(error.message).toContain(message);
    expect(error.details.remedy).toContain(remedy);
    expect(error.details.host).toBe(user);
  });

  test('a command behind sudo ends by its time limit', async () => {
    const session = await open(as('opt-pw'), { becomePassword: password });
    await failure(session.run(raw('sleep 40'), { limit: 2 }), 'timeout');
  });
});

describe('host keys', () => {
  test('an unknown key is refused when strict, with its fingerprint', async () => {
    const strict = host({ hostKey: 'strict' });
    const error = await failure(open(strict), 'host-key');
    expect(error.details.found).toMatch(/^ED25519 SHA256:[A-Za-z0-9+/]{43}$/);
    expect(error.details.remedy).toContain('odoo-prov trust');
    expect(existsSync(strict.ssh.knownHosts ?? '')).toBe(false);
  });

  test('accept-new records it once, however many connect at once, and tells', async () => {
    const known = join(folder, 'known_hosts.shared');
    const told: string[] = [];
    const shared = connector();
    const options: ConnectOptions = { onNewHostKey: (name) => told.push(name) };
    const one = Array.from({ length: 6 }, () => host({ knownHosts: known }));
    const two = Array.from({ length: 6 }, () => host({ knownHosts: known }, 'b', 'localhost'));
    await Promise.all([...one, ...two].map((target) => open(target, options, shared)));
    const lines = readFileSync(known, 'utf8').trim().split('\n').sort();
    expect(lines).toEqual([
      `[127.0.0.1]:${sshd.port} ${sshd.hostKey}`,
      `[localhost]:${sshd.port} ${sshd.hostKey}`,
    ]);
    expect(told.sort()).toEqual(['app1', 'b']);
    expect(statSync(known).mode & 0o777).toBe(0o600);
    await open(host({ knownHosts: known, hostKey: 'strict' }));
    const found = execFileSync('ssh-keygen', ['-F', `[127.0.0.1]:${sshd.port}`, '-f', known]);
    expect(found.toString()).toContain('found: line');
  });

  test('a changed key is refused with both fingerprints, and trust mends it', async () => {
    const server = await startSshd(folder, 'changing', [key]);
    const known = join(folder, 'known_hosts.changing');
    writeFileSync(known, '# mine\nother.example ssh-ed25519 AAAA\n');
    const target = host({ port: server.port, knownHosts: known });
    await open(target);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' });
    await server.changeHostKey();
    const error = await failure(open(target), 'host-key');
    expect(error.message).toContain('CHANGED');
    expect(error.details.expected).toMatch(/^ED25519 SHA256:\S{43} \(.*changing:3\)$/);
    expect(error.details.found).toMatch(/^ED25519 SHA256:\S{43}$/);
    expect(error.details.remedy).toContain(`ssh-keygen -R '[127.0.0.1]:${server.port}'`);
    expect(server.log()).not.toMatch(/Accepted publickey[\s\S]*Accepted publickey/);

    const collected = await collectHostKeys([target], {}, local);
    expect(collected.failures).toEqual([]);
    expect(collected.findings).toMatchObject([
      { hosts: ['app1'], state: 'changed', type: 'ED25519', isBastion: false },
    ]);
    expect(`ED25519 ${collected.findings[0]?.fingerprint ?? ''}`).toBe(error.details.found);
    expect(await pinHostKeys(collected.findings)).toBe(1);
    await open({ ...target, ssh: { ...target.ssh, hostKey: 'strict' } });
    expect(readFileSync(known, 'utf8')).toContain('# mine\n');
    expect((await collectHostKeys([target], {}, local)).findings[0]?.state).toBe('known');
    await server.stop();
  });

  test('a host pinned by one type of key presents that type', async () => {
    const known = join(folder, 'known_hosts.ecdsa');
    const ecdsa = readFileSync(join(folder, 'target.host_ecdsa.pub'), 'utf8');
    writeFileSync(known, `[127.0.0.1]:${sshd.port} ${ecdsa}`);
    await open(host({ knownHosts: known, hostKey: 'strict' }));
  });

  test('a revoked key is refused and never pinned', async () => {
    const known = join(folder, 'known_hosts.revoked');
    writeFileSync(known, `@revoked * ${sshd.hostKey}\n`);
    const target = host({ knownHosts: known });
    expect((await failure(open(target), 'host-key')).message).toContain('revoked');
    const { findings } = await collectHostKeys([target], {}, local);
    await failure(pinHostKeys(findings), 'host-key');
  });
});

describe('reaching hosts', () => {
  test('~/.ssh/config gives name, user, port, key, known hosts and bastions', async () => {
    const known = join(folder, 'known_hosts.config');
    const config = join(local.home, '.ssh/config');
    writeFileSync(
      config,
      `Host gate\n  HostName 127.0.0.1\n  Port ${bastion.port}\n  User root\n` +
        `Host inner\n  HostName 127.0.0.1\n  User opt-free\n  Port ${sshd.port}\n  ProxyJump gate\n` +
        `Host *\n  IdentityFile ${key}\n  UserKnownHostsFile ${known}\n  StrictHostKeyChecking no\n`,
    );
    const target: Host = {
      ...host({}, 'app1', 'inner'),
      ssh: { become: false, hostKey: 'accept-new' },
    };
    const before = count(bastion.log(), 'Accepted publickey');
    const session = await open(target);
    expect((await session.run(whoami)).stdout).toBe('opt-free\n');
    expect(count(bastion.log(), 'Accepted publickey')).toBe(before + 1);
    expect(session.use.bytesReceived).toBeGreaterThan(1000);
    expect(readFileSync(known, 'utf8').split('\n')).toHaveLength(3);
    rmSync(config);
  });

  test('60 hosts through one bastion with the default MaxStartups: one connection to it', async () => {
    const shared = connector();
    const jump = `root@127.0.0.1:${bastion.port}`;
    const known = join(folder, 'known_hosts.sixty');
    const before = count(bastion.log(), 'Accepted publickey');
    const hosts = Array.from({ length: 60 }, (_, n) => host({ jump, knownHosts: known }, `h${n}`));
    const all = await Promise.all(hosts.map((one) => open(one, {}, shared)));
    const answers = await Promise.all(all.map((session) => session.run(whoami)));
    expect(answers.filter((answer) => answer.stdout === 'root\n')).toHaveLength(60);
    expect(count(bastion.log(), 'Accepted publickey')).toBe(before + 1);
    await Promise.all(all.map((session) => session.close()));
  });

  test('a server that drops connections is tried again', async () => {
    const strict = await startSshd(folder, 'few', [key], ['MaxStartups 2:100:2']);
    const hosts = Array.from({ length: 12 }, (_, n) => host({ port: strict.port }, `h${n}`));
    const shared = connector();
    const all = await Promise.all(hosts.map((one) => open(one, {}, shared)));
    expect(all).toHaveLength(12);
    expect(strict.log()).toMatch(/drop connection|beginning MaxStartups throttling/);
    await Promise.all(all.map((session) => session.close()));
    await strict.stop();
  });

  test('trust pins the bastion first, then what is behind it', async () => {
    const known = join(folder, 'known_hosts.trust');
    const jump = `root@127.0.0.1:${bastion.port}`;
    const hosts = [1, 2].map((n) => host({ jump, knownHosts: known, hostKey: 'strict' }, `h${n}`));
    const first = await collectHostKeys(hosts, {}, local);
    expect(first.waiting).toEqual(['h1', 'h2']);
    expect(first.findings).toMatchObject([
      { isBastion: true, state: 'new', hosts: ['h1', 'h2'], port: bastion.port },
    ]);
    await failure(open(hosts[0] ?? host()), 'host-key');
    await pinHostKeys(first.findings);
    const second = await collectHostKeys(hosts, {}, local);
    expect(second.waiting).toEqual([]);
    expect(second.findings.map(({ state, isBastion }) => ({ state, isBastion }))).toEqual([
      { state: 'known', isBastion: true },
      { state: 'new', isBastion: false },
    ]);
    expect(await pinHostKeys(second.findings)).toBe(1);
    await open(hosts[0] ?? host());
  });

  test.each([
    ['nothing listens', '127.0.0.1', 1, 'connection refused'],
    ['no such name', 'no-such-host.invalid', 22, 'does not resolve'],
  ])('%s', async (_, address, port, message) => {
    const direct = await failure(open(host({ port }, 'app9', address)), 'unreachable');
    expect(direct.message).toContain(message);
    expect(direct.details.host).toBe('app9');
    const jump = `root@127.0.0.1:${bastion.port}`;
    const through = await failure(open(host({ port, jump }, 'app9', address)), 'unreachable');
    expect(through.message).toContain(message);
  });

  test('a server that accepts and says nothing', async () => {
    const held: Socket[] = [];
    const server = createServer((socket) => held.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const error = await failure(open(host({ port }), { limit: 1 }), 'unreachable');
    expect(error.message).toContain('within 1 s');
    for (const socket of held) socket.destroy();
    server.close();
  });

  test('a bastion that is down, or that forwards nothing, is named', async () => {
    const error = await failure(open(host({ jump: 'root@127.0.0.1:1' }, 'app3')), 'unreachable');
    expect(error.message).toContain('bastion 127.0.0.1:1: 127.0.0.1:1: connection refused');
    expect(error.details.host).toBe('app3');
    const closed = await startSshd(folder, 'closed', [key], ['AllowTcpForwarding no']);
    const jump = `root@127.0.0.1:${closed.port}`;
    const prohibited = await failure(open(host({ jump }, 'app3')), 'unreachable');
    expect(prohibited.message).toContain('does not forward');
    await closed.stop();
  });

  test('a known_hosts line without end of line keeps its neighbour whole', async () => {
    const known = join(folder, 'known_hosts.noeol');
    appendFileSync(known, 'other.example ssh-ed25519 AAAA');
    await open(host({ knownHosts: known }));
    expect(readFileSync(known, 'utf8').split('\n')[0]).toBe('other.example ssh-ed25519 AAAA');
  });
});
