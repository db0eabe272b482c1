import { Failure } from '../failure/failure.js';
import { didYouMean } from '../inventory/index.js';
import { openSecrets } from '../secrets/index.js';
import { print } from '../ui/terminal.js';
import { loadCluster } from './load-inventory.js';

/** `odoo-prov secrets FILE list | show NAME`: never makes one. */
export async function secrets(
  file: string,
  action: 'list' | 'show',
  name: string | undefined,
): Promise<void> {
  const store = await openSecrets(loadCluster(file).file, { dryRun: true });
  const names = store.names();
  if (action === 'list') {
    if (names.length > 0) print(names.join('\n'));
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
