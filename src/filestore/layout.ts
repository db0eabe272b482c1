import type { Cluster, Host } from '../inventory/cluster.js';
import { initialisingHost } from '../odoo/layout.js';
import { repositoryOf } from '../postgres/pgbackrest.js';

/*
 * The filestore's backup: where what is. One Odoo host, the source, saves Odoo's attachments by restic; the host
 * of the database's repository, the keeper, takes them in. With a bucket the source speaks to the store itself, and
 * whichever database host is the primary removes what is old.
 */

const CONFIG = '/etc/odoo-prov-filestore';
/** Files of the source and of the keeper: a folder each, since one host may be both. */
export const CLIENT = `${CONFIG}/client`;
export const SERVER = `${CONFIG}/server`;
/** On the keeper the system user who runs restic; on both its group may read what is in the folders above. */
export const BACKUP_USER = 'odoo-prov-backup';
/** Where the keeper listens. pgBackRest has the port below. */
export const FILESTORE_PORT = 8433;
/** Seen by the timers and by `odoo-prov backup`. */
export const SAVE_UNIT = 'odoo-prov-filestore-backup.service';
export const SAVE_TIMER = 'odoo-prov-filestore-backup.timer';
export const PRUNE_UNIT = 'odoo-prov-filestore-prune.service';
export const SERVER_UNIT = 'odoo-prov-filestore-server.service';
/** Folder of the programs of ours, on the source and on the keeper. */
export const PROGRAMS = '/usr/lib/odoo-prov';
export const SAVE_PROGRAM = `${PROGRAMS}/filestore-save`;
export const RESTORE_PROGRAM = `${PROGRAMS}/filestore-restore`;
export const REPOSITORY_PROGRAM = `${PROGRAMS}/filestore-repository`;
/** What these programs have in common. */
export const RESTIC_LIBRARY = `${PROGRAMS}/filestore-restic`;
/** Touched after each snapshot that is complete. */
export const SAVED_STAMP = '/var/lib/odoo-prov-filestore/saved';
export const SAVE_CACHE = '/var/cache/odoo-prov-filestore';
export const PRUNE_CACHE = '/var/cache/odoo-prov-filestore-prune';
/** The snapshots, by this name beside what is pgBackRest's, in a folder as in a bucket. */
export const SNAPSHOTS = 'filestore';

/** Whether this cluster's filestore is saved. */
export function savesFilestore(cluster: Cluster): boolean {
  return cluster.postgres.backup?.filestore !== undefined;
}

/** Whether it is saved in a bucket. */
export function savesInBucket(cluster: Cluster): boolean {
  return savesFilestore(cluster) && cluster.postgres.backup?.s3 !== undefined;
}

/** The host that saves the filestore; a shared one is the same on all, so one of them does. */
export function filestoreSource(cluster: Cluster): Host | undefined {
  return savesFilestore(cluster) ? initialisingHost(cluster) : undefined;
}

/** The host that keeps the snapshots; with a bucket the primary, which can look into it as every database host can. */
export function filestoreKeeper(cluster: Cluster): Host | undefined {
  return savesFilestore(cluster) ? repositoryOf(cluster).host : undefined;
}

/** The snapshots' folder on the keeper, beside those of pgBackRest. */
export function filestoreRepository(cluster: Cluster): string {
  return `${repositoryOf(cluster).backup.path}/${SNAPSHOTS}`;
}
