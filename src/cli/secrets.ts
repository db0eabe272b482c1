import { text } from 'node:stream/consumers';
import { Failure } from '../failure/failure.js';
import { didYouMean } from '../inventory/index.js';
import { GIVEN_SECRETS } from '../postgres/bucket.js';
import { openSecrets } from '../secrets/index.js';
import { Secret } from '../shell/index.js';
import { askSecret } from '../ui/prompt.js';
import { print, tell } from '../ui/terminal.js';
import { loadCluster } from './load-inventory.js';
import { checkGiven, SETTABLE } from './given-secrets.js';
import { newRecoveryKey } from './recovery-key.js';

/** `odoo-prov secrets FILE list | show NAME | set NAME | recovery-key`: only the last makes one. */
export async function secrets(
  file: string,
  action: 'list' | 'show' | 'set' | 'recovery-key',
  name: string | undefined,
): Promise<void> {
  if (action === 'recovery-key') {
    await newRecoveryKey(loadCluster(file).file, file);
    return;
  }
  if (action === 'set') {
    await setSecret(file, name);
    return;
  }
  const store = await openSecrets(loadCluster(file).file, { dryRun: true });
  const names = store.names();
  if (action === 'list') {
    if (names.length > 0) print(names.join('\n'));
    else tell('no secret has been generated yet: the first apply makes them');
    return;
  }
  const secret = name === undefined ? undefined : store.find(name);
  if (secret !== undefined) {
    print(secret.reveal());
    return;
  }
  throw new Failure({
    reason: 'usage',
    message:
      name === undefined
        ? 'which secret is not said'
        : `there is no secret ${name}${didYouMean(name, names)}`,
    expected:
      names.length === 0 ? 'none: the first apply makes them' : `one of: ${names.join(', ')}`,
    remedy: `odoo-prov secrets ${file} list shows the names`,
  });
}

/** Takes the new value from a prompt, or from the first line of stdin. */
async function setSecret(file: string, name: string | undefined): Promise<void> {
  if (name === undefined || !Object.hasOwn(SETTABLE, name)) {
    throw new Failure({
      reason: 'usage',
      message: `${name ?? 'a secret without a name'} cannot be set`,
      expected: Object.entries(SETTABLE)
        .map(([each, what]) => `${each}: ${what}`)
        .join('; '),
      remedy: 'the other secrets belong to odoo-prov, which makes them and puts them in place',
    });
  }
  const { file: inventory, postgres } = loadCluster(file);
  if (GIVEN_SECRETS.includes(name) && postgres.backup?.s3 === undefined) {
    throw new Failure({
      reason: 'usage',
      message: `${name} is of no use: the backups of this cluster are in no bucket`,
      expected: 'postgres: { backup: { s3: … } } in its inventory',
      remedy: 'docs/backup.md says how to set it up',
    });
  }
  const store = await openSecrets(inventory);
  const value = await readSecret();
  if (GIVEN_SECRETS.includes(name)) checkGiven(name, value);
  store.set(name, value);
  await store.save();
}

async function readSecret(): Promise<Secret> {
  if (process.stdin.isTTY) return askSecret('the new value:', 'give it on stdin');
  const [value = ''] = (await text(process.stdin)).split(/\r?\n/);
  if (value !== '') return new Secret(value);
  throw new Failure({
    reason: 'usage',
    message: 'no value was given',
    expected: 'the new value on the first line of stdin',
    remedy: 'type it at the prompt, or: odoo-prov secrets FILE set NAME < value.txt',
  });
}
