import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { powerCut, powerOn, type Lab } from '../../src/lab/index.js';
import { bareCluster, type BareCluster } from '../support/bare-cluster.js';
import { must } from '../support/host-shell.js';
import { testLabDown } from '../support/lab.js';
import { OdooClient } from '../support/odoo-client.js';
import { buildProgram, hostRecaps, printed, recapOf, type ProgramEnd } from '../support/program.js';

const HOSTS = ['front', 'odoo1', 'odoo2'];
const BASTION = 'bastion';
const PORT = 2222;
const MEMORY = 10 * 1024 ** 3;
/** Milliseconds. Some four minutes on a quiet machine; others may be at work on this one. */
const INSTALLATION = 3_600_000;
const PASSWORD = randomBytes(12).toString('hex');
const UNTIL_ODOO_ANSWERS =
  'curl -sf -o /dev/null --retry 120 --retry-delay 1 --retry-all-errors http://127.0.0.1:8069/web/health';

let cluster: BareCluster;
let right: string;
let wrong: string;

const apply = (passwordFile: string, ...words: readonly string[]): Promise<ProgramEnd> =>
  cluster.run(['apply', cluster.file, '--json', '--become-password-file', passwordFile, ...words]);

beforeAll(async () => {
  buildProgram();
  cluster = await bareCluster('three-hosts.yaml', {
    name: 'three',
    memory: MEMORY,
    others: [BASTION],
    change: throughBastion,
  });
  await Promise.all([...HOSTS, BASTION].map(prepareHost));
  right = join(cluster.folder, 'password');
  wrong = join(cluster.folder, 'wrong-password');
  writeFileSync(right, `${PASSWORD}\n`, { mode: 0o600 });
  writeFileSync(wrong, 'not the password\n', { mode: 0o600 });
});
afterAll(() => testLabDown('three'));

describe('three bare hosts behind a bastion, another port, a user with password sudo', () => {
  it('are not touched before their keys are trusted', async () => {
    const end = await apply(right);
    expect(end.code, printed(end)).toBe(4);
    expect(recapOf(end).unreachable).toBe(HOSTS.length);
    expect(end.stdout).toContain('odoo-prov trust');
  });

  it('are pinned by trust, the bastion first', async () => {
    const end = await cluster.run(['trust', cluster.file, '--yes']);
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('bastion of front, odoo1, odoo2');
    const known = readFileSync(join(cluster.folder, 'known_hosts'), 'utf8');
    expect(known).toContain(`${cluster.addressOf(BASTION)} `);
    for (const host of HOSTS) expect(known).toContain(`[${cluster.addressOf(host)}]:${PORT} `);
    expect((await cluster.run(['trust', cluster.file, '--yes'])).stdout).not.toContain('recorded');
  });

  it('are tried with a wrong password once, and not all of them', async () => {
    const end = await apply(wrong);
    expect(end.code, printed(end)).toBe(3);
    expect(recapOf(end)).toMatchObject({ failed: HOSTS.length, changed: 0 });
    for (const { failure } of end.events.filter(({ type }) => type === 'host-failed')) {
      expect(failure?.reason).toBe('sudo-password');
    }
    const attempts = await Promise.all(HOSTS.map(refusedPasswords));
    expect(attempts.reduce((sum, n) => sum + n, 0)).toBe(1);
    expect(end.stdout + end.stderr).not.toContain('not the password');
  });

  it.each(HOSTS)('count exactly one attempt when %s alone is asked', async (host) => {
    const before = await refusedPasswords(host);
    const words = ['--limit', host, '--become-password-file', wrong, '--', 'true'];
    const end = await cluster.run(['exec', cluster.file, ...words]);
    expect(end.code, printed(end)).toBe(3);
    expect(await refusedPasswords(host)).toBe(before + 1);
  });

  it('converge', { timeout: INSTALLATION }, async () => {
    const end = await apply(right);
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout + end.stderr).not.toContain(PASSWORD);
  });

  it('are as they should be the next time, for one connection and one exec each', async () => {
    const before = await Promise.all([...HOSTS, BASTION].map(logins));
    const end = await apply(right, '--detailed-exitcode');
    expect(end.code, printed(end)).toBe(0);
    for (const host of HOSTS) {
      expect(hostRecaps(end)[host]).toMatchObject({
        changed: 0,
        wire: { connections: 1, execs: 1 },
      });
    }
    const after = await Promise.all([...HOSTS, BASTION].map(logins));
    expect(after).toEqual(before.map((n) => n + 1));
  });

  it('let admin in through the edge', async () => {
    const client = await loggedIn();
    expect(await client.whoAmI()).toBe('admin');
  });

  it.each(['odoo1', 'odoo2'])(
    'still serve, and know who is logged in, while %s is away',
    async (host) => {
      const client = await loggedIn();
      await must(cluster.shell(host), 'systemctl stop odoo-app');
      for (let asked = 0; asked < 6; asked += 1) expect(await client.whoAmI()).toBe('admin');
      expect(await (await loggedIn()).whoAmI()).toBe('admin');
      await must(cluster.shell(host), `systemctl start odoo-app; ${UNTIL_ODOO_ANSWERS}`);
      // nginx leaves a server out for 10 s after it failed.
      await sleep(11_000);
    },
  );
});

