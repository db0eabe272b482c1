import { hostCertificate } from '../postgres/certificates.js';
import { stanzaOf } from '../postgres/pgbackrest.js';
import { directory, file, keyOf, unit, user } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import {
  BACKUP_USER,
  CONFIG,
  FILESTORE_PORT,
  filestoreRepository,
  PRUNE_UNIT,
  REPOSITORY_PROGRAM,
  savesFilestore,
  SERVER_UNIT,
} from './layout.js';

/*
 * The host that keeps the snapshots. rclone serves restic's own protocol over TLS to who has a certificate of an
 * authority that is there for nothing else, and lets them add only: what is old goes by a timer here.
 */

const FOLDER = `${CONFIG}/server`;
const UNITS = '/etc/systemd/system';
const PRUNE_TIMER = PRUNE_UNIT.replace('.service', '.timer');
/** An hour in which no backup of the database begins by itself: they begin at one. */
const PRUNE_AT = '*-*-* 05:20:00';

/** Everything of the keeper. rclone and restic are installed before, and the folder of the backups is there. */
export function filestoreServer(site: Site): readonly Resource[] {
  if (!savesFilestore(site.cluster)) {
    return [SERVER_UNIT, PRUNE_TIMER].map((name) => unit({ name, running: false, enabled: false }));
  }
  const { cluster } = site;
  const files = identity(site);
  const program = file({
    path: REPOSITORY_PROGRAM,
    content: site.asset('filestore-backup/repository.sh'),
    mode: '0755',
  });
  const repository = filestoreRepository(cluster);
  const service = file({
    path: `${UNITS}/${SERVER_UNIT}`,
    content: site.template('filestore-backup/server.service.hbs', {
      cluster: cluster.name,
      user: BACKUP_USER,
      program: REPOSITORY_PROGRAM,
      address: `${site.host.address}:${String(FILESTORE_PORT)}`,
      folder: FOLDER,
      repository,
    }),
  });
  return [
    user({ name: BACKUP_USER }),
    directory({ path: CONFIG }),
    directory({ path: FOLDER, group: BACKUP_USER, mode: '0750' }),
    directory({ path: repository, owner: BACKUP_USER, group: BACKUP_USER, mode: '0700' }),
    directory({ path: '/usr/lib/odoo-prov' }),
    ...files,
    program,
    service,
    unit({ name: SERVER_UNIT, restartFor: [...files, program, service].map(keyOf) }),
    ...pruning(site),
  ];
}

function identity(site: Site): readonly Resource[] {
  const { cluster, host } = site;
  const own = hostCertificate(site.secret('filestore-backup-tls'), host.name, {
    dns: [],
    ip: [host.address],
  });
  const secret = { group: BACKUP_USER, mode: '0640' };
  return [
    file({ path: `${FOLDER}/authority.crt`, content: own.authority }),
    file({ path: `${FOLDER}/host.crt`, content: own.certificate }),
    file({ path: `${FOLDER}/host.key`, content: own.key, ...secret }),
    file({
      path: `${FOLDER}/password`,
      content: site.secret('filestore-backup-password'),
      ...secret,
    }),
    file({
      path: `${FOLDER}/environment`,
      content: site.template('filestore-backup/server-environment.hbs', {
        repository: filestoreRepository(cluster),
        folder: FOLDER,
        stanza: stanzaOf(cluster),
        user: BACKUP_USER,
      }),
    }),
  ];
}

function pruning(site: Site): readonly Resource[] {
  const service = file({
    path: `${UNITS}/${PRUNE_UNIT}`,
    content: site.template('filestore-backup/prune.service.hbs', {
      cluster: site.cluster.name,
      program: REPOSITORY_PROGRAM,
    }),
  });
  const timer = file({
    path: `${UNITS}/${PRUNE_TIMER}`,
    content: site.template('filestore-backup/timer.hbs', {
      what: `removal of old snapshots of the filestore of ${site.cluster.name}`,
      calendar: PRUNE_AT,
    }),
  });
  return [service, timer, unit({ name: PRUNE_TIMER, restartFor: [keyOf(timer)] })];
}
