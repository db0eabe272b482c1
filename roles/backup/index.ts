import { filestoreServer } from '../../src/filestore/keeper.js';
import { savesFilestore } from '../../src/filestore/layout.js';
import { pgbackrest, repositoryOf, SPOOL, stanzaOf } from '../../src/postgres/pgbackrest.js';
import {
  aptPackage,
  backupStanza,
  directory,
  file,
  keyOf,
  unit,
} from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

const UNITS = '/etc/systemd/system';

/** The host that keeps the WAL archive and the backups. */
export const backup: RoleDefinition = {
  name: 'backup',
  summary:
    'pgBackRest repository: encrypted, filled by database hosts over TLS, backups by timers; snapshots of the filestore beside it',
  // A server archives from its restart on.
  after: ['base', 'pg-primary', 'pg-standby', 'pg-replica', 'restart'],
  on: (host, cluster) => host.name === cluster.postgres.backup?.host,

  install: ({ cluster }) =>
    ['pgbackrest', ...(savesFilestore(cluster) ? ['rclone', 'restic'] : [])].map((name) =>
      aptPackage({ name }),
    ),

  configure(site) {
    const { backup: wanted } = repositoryOf(site.cluster);
    const stanza = stanzaOf(site.cluster);
    return [
      // Another user keeps the filestore's snapshots in it; what is pgBackRest's is closed by itself.
      directory({ path: wanted.path, owner: 'postgres', group: 'postgres', mode: '0751' }),
      ...filestoreServer(site),
      ...pgbackrest(site),
      ...schedules(site),
      backupStanza({ stanza, firstBackup: 'odoo-prov-backup@full.service' }),
    ];
  },
};

function schedules(site: Site): readonly Resource[] {
  const { cluster } = site;
  const { full, diff } = repositoryOf(cluster).backup;
  return [
    file({
      path: `${UNITS}/odoo-prov-backup@.service`,
      content: site.template('backup/backup.service.hbs', {
        cluster: cluster.name,
        stanza: stanzaOf(cluster),
        lock: `${SPOOL}/odoo-prov-backup.lock`,
      }),
    }),
    ...timer(site, 'full', full),
    ...(diff === undefined
      ? [unit({ name: 'odoo-prov-backup-diff.timer', running: false, enabled: false })]
      : timer(site, 'diff', diff)),
  ];
}

function timer(site: Site, type: string, calendar: string): readonly Resource[] {
  const unitFile = file({
    path: `${UNITS}/odoo-prov-backup-${type}.timer`,
    content: site.template('backup/backup.timer.hbs', {
      cluster: site.cluster.name,
      type,
      calendar,
    }),
    validate: `systemd-analyze calendar '${calendar}' >/dev/null`,
  });
  return [
    unitFile,
    unit({ name: `odoo-prov-backup-${type}.timer`, restartFor: [keyOf(unitFile)] }),
  ];
}
