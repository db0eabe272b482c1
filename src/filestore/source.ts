import { filestoreMarker, ODOO_USER } from '../odoo/layout.js';
import { hostCertificate } from '../postgres/certificates.js';
import { repositoryOf } from '../postgres/pgbackrest.js';
import { directory, file, group, job, keyOf, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { Secret } from '../shell/index.js';
import {
  attachments,
  BACKUP_USER,
  CACHE,
  CONFIG,
  FILESTORE_PORT,
  RESTORE_PROGRAM,
  SAVE_PROGRAM,
  SAVE_UNIT,
  SAVED_STAMP,
} from './layout.js';

/*
 * The host that saves the filestore. It runs as Odoo's user: on a shared mount root often may not read. The
 * password and the key of the connection are readable by a group that Odoo's own services are not in, so who
 * takes Odoo over sees the attachments that there are, and not all that there ever were.
 */

const FOLDER = `${CONFIG}/client`;
const UNITS = '/etc/systemd/system';

/** What saves and brings back by hand: connection and programs. restic is installed before. */
export function filestoreTools(site: Site): readonly Resource[] {
  return [
    group({ name: BACKUP_USER }),
    directory({ path: CONFIG }),
    directory({ path: FOLDER, group: BACKUP_USER, mode: '0750' }),
    directory({ path: CACHE, owner: ODOO_USER, group: ODOO_USER, mode: '0700' }),
    ...connection(site),
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
  const name = SAVE_UNIT.replace('.service', '.timer');
  const timer = file({
    path: `${UNITS}/${name}`,
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
    unit({ name, restartFor: [keyOf(timer)] }),
    job({
      unit: SAVE_UNIT,
      stamp: SAVED_STAMP,
      within: 300,
      describes: 'a snapshot of the filestore',
    }),
  ];
}

/** The certificate by which the keeper admits this host, and the password that the snapshots are encrypted by. */
function connection(site: Site): readonly Resource[] {
  const { cluster, host } = site;
  const own = hostCertificate(site.secret('filestore-backup-tls'), host.name, { dns: [] });
  const secret = { group: BACKUP_USER, mode: '0640' };
  return [
    file({ path: `${FOLDER}/authority.crt`, content: own.authority }),
    // restic wants both in one file.
    file({
      path: `${FOLDER}/identity.pem`,
      content: new Secret(own.key.reveal() + own.certificate),
      ...secret,
    }),
    file({
      path: `${FOLDER}/password`,
      content: site.secret('filestore-backup-password'),
      ...secret,
    }),
    file({
      path: `${FOLDER}/environment`,
      content: site.template('filestore-backup/client-environment.hbs', {
        cluster: cluster.name,
        owner: ODOO_USER,
        readers: BACKUP_USER,
        repository: `rest:https://${repositoryOf(cluster).host.address}:${String(FILESTORE_PORT)}/`,
        folder: FOLDER,
        cache: CACHE,
        filestore: cluster.filestore.path,
        attachments: attachments(cluster),
        marker: cluster.filestore.type === 'posix' ? filestoreMarker(cluster) : '',
        stamp: SAVED_STAMP,
      }),
    }),
  ];
}

function programs(site: Site): readonly Resource[] {
  return [
    directory({ path: '/usr/lib/odoo-prov' }),
    file({ path: SAVE_PROGRAM, content: site.asset('filestore-backup/save.sh'), mode: '0755' }),
    file({
      path: RESTORE_PROGRAM,
      content: site.asset('filestore-backup/restore.sh'),
      mode: '0755',
    }),
  ];
}
