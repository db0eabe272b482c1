import { EXIT, Failure } from '../failure/failure.js';
import { selectHosts } from '../run/select.js';
import { collectHostKeys, pinHostKeys, type HostKeyFinding } from '../transport/index.js';
import type { Host } from '../inventory/index.js';
import { askYesNo } from '../ui/prompt.js';
import { print, stdoutStyle, tellFailure } from '../ui/terminal.js';
import { plural, table } from '../ui/text.js';
import type { HostFlags } from './apply.js';
import { loadCluster } from './load-inventory.js';
import { passphraseAsker } from './passphrase.js';

export interface TrustFlags extends HostFlags {
  readonly yes?: true;
  readonly replace?: true;
}

/** `odoo-prov trust FILE`: shows every host's key and records those that are confirmed. */
export async function trust(file: string, flags: TrustFlags): Promise<void> {
  const cluster = loadCluster(file);
  let hosts = selectHosts(cluster, flags.limit ?? [], flags.role ?? []);
  const askPassphrase = passphraseAsker(() => () => undefined);
  const options = askPassphrase === undefined ? {} : { askPassphrase };
  // Hosts behind a bastion can be asked only after the bastion itself is trusted: one round per bastion.
  while (hosts.length > 0) {
    const { findings, waiting, failures } = await collectHostKeys(hosts, options);
    show(findings);
    failures.forEach(tellFailure);
    if (failures.length > 0) process.exitCode = EXIT.unreachable;
    await record(findings, flags);
    const next: readonly Host[] = hosts.filter((host) => waiting.includes(host.name));
    if (next.length === hosts.length && !findings.some(({ state }) => state !== 'known')) return;
    hosts = next;
  }
}

function show(findings: readonly HostKeyFinding[]): void {
  const style = stdoutStyle();
  const rows = table(
    findings.map((f) => [
      f.isBastion ? `bastion of ${f.hosts.join(', ')}` : f.hosts.join(', '),
      f.name,
      f.type,
      f.fingerprint,
      f.state.toUpperCase() === 'KNOWN' ? 'known' : f.state.toUpperCase(),
    ]),
    [],
  );
  findings.forEach((finding, i) => {
    const row = rows[i] ?? '';
    print(finding.state === 'changed' || finding.state === 'refused' ? style.bad(row) : row);
    if (finding.state !== 'known')
      finding.known.forEach((known) => print(`    known until now: ${known}`));
  });
}

async function record(findings: readonly HostKeyFinding[], flags: TrustFlags): Promise<void> {
  const changed = findings.filter(({ state }) => state === 'changed' || state === 'refused');
  if (changed.length > 0 && flags.replace !== true) throw changedKeys(changed);
  const unknown = findings.filter(({ state }) => state !== 'known');
  if (unknown.length === 0) return;
  const question = `Record ${plural(unknown.length, 'key')}? Compare the fingerprints first.`;
  const agreed = flags.yes === true || (await askYesNo(question, 'compare them, then give --yes'));
  if (!agreed) {
    throw new Failure({
      reason: 'refused',
      message: 'no key was recorded',
      remedy: 'run it again when the fingerprints are confirmed',
    });
  }
  print(`${plural(await pinHostKeys(unknown), 'key')} recorded`);
}

function changedKeys(changed: readonly HostKeyFinding[]): Failure {
  return new Failure({
    reason: 'host-key',
    message: `${changed.map((f) => f.name).join(', ')}: not the key that was known`,
    expected: changed.flatMap((f) => f.known).join(', '),
    found: changed.map((f) => `${f.type} ${f.fingerprint}`).join(', '),
    remedy:
      'find out why: a reinstalled host, or somebody in between. If it is right, give --replace',
  });
}
