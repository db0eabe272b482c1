import { Failure } from '../failure/failure.js';
import { formatPlace, knownHostsName } from './address.js';
import { describeKey, shortType } from './host-key.js';
import { judgeHostKey, type KnownHost, knownTypes, type Verdict } from './known-hosts.js';
import { appendKnownHost, inTurn, readKnownHosts } from './known-hosts-file.js';
import type { Target } from './target.js';

/** The names that known_hosts may hold a target under. */
export function knownNames(target: Target): { name: string; plainName: string } {
  // An alias stands alone: OpenSSH adds no port to it (ssh_config(5), HostKeyAlias).
  const alias = target.hostKeyAlias?.toLowerCase();
  return {
    name: alias ?? knownHostsName(target.host, target.port),
    plainName: alias ?? target.host.toLowerCase(),
  };
}

/** The types of the keys known for a target. */
export async function knownKeyTypes(target: Target): Promise<readonly string[]> {
  const { name, plainName } = knownNames(target);
  return knownTypes(await readKnownHosts(target.knownHosts), name, plainName);
}

/** What the target's known_hosts files say of a key. */
export async function judge(target: Target, key: Buffer): Promise<Verdict> {
  const { name, plainName } = knownNames(target);
  return judgeHostKey(await readKnownHosts(target.knownHosts), name, plainName, key);
}

/**
 * Decides whether to go on with a host that presents this key: known keys pass, a new one is recorded where the
 * inventory says `accept-new`, everything else is refused.
 * @param onNew told when a new key was recorded
 * @throws Failure host-key
 */
export async function acceptHostKey(target: Target, key: Buffer, onNew: () => void): Promise<void> {
  const file = target.knownHosts[0];
  const verdict = await judge(target, key);
  if (verdict.state !== 'new') {
    refuseUnlessKnown(target, key, verdict);
    return;
  }
  if (target.hostKey === 'strict' || file === undefined) throw unknownKey(target, key, verdict);
  await inTurn(file, async () => {
    // Another connection may have recorded a key for this name since.
    const now = await judge(target, key);
    if (now.state === 'new') {
      await appendKnownHost(file, knownNames(target).name, key);
      onNew();
    } else refuseUnlessKnown(target, key, now);
  });
}

function refuseUnlessKnown(
  target: Target,
  key: Buffer,
  verdict: Exclude<Verdict, { state: 'new' }>,
): void {
  if (verdict.state === 'changed') throw changedKey(target, key, verdict.known);
  if (verdict.state === 'revoked') throw revokedKey(target, key, verdict.at);
}

function place(target: Target): string {
  return formatPlace(target.host, target.port);
}

function unknownKey(target: Target, key: Buffer, verdict: Verdict & { state: 'new' }): Failure {
  const authority = verdict.onlyAuthority
    ? ' (a certificate authority is, but host certificates are not supported)'
    : '';
  return new Failure({
    reason: 'host-key',
    host: target.label,
    message: `the host key of ${place(target)} is not known${authority}`,
    expected: `a key in ${target.knownHosts.join(' or ')}`,
    found: describeKey(key),
    remedy:
      'compare the fingerprint with the one on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then pin it: odoo-prov trust FILE',
  });
}

function changedKey(target: Target, key: Buffer, known: readonly KnownHost[]): Failure {
  const { name } = knownNames(target);
  const file = known[0]?.file ?? '';
  return new Failure({
    reason: 'host-key',
    host: target.label,
    message: `the host key of ${place(target)} has CHANGED; nothing was sent to it`,
    expected: known
      .map((entry) => `${describeKey(entry.key)} (${entry.file}:${entry.line})`)
      .join(', '),
    found: describeKey(key),
    remedy:
      'if the host was reinstalled, compare the new fingerprint with the one on its console, then: ' +
      `odoo-prov trust FILE (or: ssh-keygen -R '${name}' -f ${file}). ` +
      'If nobody reinstalled it, somebody may be between you and it: find out before going on',
  });
}

function revokedKey(target: Target, key: Buffer, at: KnownHost): Failure {
  return new Failure({
    reason: 'host-key',
    host: target.label,
    message: `the host key of ${place(target)} is revoked in ${at.file}:${at.line}`,
    found: describeKey(key),
    remedy: `make new ${shortType(at.type)} host keys on the host and pin them: odoo-prov trust FILE`,
  });
}
