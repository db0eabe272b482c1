import type { Cluster, Host, Settings } from '../inventory/cluster.js';
import { aptPackage, directory, file } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { bucketAddress } from './bucket.js';
import { pgbackrest, PGBACKREST_PORT, repositoryOf, stanzaOf } from './pgbackrest.js';

/*
 * What every database host gets where the inventory has a backup: its part of pgBackRest, and the settings
 * that archive WAL. All have them, a standby too: after a promotion the archive goes on by itself.
 */

/** Seconds after which a segment that is not full is archived: what a lost primary may cost at most. */
const ARCHIVE_TIMEOUT = '60s';

/** What a standby fetches WAL with: bounds how long an archive that says nothing holds it, and a promotion of it. */
export const FETCH_WAL = '/usr/lib/odoo-prov/fetch-wal';

/** Packages of a database host for the archive; none where there is no backup. */
export function archivePackages({ cluster }: Site): readonly Resource[] {
  const { backup } = cluster.postgres;
  if (backup === undefined) return [];
  // A store's certificate is checked by the authorities that Debian knows.
  const names = backup.s3 === undefined ? ['pgbackrest'] : ['pgbackrest', 'ca-certificates'];
  return names.map((name) => aptPackage({ name }));
}

/** pgBackRest on a database host. It goes before PostgreSQL's settings, which name its programs. */
export function archiveClient(site: Site): readonly Resource[] {
  if (site.cluster.postgres.backup === undefined) return [];
  return [
    ...pgbackrest(site),
    directory({ path: '/usr/lib/odoo-prov' }),
    file({ path: FETCH_WAL, content: site.asset('postgres/fetch-wal.sh'), mode: '0755' }),
  ];
}

/** postgresql.conf keys that archive; a backup's `restore_command` also serves a standby that fell behind. */
export function archiveSettings({ cluster, host }: Pick<Site, 'cluster' | 'host'>): Settings {
  if (cluster.postgres.backup === undefined) return {};
  const at = doorOf(cluster, host);
  const program = `pgbackrest --stanza=${stanzaOf(cluster)}`;
  return {
    archive_mode: 'on',
    archive_command: `${knock(cluster, host)}${program} archive-push %p`,
    archive_timeout: ARCHIVE_TIMEOUT,
    restore_command: [FETCH_WAL, '%f "%p"', stanzaOf(cluster), at?.address, at?.port]
      .filter((word) => word !== undefined)
      .join(' '),
  };
}

/**
 * Shell, before a command of pgBackRest: knocks at the repository, and ends the command where nobody answers. pgBackRest itself
 * tries for a minute and more: a stop would wait for a repository that is away. PostgreSQL asks again anyway.
 * @returns nothing on the host that keeps it
 */
export function knock(cluster: Cluster, host: Host): string {
  const at = doorOf(cluster, host);
  if (at === undefined) return '';
  return `timeout ${String(at.seconds)} bash -c ': </dev/tcp/${at.address}/${String(at.port)}' && `;
}

/** Where the repository is knocked at, and how long; undefined for the host that keeps it. */
function doorOf(
  cluster: Cluster,
  host: Host,
): { readonly address: string; readonly port: number; readonly seconds: number } | undefined {
  const { backup, host: keeper } = repositoryOf(cluster);
  if (backup.s3 !== undefined) {
    // Its name is asked for each time, and it may be on another continent.
    return { address: bucketAddress(backup.s3), port: backup.s3.port, seconds: 3 };
  }
  if (keeper.name === host.name) return undefined;
  return { address: keeper.address, port: PGBACKREST_PORT, seconds: 1 };
}