describe('trouble with one of three hosts', () => {
  it('is a changed host key: refused, with both fingerprints', async () => {
    const known = readFileSync(join(cluster.folder, 'known_hosts'), 'utf8');
    const { line, fingerprint } = otherKey();
    const place = `[${cluster.addressOf('odoo1')}]:${PORT}`;
    const changed = [...known.split('\n').filter((l) => !l.startsWith(place)), `${place} ${line}`];
    writeFileSync(join(cluster.folder, 'known_hosts.changed'), `${changed.join('\n')}\n`);
    const file = cluster.variant('changed', (data) => ({
      ...data,
      ssh: { ...(data['ssh'] as object), known_hosts: 'known_hosts.changed' },
    }));
    const end = await cluster.run(['apply', file, '--plain', '--become-password-file', right]);
    expect(end.code, printed(end)).toBe(4);
    const real = await must(
      cluster.shell('odoo1'),
      `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2`,
    );
    expect(end.stdout + end.stderr).toContain(fingerprint);
    expect(end.stdout + end.stderr).toContain(real.trim());
  });

  it('is a host that is off: the others go on, the recap says it, and it catches up', async () => {
    const drift = 'rm /etc/odoo/cron.conf';
    await must(cluster.shell('odoo1'), drift);
    await must(cluster.shell('odoo2'), drift);
    await powerCut(cluster.lab, 'odoo2');
    const end = await apply(right);
    await powerOn(cluster.lab, 'odoo2');
    expect(end.code, printed(end)).toBe(4);
    const recaps = hostRecaps(end);
    expect(recaps['front']).toMatchObject({ unreachable: false, failed: 0 });
    expect(recaps['odoo1']).toMatchObject({ unreachable: false, failed: 0 });
    expect(recaps['odoo1']?.changed).toBeGreaterThan(0);
    expect(recaps['odoo2']).toMatchObject({ unreachable: true, changed: 0 });

    const next = await apply(right);
    expect(next.code, printed(next)).toBe(0);
    expect(hostRecaps(next)['odoo2']?.changed).toBeGreaterThan(0);
    expect(hostRecaps(next)['odoo1']?.changed).toBe(0);
  });
});

async function loggedIn(): Promise<OdooClient> {
  const client = new OdooClient(cluster.addressOf('front'), cluster.cluster.odoo.domain);
  await client.logIn('admin', await cluster.secret('odoo-admin-password'));
  return client;
}

/** The inventory's own words for a cluster that is reached so. */
function throughBastion(data: Readonly<Record<string, unknown>>, lab: Lab): typeof data {
  const bastion = lab.hosts.find(({ name }) => name === BASTION);
  const hosts = data['hosts'] as Readonly<Record<string, object>>;
  return {
    ...data,
    ssh: {
      user: 'deploy',
      port: PORT,
      key: lab.key,
      jump: `deploy@${bastion?.address ?? ''}`,
      known_hosts: 'known_hosts',
      host_key: 'strict',
    },
    hosts: Object.fromEntries(
      Object.entries(hosts).map(([name, host]) => [name, { ...host, ssh: {} }]),
    ),
  };
}

/** Makes the user over SSH. On hosts of the cluster it may come in from the bastion and by the other port only. */
async function prepareHost(host: string): Promise<void> {
  const sshd =
    host === BASTION
      ? 'PasswordAuthentication no'
      : `Port 22
Port ${PORT}
Match LocalPort 22
  AllowUsers root
Match LocalPort ${PORT}
  AllowUsers deploy@${cluster.addressOf(BASTION)}`;
  await must(
    cluster.shell(host),
    `useradd -m -s /bin/bash ${host === BASTION ? '' : '-G sudo'} deploy
chpasswd <<'EOF'
deploy:${PASSWORD}
EOF
install -d -m 700 -o deploy -g deploy /home/deploy/.ssh
install -m 600 -o deploy -g deploy /root/.ssh/authorized_keys /home/deploy/.ssh/
cat >/etc/ssh/sshd_config.d/50-test.conf <<'EOF'
${sshd}
EOF
sshd -t
systemctl restart ssh`,
  );
}

/** How often sudo refused a password there. */
async function refusedPasswords(host: string): Promise<number> {
  const log = await must(cluster.shell(host), 'journalctl -o cat --no-pager _COMM=sudo || :');
  return log.split('\n').filter((line) => line.includes('authentication failure;')).length;
}

/** How often the user has logged in there. */
async function logins(host: string): Promise<number> {
  const log = await must(cluster.shell(host), 'journalctl -o cat --no-pager -u ssh');
  return log.split('\n').filter((line) => line.startsWith('Accepted publickey for deploy')).length;
}

/** A host key that is not that of any host. */
function otherKey(): { readonly line: string; readonly fingerprint: string } {
  const path = join(cluster.folder, 'other_host_key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  const [type = '', key = ''] = readFileSync(`${path}.pub`, 'utf8').split(' ');
  const listed = execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' });
  return { line: `${type} ${key}`, fingerprint: listed.split(' ')[1] ?? '' };
}
