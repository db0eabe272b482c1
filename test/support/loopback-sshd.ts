import { spawn, type ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real OpenSSH server on a loopback port of this machine, with keys and files of its own. */
export interface LoopbackSshd {
  readonly port: number;
  /** Public part of its ed25519 host key: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** Everything it has logged. */
  log(): string;
  /** Takes a new ed25519 host key, as a reinstalled host would. */
  changeHostKey(): Promise<void>;
  stop(): Promise<void>;
}

const SSHD = '/usr/sbin/sshd';
const running = new Set<ChildProcess>();

/** Stops every sshd that a test has left running. */
export async function stopAllSshd(): Promise<void> {
  await Promise.all([...running].map(end));
}

/** A folder for keys and configurations that only root may enter. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'odoo-prov-ssh-'));
  // sshd reads authorized_keys as the user who logs in.
  chmodSync(folder, 0o755);
  return folder;
}

/** Makes a key pair and gives the path of its private half. */
export function makeKey(
  folder: string,
  name: string,
  options: { type?: string; passphrase?: string; format?: string } = {},
): string {
  const path = join(folder, name);
  rmSync(path, { force: true });
  rmSync(`${path}.pub`, { force: true });
  const format = options.format === undefined ? [] : ['-m', options.format];
  const args = ['-q', '-t', options.type ?? 'ed25519', '-N', options.passphrase ?? '', '-C', name];
  execFileSync('ssh-keygen', [...args, ...format, '-f', path]);
  return path;
}

/**
 * Starts an sshd.
 * @param folder of {@link makeFolder}
 * @param authorized paths of private keys that every user may log in with
 * @param settings more lines of sshd_config
 */
export async function startSshd(
  folder: string,
  name: string,
  authorized: readonly string[],
  settings: readonly string[] = [],
): Promise<LoopbackSshd> {
  if (!existsSync(SSHD)) {
    throw new Error('this test needs OpenSSH’s server: apt-get install openssh-server');
  }
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  const keys = join(folder, `${name}.authorized_keys`);
  writeFileSync(keys, authorized.map((key) => readFileSync(`${key}.pub`, 'utf8')).join(''));
  const hostKey = makeKey(folder, `${name}.host_ed25519`);
  const other = makeKey(folder, `${name}.host_ecdsa`, { type: 'ecdsa' });
  const config = join(folder, `${name}.sshd_config`);
  const lines = [
    `Port ${String(port)}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${other}`,
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${keys}`,
    'PidFile none',
    // The folder of temporary files is writable for everybody.
    'StrictModes no',
    'UsePAM yes',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'LogLevel VERBOSE',
    ...settings,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const logFile = join(folder, `${name}.log`);
  let server = await launch(config, logFile, port);
  return {
    port,
    get hostKey() {
      return readFileSync(`${hostKey}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
    },
    log: () => readFileSync(logFile, 'utf8'),
    changeHostKey: async () => {
      await end(server);
      makeKey(folder, `${name}.host_ed25519`);
      server = await launch(config, logFile, port);
    },
    stop: () => end(server),
  };
}

async function launch(config: string, log: string, port: number): Promise<ChildProcess> {
  const server = spawn(SSHD, ['-D', '-f', config, '-E', log], { stdio: 'ignore' });
  running.add(server);
  server.once('exit', () => running.delete(server));
  for (let tries = 0; tries < 100; tries += 1) {
    if (server.exitCode !== null) throw new Error(`sshd ended: ${readFileSync(log, 'utf8')}`);
    if (await answers(port)) return server;
    await sleep(50);
  }
  server.kill();
  throw new Error(`sshd does not listen: ${readFileSync(log, 'utf8')}`);
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = new Promise((resolve) => server.once('exit', resolve));
  server.kill();
  await gone;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const done = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    // The greeting, not the bare connection: sshd then is through with its start.
    socket.once('data', () => done(true));
    socket.once('error', () => done(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}

/** Users for sudo, removed again by {@link removeUsers}. */
export interface TestUser {
  readonly name: string;
  readonly password: string;
  /** Lines of sudoers that are for this user. */
  readonly sudoers: readonly string[];
  readonly shell?: string;
}

const SUDOERS = '/etc/sudoers.d/odoo-prov-transport-test';

/** Makes users with passwords and sudo rules. @param log where sudo logs what it did */
export function makeUsers(users: readonly TestUser[], log: string): void {
  removeUsers(users);
  for (const { name, password, shell } of users) {
    execFileSync('useradd', ['--create-home', '--shell', shell ?? '/bin/bash', name]);
    execFileSync('chpasswd', { input: `${name}:${password}\n` });
  }
  const rules = users.flatMap((user) => [`Defaults:${user.name} logfile=${log}`, ...user.sudoers]);
  const draft = `${SUDOERS}.draft~`;
  writeFileSync(draft, `${rules.join('\n')}\n`, { mode: 0o440 });
  execFileSync('visudo', ['-cqf', draft]);
  writeFileSync(SUDOERS, readFileSync(draft), { mode: 0o440 });
  rmSync(draft);
}

export function removeUsers(users: readonly TestUser[]): void {
  rmSync(SUDOERS, { force: true });
  const known = readFileSync('/etc/passwd', 'utf8');
  for (const { name } of users) {
    if (known.includes(`\n${name}:`)) {
      execFileSync('userdel', ['--force', '--remove', name], { stdio: 'ignore' });
    }
  }
}
