import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unit } from '../../src/resource/index.js';
import { changes, converge, differingFields, tryToConverge } from '../support/contract.js';
import { type HostShell, labShell, must } from '../support/host-shell.js';
import { testLab } from '../support/lab.js';

const HERE = '/srv/restarts';
let shell: HostShell;

/** A service that notes each start. */
async function service(name: string, run: string): Promise<void> {
  await must(
    shell,
    `cat > /etc/systemd/system/${name}.service <<'UNIT'
[Service]
ExecStartPre=/bin/sh -c 'echo start >> ${HERE}/${name}.starts'
ExecStart=/bin/sh -c '${run}'
ExecReload=/bin/sh -c 'echo reload >> ${HERE}/${name}.starts'
Restart=always
RestartSec=0.2
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload`,
  );
}

const starts = async (name: string) =>
  (await must(shell, `cat ${HERE}/${name}.starts`)).trim().split('\n');

describe('restarts are state', () => {
  const one = unit({
    name: 'one',
    restartFor: [`file:${HERE}/a`, `symlink:${HERE}/link`, 'package:bash'],
    reloadFor: [`file:${HERE}/b`],
  });

  beforeAll(async () => {
    shell = labShell(await testLab('contract-trixie', { hosts: [{ name: 'h1' }] }), 'h1');
    await must(shell, `rm -rf ${HERE}; mkdir ${HERE}; cd ${HERE}; touch a b; ln -s a link`);
    await service('one', 'exec sleep infinity');
    await converge(shell, one);
  });

  afterAll(async () => {
    await must(
      shell,
      `systemctl disable --quiet --now one crash 2>/dev/null; rm -rf ${HERE} /etc/systemd/system/one.service /etc/systemd/system/crash.service; systemctl daemon-reload`,
    );
  });

  it('names the file that the unit has not taken in', async () => {
    await must(shell, `touch ${HERE}/a ${HERE}/b`);
    const [change] = await changes(shell, [one]);
    expect(change?.differences).toEqual([
      { field: 'restart', have: `due for ${HERE}/a`, want: 'done' },
      { field: 'reload', have: `due for ${HERE}/b`, want: 'done' },
    ]);
    const before = await starts('one');
    await converge(shell, one);
    expect(await starts('one')).toEqual([...before, 'start']);
    expect(await differingFields(shell, one)).toEqual([]);
  });

  it('reloads without a restart, and does not take that for a restart', async () => {
    const before = await starts('one');
    await must(shell, `touch ${HERE}/b`);
    await converge(shell, one);
    expect(await starts('one')).toEqual([...before, 'reload']);
    await must(shell, `touch ${HERE}/a ${HERE}/b; systemctl reload one`);
    expect(await differingFields(shell, one)).toEqual(['restart', 'reload']);
    await converge(shell, one);
  });

  it.each([
    ['a changed symlink', `ln -sfn b ${HERE}/link`],
    ['a file put back with an old time', `touch -d 2001-01-01 ${HERE}/a`],
    ['a file that went away', `rm ${HERE}/a`],
    ['a file that came', `touch -d 2001-01-01 ${HERE}/a`],
    ['a package that was unpacked anew', 'touch /var/lib/dpkg/info/bash.list'],
    ['a file from the future', `touch -d tomorrow ${HERE}/a`],
  ])('sees %s once', async (_what, how) => {
    await must(shell, how);
    expect(await differingFields(shell, one)).toEqual(['restart']);
    await converge(shell, one);
    expect(await differingFields(shell, one)).toEqual([]);
    await must(shell, `touch ${HERE}/a`);
    await converge(shell, one);
  });

  it('believes a restart by somebody else', async () => {
    await must(shell, `touch ${HERE}/a ${HERE}/b; sleep 0.1; systemctl restart one`);
    expect(await differingFields(shell, one)).toEqual([]);
  });

  it('does not believe a record that was cut', async () => {
    await must(shell, `touch ${HERE}/a`);
    await converge(shell, one);
    await must(
      shell,
      `f=/var/lib/odoo-prov/units/one.service.restart; head -c 60 $f > $f.x; mv $f.x $f`,
    );
    expect(await differingFields(shell, one)).toEqual([]);
    await must(shell, `touch ${HERE}/a`);
    expect(await differingFields(shell, one)).toEqual(['restart']);
  });

  it('fails with the reason when a service does not stay up', async () => {
    await service('crash', 'echo the disk is on fire >&2; sleep 0.5; exit 7');
    const answer = await tryToConverge(shell, unit({ name: 'crash' }));
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toContain('crash.service: it did not stay up');
    expect(answer.stderr).toContain('the disk is on fire');
    expect(answer.stderr).toContain('status=7');
    expect(await differingFields(shell, unit({ name: 'crash' }))).toContain('active');
  });

  it('is not taken in by a service that runs for a moment each time', async () => {
    await service('crash', 'sleep 0.8; exit 7');
    await must(shell, 'systemctl restart crash; sleep 1.5');
    for (let i = 0; i < 5; i += 1) {
      expect(await differingFields(shell, unit({ name: 'crash' }))).toContain('active');
    }
  });

  it('mends a service that gave up restarting', async () => {
    await must(shell, 'systemctl stop crash');
    await service('crash', 'exit 7');
    expect((await tryToConverge(shell, unit({ name: 'crash' }))).code).not.toBe(0);
    await service('crash', 'exec sleep infinity');
    await converge(shell, unit({ name: 'crash' }));
    expect(await differingFields(shell, unit({ name: 'crash' }))).toEqual([]);
  });

  it('has nothing to do after a reboot', async () => {
    await converge(shell, one);
    const boot = await must(
      shell,
      'cat /proc/sys/kernel/random/boot_id; systemctl show -p UserspaceTimestamp',
    );
    await shell('systemctl reboot');
    for (let i = 0; i < 100; i += 1) {
      const now = await shell(
        'cat /proc/sys/kernel/random/boot_id; systemctl show -p UserspaceTimestamp; systemctl is-system-running --wait',
      );
      if (now.code !== 255 && !now.stdout.startsWith(boot)) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(await differingFields(shell, one)).toEqual([]);
  });
});
