import { readFileSync, statSync } from 'node:fs';
import { Failure } from '../failure/failure.js';
import { createRecoveryKey, openSecrets, RECOVERY_RECIPIENT } from '../secrets/index.js';
import { Secret } from '../shell/index.js';
import { askSecret } from '../ui/prompt.js';
import { print, tell } from '../ui/terminal.js';
import { holdsNoSecrets } from './given-secrets.js';

/** Shows a recovery key, the only time that it is seen. */
export function showRecoveryKey(identity: Secret): void {
  print(
    'The recovery key. It is shown this once and kept nowhere: write it down, away from this machine.',
  );
  print('With it, the backups and the inventory, everything comes back.');
  print(`  ${identity.reveal()}`);
}

/** `odoo-prov secrets FILE recovery-key`: a new one, in place of any before. */
export async function newRecoveryKey(inventory: string, file: string): Promise<void> {
  const store = await openSecrets(inventory);
  // A secrets file that holds nothing else would make apply give a running cluster new passwords.
  if (holdsNoSecrets(store)) {
    throw new Failure({
      reason: 'usage',
      message: 'this cluster has no secrets yet that a recovery key could open',
      expected: `${store.file}, which the first apply makes`,
      remedy: `odoo-prov apply ${file}; if that file was lost, bring it back`,
    });
  }
  const { identity, recipient } = await createRecoveryKey();
  print(identity.reveal());
  store.set(RECOVERY_RECIPIENT, new Secret(recipient));
  await store.save();
  tell(
    'This is the recovery key, shown this once. It is kept nowhere: write it down, away from this machine.',
  );
  tell(`It counts from the next run on: odoo-prov apply ${file}`);
}

/**
 * The recovery key, from a file or a prompt.
 * @throws Failure usage when there is none, or it is no such key
 */
export async function readRecoveryKey(file: string | undefined): Promise<Secret> {
  const text =
    file === undefined
      ? (await askSecret('the recovery key:', 'give --recovery-key-file FILE')).reveal()
      : read(file);
  const line = text
    .split(/\r?\n/)
    .map((each) => each.trim())
    .find((each) => each !== '' && !each.startsWith('#'));
  if (line !== undefined && /^AGE-SECRET-KEY-1[0-9A-Z]+$/.test(line)) return new Secret(line);
  throw new Failure({
    reason: 'usage',
    message: 'that is no recovery key',
    expected: 'AGE-SECRET-KEY-1…, as apply showed it',
    remedy: 'look for a letter that is missing',
  });
}

function read(file: string): string {
  try {
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new Failure({
        reason: 'refused',
        message: `other users of this machine can read ${file}`,
        expected: 'mode 0600',
        remedy: `run: chmod 600 ${file}`,
      });
    }
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure({
      reason: 'usage',
      message: `the file of the recovery key ${file} cannot be read`,
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'check the path given to --recovery-key-file',
      cause,
    });
  }
}
