import type { Settings } from '../inventory/cluster.js';
import { aptPackage } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { pgbackrest, PGBACKREST_PORT, repositoryOf, stanzaOf } from './pgbackrest.js';

/*
 * What every database host gets where the inventory has a backup: its part of pgBackRest, and the settings
 * that archive WAL. All have them, a standby too: after a promotion the archive goes on by itself.
 */

/** Seconds after which a segment that is not full is archived: what a lost primary may cost at most. */
const ARCHIVE_TIMEOUT = '60s';

/** Packages of a database host for the archive; none where there is no backup. */
export function archivePackages({ cluster }: Site): readonly Resource[] {
  return cluster.postgres.backup === undefined ? [] : [aptPackage({ name: 'pgbackrest' })];
}

/** pgBackRest on a database host. It goes before PostgreSQL's settings, which name its program. */
export function archiveClient(site: Site): readonly Resource[] {
  return site.cluster.postgres.backup === undefined ? [] : pgbackrest(site);
}

/** postgresql.conf keys that archive; a backup's `restore_command` also serves a standby that fell behind. */
export function archiveSettings({ cluster, host }: Pick<Site, 'cluster' | 'host'>): Settings {
  if (cluster.postgres.backup === undefined) return {};
  const keeper = repositoryOf(cluster).host;
  // pgBackRest itself tries for a minute and more: a promotion, a start or a stop would wait for a repository that is
  // away. PostgreSQL asks again anyway.
  const reach =
    keeper.name === host.name
      ? ''
      : `timeout 1 bash -c ': </dev/tcp/${keeper.address}/${String(PGBACKREST_PORT)}' && `;
  const program = `${reach}pgbackrest --stanza=${stanzaOf(cluster)}`;
  return {
    archive_mode: 'on',
    archive_command: `${program} archive-push %p`,
    archive_timeout: ARCHIVE_TIMEOUT,
    restore_command: `${program} archive-get %f "%p"`,
  };
}
