import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import * as lab from '../../src/lab/index.js';

const run = promisify(execFile);
const NAME = 'labtest';
const SPEC = { name: NAME, hosts: [{ name: 'one' }, { name: 'two', cores: 1 }] };
const silent = (): void => undefined;

/** Runs a command on a host; undefined when it does not answer within the limit. */
async function on(host: string, words: string, seconds = 60): Promise<string | undefined> {
  const [program = '', ...rest] = lab.labSshCommand(NAME, host);
  return run(program, [...rest, '-o', 'ConnectTimeout=3', words], { timeout: seconds * 1000 }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

async function eventually(host: string, words: string, check: (answer: string) => boolean) {
  for (let attempt = 0; attempt < 60; attempt++) {
    const answer = await on(host, words, 5);
    if (answer !== undefined && check(answer)) return answer;
    await sleep(200);
  }
  throw new Error(`${host}: ${words} never gave what was expected`);
}

/** What this lab can leave behind on the machine. */
async function traces(bridge: string): Promise<string[]> {
  const links = (await readdir('/sys/class/net')).filter((link) => link.includes(bridge));
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(`/${NAME}/`));
  const { stdout: tables } = await run('nft', ['list', 'tables']);
  const { stdout: processes } = await run('ps', ['-eo', 'args']);
  return [
    ...links,
    ...mounts,
    ...tables.split('\n').filter((line) => line.endsWith(` ${bridge}`)),
    ...processes.split('\n').filter((line) => line.includes(`/${NAME}/`)),
  ];
}

async function bridgeOf(directory: string): Promise<string> {
  const state = await readFile(path.join(directory, NAME, 'lab.json'), 'utf8');
  return (JSON.parse(state) as { bridge: string }).bridge;
}

describe('a lab of two real hosts', () => {
  let directory = '';
  let up: lab.Lab;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'odoo-prov-lab-'));
    process.env['ODOO_PROV_LAB_DIR'] = directory;
    up = await lab.labUp(SPEC, silent);
  });

  afterAll(async () => {
    await lab.labDown(NAME);
    await rm(directory, { recursive: true, force: true });
  });

  it('has hosts with names, keys and machine ids of their own', async () => {
    const words = 'hostname; cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub';
    const answers = await Promise.all([on('one', words), on('two', words)]);
    const [one = [], two = []] = answers.map((answer) => answer?.split('\n') ?? []);
    expect([one[0], two[0]]).toEqual(['one', 'two']);
    expect(one).toHaveLength(3);
    expect(one.slice(1)).not.toEqual(two.slice(1));
    expect(await on('one', 'systemctl is-system-running --wait')).toBe('running');
  });

  it('is left alone by a second labUp', async () => {
    const boot = await on('one', 'systemctl show -P UserspaceTimestampMonotonic');
    await lab.labUp(SPEC, (line) => expect.unreachable(line));
    expect(await on('one', 'systemctl show -P UserspaceTimestampMonotonic')).toBe(boot);
  });

  it('comes back from a reboot', async () => {
    const boot = (await on('one', 'systemctl show -P UserspaceTimestampMonotonic')) ?? '';
    await on('one', 'systemctl reboot');
    await eventually('one', 'systemctl show -P UserspaceTimestampMonotonic', (now) => now !== boot);
  });

  it('loses a host to a power cut, and keeps what it wrote', async () => {
    await on('two', 'echo kept > /root/note');
    await lab.powerCut(up, 'two');
    expect(await on('two', 'true', 4)).toBeUndefined();
    await lab.powerOn(up, 'two');
    expect(await on('two', 'cat /root/note')).toBe('kept');
  });

  it('cuts and heals a network, freezes and thaws a host', async () => {
    await lab.networkCut(up, 'one');
    expect(await on('one', 'true', 4)).toBeUndefined();
    await lab.networkHeal(up, 'one');
    expect(await eventually('one', 'hostname', Boolean)).toBe('one');
    await lab.freeze(up, 'one');
    expect(await on('one', 'true', 4)).toBeUndefined();
    await lab.thaw(up, 'one');
    expect(await eventually('one', 'hostname', Boolean)).toBe('one');
  });

  it('goes back to a snapshot', async () => {
    await on('two', 'echo before > /root/note');
    await lab.snapshot(up, { host: 'two' });
    await on('two', 'echo after > /root/note; rm /usr/bin/less');
    await lab.restoreSnapshot(up, { host: 'two' });
    expect(await on('two', 'cat /root/note; ls /usr/bin/less')).toBe('before\n/usr/bin/less');
  });

  it('is cleaned up after labUp was killed, and can be had again', async () => {
    await lab.labDown(NAME);
    const entry = path.resolve(import.meta.dirname, '../../dist/lab.js');
    const program = `import { labUp } from ${JSON.stringify(entry)}; await labUp(${JSON.stringify(SPEC)}, () => undefined);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: 'ignore',
    });
    const state = path.join(directory, NAME, 'lab.json');
    while ((await readFile(state, 'utf8').catch(() => '')) === '') await sleep(10);
    await sleep(400);
    child.kill('SIGKILL');
    const bridge = await bridgeOf(directory);
    await lab.labDown(NAME);
    expect(await traces(bridge)).toEqual([]);
    expect((await lab.labList()).map((each) => each.name)).not.toContain(NAME);
    up = await lab.labUp(SPEC, silent);
    expect(await on('one', 'hostname')).toBe('one');
  });

  it('leaves nothing when it is taken down', async () => {
    const bridge = await bridgeOf(directory);
    expect(await traces(bridge)).not.toEqual([]);
    await lab.labDown(NAME);
    expect(await traces(bridge)).toEqual([]);
  });

  it('has the Debian that was asked for, and keeps it', async () => {
    const spec = { name: NAME, hosts: [{ name: 'one' }] };
    await lab.labUp({ ...spec, release: 'bookworm' }, silent);
    expect(await on('one', '. /etc/os-release && echo "$VERSION_ID"')).toBe('12');
    expect((await lab.labUp(spec, silent)).hosts).toHaveLength(1);
    await expect(lab.labUp({ ...spec, release: 'trixie' }, silent)).rejects.toThrow(
      'has another Debian release',
    );
    await lab.labDown(NAME);
  });
});
