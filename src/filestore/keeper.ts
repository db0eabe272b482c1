import { hostCertificate } from '../postgres/certificates.js';
import { directory, file, keyOf, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import {
  BACKUP_USER,
  FILESTORE_PORT,
  filestoreRepository,
  REPOSITORY_PROGRAM,
  savesFilestore,
  SERVER,
  SERVER_UNIT,
} from './layout.js';
import { noPruning, pruning, repositoryTools } from './prune.js';

/*
 * The host that keeps the snapshots. rclone serves restic's own protocol over TLS to who has a certificate of an
 * authority that is there for nothing else, and lets them add only: what is old goes by a timer here.
 */

/** Everything of the keeper. rclone and restic are installed before, and the folder of the backups is there. */
export function filestoreServer(site: Site): readonly Resource[] {
  const { cluster, host } = site;
  if (!savesFilestore(cluster)) {
    return [unit({ name: SERVER_UNIT, running: false, enabled: false }), ...noPruning()];
  }
  const repository = filestoreRepository(cluster);
  const tools = repositoryTools(site);
  const files = identity(site);
  const service = file({
    path: `/etc/systemd/system/${SERVER_UNIT}`,
    content: site.template('filestore-backup/server.service.hbs', {
      cluster: cluster.name,
      user: BACKUP_USER,
      program: REPOSITORY_PROGRAM,
      address: `${host.address}:${String(FILESTORE_PORT)}`,
      folder: SERVER,
      repository,
    }),
  });
  return [
    ...tools,
    directory({ path: repository, owner: BACKUP_USER, group: BACKUP_USER, mode: '0700' }),
    ...files,
    service,
    unit({ name: SERVER_UNIT, restartFor: [...files, service].map(keyOf) }),
    ...pruning(site),
  ];
}

function identity(site: Site): readonly Resource[] {
  const own = hostCertificate(site.secret('filestore-backup-tls'), site.host.name, {
    dns: [],
    ip: [site.host.address],
  });
  return [
    file({ path: `${SERVER}/authority.crt`, content: own.authority }),
    file({ path: `${SERVER}/host.crt`, content: own.certificate }),
    file({ path: `${SERVER}/host.key`, content: own.key, group: BACKUP_USER, mode: '0640' }),
  ];
}
