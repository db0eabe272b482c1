import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aptPackage } from '../../src/resource/index.js';
import type { Change } from '../../src/resource/kind.js';
import { packageKind, type PackageResource } from '../../src/resource/package.js';
import { changes, converge, differingFields, tryToConverge } from '../support/contract.js';
import { type HostShell, labShell, must } from '../support/host-shell.js';
import { testLab } from '../support/lab.js';

let shell: HostShell;
const hello = aptPackage({ name: 'hello' });
const purge = 'dpkg --purge hello tree >/dev/null 2>&1; :';

/** Another apt that takes its time with the lock. */
const HOLD = `DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Pre-Invoke::='sleep 8' install tree >/dev/null 2>&1 &
sleep 2`;

describe('packages under trouble', () => {
  beforeAll(async () => {
    shell = labShell(await testLab('contract-trixie', { hosts: [{ name: 'h1' }] }), 'h1');
    await must(shell, purge);
  });
  afterAll(() => must(shell, purge));

  it('installs several at once and shows how far it is', async () => {
    await must(shell, 'rm -f /var/log/odoo-prov/apt.log');
    const tree = aptPackage({ name: 'tree' });
    const printed = await converge(shell, hello, tree);
    expect(printed).toMatch(/^progress \d+% Unpacking hello/m);
    expect(printed).toMatch(/^progress \d+% (Setting up|Installed) tree/m);
    expect(await differingFields(shell, hello)).toEqual([]);
    const log = await must(shell, 'cat /var/log/odoo-prov/apt.log');
    expect(log.match(/newly installed/g)).toHaveLength(1);
  });

  it('waits for who holds the lock, and says who', async () => {
    await must(shell, `${purge}\n${HOLD}`);
    expect(await converge(shell, hello)).toMatch(
      /^progress waiting for apt's lock, held by \d+ \(apt-get\)/m,
    );
    expect(await differingFields(shell, hello)).toEqual([]);
  });

  it('gives up in the end, in the words by which apt names the holder', async () => {
    await must(
      shell,
      `${purge}
${HOLD}`,
    );
    const [wanted] = await changes(shell, [hello]);
    if (wanted === undefined) throw new Error('hello is installed');
    const patient = packageKind.apply(wanted as Change<PackageResource>).render();
    const answer = await shell(`set -eu\n${patient.replace('-ge 900', '-ge 2')}`);
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toMatch(
      /^Could not get lock \/var\/lib\S+\. It is held by process \d+ \(apt-get\)$/m,
    );
    await converge(shell, hello);
  });

  it('repairs a dpkg that was killed in its work', async () => {
    await must(
      shell,
      `${purge}
cd /tmp && apt-get -qq download tree hello 2>/dev/null
dpkg --unpack tree_*.deb >/dev/null
rm -f ./*.deb`,
    );
    expect(await converge(shell, hello)).toContain('progress repairing an interrupted dpkg');
    expect(await must(shell, 'dpkg --audit')).toBe('');
    expect(await differingFields(shell, aptPackage({ name: 'tree' }))).toEqual([]);
  });

  it('fetches package lists when they lack a package, and says what apt says', async () => {
    const answer = await tryToConverge(shell, aptPackage({ name: 'no-such-package-anywhere' }));
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toContain('Unable to locate package no-such-package-anywhere');
    expect(answer.stderr).toContain('/var/log/odoo-prov/apt.log');
  });

  it('fetches package lists again after a source changed', async () => {
    await must(shell, `${purge}; touch /etc/apt/sources.list.d`);
    expect(await converge(shell, hello)).toContain('progress fetching package lists');
    await must(shell, purge);
    expect(await converge(shell, hello)).not.toContain('progress fetching package lists');
  });

  it('installs from another suite when told', async () => {
    await must(shell, purge);
    const wrong = await tryToConverge(shell, aptPackage({ name: 'hello', release: 'nonesuch' }));
    expect(wrong.stderr).toContain('nonesuch');
    await converge(shell, aptPackage({ name: 'hello', release: 'trixie' }));
    expect(await differingFields(shell, hello)).toEqual([]);
  });
});
