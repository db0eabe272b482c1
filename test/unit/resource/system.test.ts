import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkKind } from '../../../src/resource/check.js';
import { groupKind } from '../../../src/resource/group.js';
import { check, group, mount, sysctl, user } from '../../../src/resource/index.js';
import { mountKind } from '../../../src/resource/mount.js';
import { sysctlKind } from '../../../src/resource/sysctl.js';
import { userKind } from '../../../src/resource/user.js';

describe('group and user', () => {
  it('are there when getent says so', () => {
    const wanted = [group({ name: 'odoo' }), group({ name: 'odoo2' })];
    const found = groupKind.parse('odoo:x:999:\n', wanted);
    expect(found.get('odoo')).toEqual({ exists: true, gid: 999 });
    expect(found.get('odoo2')).toBe('absent');
  });

  it('counts only the groups asked for, whatever their order', () => {
    const odoo = user({ name: 'odoo', home: '/srv', groups: ['ssl-cert', 'adm'] });
    const output = [
      'odoo:x:999:998:Odoo:/srv:/usr/sbin/nologin',
      '',
      'adm:x:4:syslog,odoo',
      'odoo:x:998:',
      'ssl-cert:x:101:odoo',
      'games:x:60:odoo',
      '',
    ].join('\n');
    const state = { ...(userKind.want(odoo, '') as object), uid: 999 };
    expect(userKind.parse(output, [odoo]).get('odoo')).toEqual(state);
    const left = output.replace('ssl-cert:x:101:odoo', 'ssl-cert:x:101:');
    expect(userKind.parse(left, [odoo]).get('odoo')).toMatchObject({ groups: 'adm' });
    expect(userKind.parse('\nodoo:x:998:\n', [odoo]).get('odoo')).toBe('absent');
  });
});

describe('sysctl', () => {
  const range = sysctl({ key: 'net.ipv4.ip_local_port_range', value: '20000 60000' });
  const live = '/proc/sys/net/ipv4/ip_local_port_range';
  const boot = '/etc/sysctl.d/90-odoo-prov-net.ipv4.ip_local_port_range.conf';

  it('compares lists whatever parts them', () => {
    const output = `${live}\x0020000\t60000\n${boot}\x00net.ipv4.ip_local_port_range = 20000 60000\n`;
    expect(sysctlKind.parse(output, [range]).get(range.id)).toEqual(sysctlKind.want(range, ''));
    expect(sysctlKind.parse('', [range]).get(range.id)).toEqual({ live: 'none', boot: 'none' });
  });

  it('is not applicable where a container may not set it', () => {
    const output = `${live}\x00readonly\n${live}\x0032768\t60999\n`;
    expect(sysctlKind.parse(output, [range]).get(range.id)).toEqual({
      notApplicable: 'this container may not set it',
    });
  });

  it('writes names that hold dots as the kernel has them', () => {
    const vlan = sysctl({ key: 'net/ipv4/conf/eth0.1/rp_filter', value: 1 });
    expect(sysctlKind.probe([vlan], '').render()).toContain(
      '/proc/sys/net/ipv4/conf/eth0.1/rp_filter',
    );
    const dotted = sysctl({ key: 'net.ipv4.conf.eth0/1.rp_filter', value: 1 });
    expect(sysctlKind.probe([dotted], '').render()).toContain(
      '/proc/sys/net/ipv4/conf/eth0.1/rp_filter',
    );
  });
});

describe('mount', () => {
  const share = mount({ path: '/srv/a b', source: 'nas:/odoo', fstype: 'nfs', options: 'ro' });
  const fstab = '# static\n\nnas:/odoo /srv/a\\040b nfs ro 0 0\n';

  it('reads fstab and what is mounted, spaces and all', () => {
    const output = `${fstab}\0nas:/odoo /srv/a\\040b nfs4 ro,vers=4.2 0 0\n`;
    expect(mountKind.parse(output, [share]).get('/srv/a b')).toEqual(mountKind.want(share, ''));
  });

  it('says what is mounted instead', () => {
    const other = `${fstab}\0old:/odoo /srv/a\\040b nfs4 ro 0 0\n`;
    expect(mountKind.parse(other, [share]).get('/srv/a b')).toMatchObject({
      mounted: 'nfs4 from old:/odoo',
    });
    expect(mountKind.parse(`${fstab}\0`, [share]).get('/srv/a b')).toMatchObject({ mounted: 'no' });
    expect(mountKind.parse('\0', [share]).get('/srv/a b')).toBe('absent');
  });
});

