import { attachments, filestoreMarker, ODOO_USER } from '../odoo/layout.js';
import { repositoryOf } from '../postgres/pgbackrest.js';
import { directory, file, group, job, keyOf, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { accessFile, noSourceAccess, sourceAccess } from './access.js';
import {
  BACKUP_USER,
  CLIENT,
  PROGRAMS,
  RESTIC_LIBRARY,
  RESTORE_PROGRAM,
  SAVE_CACHE,
  SAVE_PROGRAM,
  SAVE_TIMER,
  SAVE_UNIT,
  SAVED_STAMP,
} from './layout.js';

/*
 * The host that saves the filestore. It runs as Odoo's user: on a shared mount root often may not read. The
 * password and the key of the connection are readable by a group that Odoo's own services are not in, so who
 * takes Odoo over sees the attachments that there are, and not all that there ever were.
 */

const UNITS = '/etc/systemd/system';

/** What saves and brings back by hand: connection and programs. restic is installed before. */
export function filestoreTools(site: Site): readonly Resource[] {
  return [
    group({ name: BACKUP_USER }),
    directory({ path: CLIENT, group: BACKUP_USER, mode: '0750' }),
    directory({ path: SAVE_CACHE, owner: ODOO_USER, group: ODOO_USER, mode: '0700' }),
    ...sourceAccess(site, SAVE_CACHE),
    environment(site),
    ...programs(site),
  ];
}

/** Everything of the source: the tools, a timer, and that it works. */
export function filestoreClient(site: Site): readonly Resource[] {
  const { cluster } = site;
  const calendar = repositoryOf(cluster).backup.filestore ?? 'hourly';
  const service = file({
    path: `${UNITS}/${SAVE_UNIT}`,
    content: site.template('filestore-backup/save.service.hbs', {
      cluster: cluster.name,
      user: ODOO_USER,
      group: BACKUP_USER,
      program: SAVE_PROGRAM,
    }),
  });
  const timer = file({
    path: `${UNITS}/${SAVE_TIMER}`,
    content: site.template('filestore-backup/timer.hbs', {
      what: `snapshots of the filestore of ${cluster.name}`,
      calendar,
    }),
    validate: `systemd-analyze calendar '${calendar}' >/dev/null`,
  });
  return [
    ...filestoreTools(site),
    service,
    timer,
    unit({ name: SAVE_TIMER, restartFor: [keyOf(timer), keyOf(service)] }),
    job({
      unit: SAVE_UNIT,
      stamp: SAVED_STAMP,
      // Of another place the snapshots before say nothing.
      newerThan: [accessFile(CLIENT)],
      within: 300,
      describes: 'a snapshot of the filestore',
    }),
  ];
}

/** On another app host, or where nothing is saved any more: that it saves nothing, and could not. */
export function noFilestoreClient(): readonly Resource[] {
  return [unit({ name: SAVE_TIMER, running: false, enabled: false }), ...noSourceAccess()];
}

function environment(site: Site): Resource {
  const { cluster } = site;
  return file({
    path: `${CLIENT}/environment`,
    content: site.template('filestore-backup/client-environment.hbs', {
      cluster: cluster.name,
      owner: ODOO_USER,
      readers: BACKUP_USER,
      filestore: cluster.filestore.path,
      attachments: attachments(cluster),
      marker: cluster.filestore.type === 'posix' ? filestoreMarker(cluster) : '',
      stamp: SAVED_STAMP,
    }),
  });
}

function programs(site: Site): readonly Resource[] {
  return [
    directory({ path: PROGRAMS }),
    file({ path: RESTIC_LIBRARY, content: site.asset('filestore-backup/restic.sh') }),
    file({ path: SAVE_PROGRAM, content: site.asset('filestore-backup/save.sh'), mode: '0755' }),
    file({
      path: RESTORE_PROGRAM,
      content: site.asset('filestore-backup/restore.sh'),
      mode: '0755',
    }),
  ];
}
