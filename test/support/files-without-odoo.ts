import { NEW_HOST_ROLES } from '../../playbooks/new-hosts-roles.js';
import { apply } from '../../playbooks/site.js';
import { filestoreBackup } from '../../roles/filestore-backup/index.js';
import type { Cluster } from '../../src/inventory/index.js';
import type { RunEvent } from '../../src/run/event.js';
import { openSecrets } from '../../src/secrets/index.js';

/**
 * Gives the first app host what saves its filestore, and Odoo's user and folders, without Odoo: what of its roles a
 * restore to new hosts prepares, and then the timer and the first snapshot. Installing Odoo takes minutes.
 * @param keyFile of the secrets
 * @returns what was told
 */
export async function saveFilesWithoutOdoo(
  cluster: Cluster,
  keyFile: string,
): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  const files = NEW_HOST_ROLES.filter(({ name }) => name === 'odoo');
  await apply(
    cluster,
    {
      check: false,
      diff: false,
      prune: false,
      restartPrimary: false,
      concurrency: 2,
      hosts: cluster.hosts.filter((host) => files.some((role) => role.on(host, cluster))),
      secrets: await openSecrets(cluster.file, { keyFile }),
      secretsAreNew: false,
      stop: new AbortController().signal,
      verify: 'never',
      roles: [...files, { ...filestoreBackup, after: ['odoo'] }],
      connect: {},
    },
    (event) => events.push(event),
  );
  return events;
}
