import { getuid } from 'node:process';

import { command, expectSuccess } from './command.js';
import { exists } from './files.js';
import { labFailure } from './lab-failure.js';

// Program → the Debian package that has it.
const PROGRAMS: Readonly<Record<string, string>> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  nft: 'nftables',
  'ssh-keygen': 'openssh-client',
};

/**
 * Makes sure that this machine can have a lab: Linux, root, and the programs, which apt installs.
 * @throws Failure lab
 */
export async function prepareMachine(onProgress: (line: string) => void): Promise<void> {
  requireLinuxRoot();
  const missing = await missingPackages();
  if (missing.length === 0) return;
  if (!(await exists('/etc/debian_version'))) {
    throw labFailure('the lab needs programs that this machine does not have', {
      expected: Object.keys(PROGRAMS).join(', '),
      found: `missing, by their Debian package: ${missing.join(', ')}`,
      remedy: 'install them with the package manager of this distribution',
    });
  }
  onProgress(`installing ${missing.join(', ')} on this machine (apt-get)`);
  const remedy = `install them by hand: apt-get install ${missing.join(' ')}`;
  await expectSuccess('read the package lists', command`apt-get update -q`, remedy);
  await expectSuccess(
    'install what the lab needs',
    command`apt-get install -q -y --no-install-recommends ${missing}`,
    remedy,
  );
}

/** @throws Failure lab when this is not Linux, or this process is not root */
export function requireLinuxRoot(): void {
  if (process.platform !== 'linux') {
    throw labFailure('only the lab needs Linux; apply works from here', {
      expected: 'linux',
      found: process.platform,
      remedy: 'run the lab on a Debian machine, and apply from wherever you like',
    });
  }
  if (getuid?.() === 0) return;
  throw labFailure('the lab needs root: it makes hosts, mounts and networks', {
    expected: 'user id 0',
    found: `user id ${String(getuid?.())}`,
    remedy: 'run the same command with sudo',
  });
}

async function missingPackages(): Promise<string[]> {
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(PROGRAMS)) {
    const found = await command`command -v ${program}`;
    if (found.exitCode !== 0) missing.push(debianPackage);
  }
  return missing;
}