describe.skipIf(process.platform !== 'linux')('check, run by a real shell', () => {
  const wanted = (command: string) =>
    check({ name: command, command, expect: 'ok', within: 0, describes: 'it works' });
  const results = (commands: readonly string[]) => {
    const checks = commands.map(wanted);
    const probe = checkKind.probe(checks, '').render();
    const { stdout } = spawnSync('sh', ['-s'], { input: probe, encoding: 'utf8' });
    return [...checkKind.parse(stdout, checks).values()];
  };

  it('gives the first line, or how it ended without one', () => {
    expect(
      results([
        'echo ok; echo more',
        "printf '%s' 'a  b'",
        'exit 7',
        'echo no >&2; exit 1',
        'true',
      ]),
    ).toEqual([
      { result: 'ok' },
      { result: 'a  b' },
      { result: 'exit code 7' },
      { result: 'no' },
      { result: 'nothing was printed' },
    ]);
  });

  it('gives up one that hangs without holding up the others', () => {
    expect(results(['sleep 60', 'echo ok'])).toEqual([
      { result: 'no answer within 5 s' },
      { result: 'ok' },
    ]);
  });

  it('fails with what it saw last', () => {
    const script = checkKind
      .apply({ resource: wanted('echo starting'), have: {}, want: {}, differences: [] })
      .render();
    const { status, stderr } = spawnSync('sh', ['-eus'], { input: script, encoding: 'utf8' });
    expect(status).toBe(1);
    // The clock's second may end meanwhile.
    expect(stderr.replace('within 1 s', 'within 0 s')).toBe(
      'it works: not within 0 s\nexpected: ok\nfound: starting\n',
    );
  });

  it('says what to do about what it found, where that does', () => {
    const command = "echo 'lost; next: look; next: there'";
    const script = checkKind
      .apply({ resource: wanted(command), have: {}, want: {}, differences: [] })
      .render();
    const { stderr } = spawnSync('sh', ['-eus'], { input: script, encoding: 'utf8' });
    expect(stderr.replace('within 1 s', 'within 0 s')).toBe(
      'it works: not within 0 s\nexpected: ok\nfound: lost\nnext: look; next: there\n',
    );
  });

  it('does not wait where that is of no use', () => {
    const resource = { ...wanted('echo lost'), within: 60, hopeless: 'lost' };
    const script = checkKind.apply({ resource, have: {}, want: {}, differences: [] }).render();
    const { status, stderr } = spawnSync('sh', ['-eus'], { input: script, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('found: lost');
  });

  it('counts what was found before others were told to try again as old', () => {
    const folder = mkdtempSync(join(tmpdir(), 'odoo-prov-check-'));
    const state = join(folder, 'state');
    writeFileSync(state, 'full, at 1');
    const tried = (next: string): ReturnType<typeof spawnSync> => {
      const again = `(sleep 1; echo '${next}' >${state}) >/dev/null 2>&1 &`;
      const resource = { ...wanted(`cat ${state}`), within: 30, again, hopeless: 'full, *' };
      const script = checkKind.apply({ resource, have: {}, want: {}, differences: [] }).render();
      return spawnSync('sh', ['-eus'], { input: script, encoding: 'utf8' });
    };
    const failed = tried('full, at 2');
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain('found: full, at 2');
    expect(tried(wanted('').expect).status).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('says what it waits for, once each time that it changes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'odoo-prov-check-'));
    const state = join(folder, 'state');
    const script = checkKind
      .apply({
        resource: { ...wanted(`cat ${state}`), within: 60 },
        have: {},
        want: {},
        differences: [],
      })
      .render();
    const input = `echo starting >${state}; { sleep 5; echo ok >${state}; } &\n${script}`;
    const { status, stdout } = spawnSync('sh', ['-eus'], { input, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect([status, stdout]).toEqual([0, 'waiting: it works; so far: starting\n']);
  });
});
