import { createHash } from 'node:crypto';
import { Secret } from '../shell/index.js';
import { decryptSecrets, encryptTo } from './encryption.js';

/*
 * The recovery key: an age identity that is on paper only. All secrets of a cluster lie in the repository of
 * its backups, encrypted to it, so that the repository, the inventory and this key bring everything back.
 */

/** The secret that holds the key's other half. It is no secret itself; it is kept with them. */
export const RECOVERY_RECIPIENT = 'recovery-recipient';

/** A new recovery key. */
export interface RecoveryKey {
  /** What is printed, and kept nowhere. */
  readonly identity: Secret;
  /** What secrets are encrypted to. */
  readonly recipient: string;
}

export async function createRecoveryKey(): Promise<RecoveryKey> {
  const { generateIdentity, identityToRecipient } = await import('age-encryption');
  const identity = await generateIdentity();
  return { identity: new Secret(identity), recipient: await identityToRecipient(identity) };
}

/** All secrets as an armoured age file that the recovery key opens. */
export async function sealSecrets(
  secrets: ReadonlyMap<string, Secret>,
  recipient: string,
): Promise<string> {
  return encryptTo(secrets, [recipient]);
}

/**
 * The secrets of such a file.
 * @param where it was read, for messages
 * @throws Failure when the key does not open it, or it is damaged
 */
export async function openSealed(
  armoured: string,
  identity: Secret,
  where: string,
): Promise<Map<string, Secret>> {
  return decryptSecrets(armoured, [identity], where, {
    name: 'this recovery key',
    remedy: 'take the one that was shown last before the copy was written',
  });
}

/** Says whether a copy is of these secrets. It tells nothing of them: most are 190 random bits. */
export function fingerprintOf(secrets: ReadonlyMap<string, Secret>): string {
  const hash = createHash('sha256');
  for (const name of [...secrets.keys()].sort()) {
    hash.update(`${name}\0${secrets.get(name)?.reveal() ?? ''}\0`);
  }
  return hash.digest('hex');
}
