import { filestoreServer } from '../../src/filestore/keeper.js';
import { savesFilestore } from '../../src/filestore/layout.js';
import { backupUnits, FULL_BACKUP_UNIT } from '../../src/postgres/backup-units.js';
import { needRoom } from '../../src/postgres/archive-failure.js';
import { pgbackrest, repositoryOf, stanzaOf } from '../../src/postgres/pgbackrest.js';
import { aptPackage, backupStanza, directory } from '../../src/resource/index.js';
import type { RoleDefinition } from '../../src/role/role.js';

/** The host that keeps the WAL archive and the backups; with a bucket the primary, which alone can make its place there. */
export const backup: RoleDefinition = {
  name: 'backup',
  summary:
    'pgBackRest repository: encrypted, filled by database hosts over TLS, backups by timers; snapshots of the filestore beside it',
  // A server archives from its restart on.
  after: ['base', 'pg-primary', 'pg-standby', 'pg-replica', 'restart'],
  on: (host, cluster) =>
    cluster.postgres.backup?.s3 === undefined
      ? host.name === cluster.postgres.backup?.host
      : host.roles.includes('pg-primary'),

  install: ({ cluster }) =>
    ['pgbackrest', ...(savesFilestore(cluster) ? ['rclone', 'restic'] : [])].map((name) =>
      aptPackage({ name }),
    ),

  configure(site) {
    const { backup: wanted } = repositoryOf(site.cluster);
    const stanza = backupStanza({
      stanza: stanzaOf(site.cluster),
      firstBackup: FULL_BACKUP_UNIT,
      ...(wanted.s3 === undefined ? { room: needRoom(site.host.name, wanted.path) } : {}),
    });
    // The rest is on every database host.
    if (wanted.s3 !== undefined) return [stanza];
    return [
      // Another user keeps the filestore's snapshots in it; what is pgBackRest's is closed by itself.
      directory({ path: wanted.path, owner: 'postgres', group: 'postgres', mode: '0751' }),
      ...filestoreServer(site),
      ...pgbackrest(site),
      ...backupUnits(site),
      stanza,
    ];
  },
};
