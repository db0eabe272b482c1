import { file, keyOf, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { repositoryOf, SPOOL, stanzaOf } from './pgbackrest.js';

const UNITS = '/etc/systemd/system';

/** The service that makes a full backup. */
export const FULL_BACKUP_UNIT = 'odoo-prov-backup@full.service';

/**
 * The services that make backups, and their timers.
 *
 * A keeper has them alone. With a bucket there is none, and every database host has them alike: a promotion changes
 * no file, and the schedule goes on wherever the primary is, with odoo-prov running nowhere. On a standby the service
 * is skipped when its time comes. (pgBackRest could take the files from a standby: for that the database hosts would
 * need doors to one another, and a backup would fail with a standby.)
 */
export function backupUnits(site: Site): readonly Resource[] {
  const { cluster } = site;
  const { full, diff, s3 } = repositoryOf(cluster).backup;
  const service = file({
    path: `${UNITS}/odoo-prov-backup@.service`,
    content: site.template('backup/backup.service.hbs', {
      cluster: cluster.name,
      stanza: stanzaOf(cluster),
      lock: `${SPOOL}/odoo-prov-backup.lock`,
      bucket: s3 !== undefined,
    }),
  });
  return [
    service,
    ...timer(site, service, 'full', full),
    ...(diff === undefined
      ? [unit({ name: 'odoo-prov-backup-diff.timer', running: false, enabled: false })]
      : timer(site, service, 'diff', diff)),
  ];
}

/**
 * On a database host: the services of a bucket; without one, that none of them is left of a time when there was one. A
 * host that keeps the backups has them by that role.
 */
export function bucketUnits(site: Site): readonly Resource[] {
  const { backup } = site.cluster.postgres;
  if (backup?.s3 !== undefined) return backupUnits(site);
  if (backup === undefined || backup.host === site.host.name) return [];
  return ['full', 'diff'].map((type) =>
    unit({ name: `odoo-prov-backup-${type}.timer`, running: false, enabled: false }),
  );
}

function timer(site: Site, service: Resource, type: string, calendar: string): readonly Resource[] {
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
    // For the service too: what a timer starts is loaded, and not read again by itself.
    unit({ name: `odoo-prov-backup-${type}.timer`, restartFor: [keyOf(unitFile), keyOf(service)] }),
  ];
}
