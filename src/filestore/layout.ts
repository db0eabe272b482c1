import { backupHost, type Cluster, type Host } from '../inventory/cluster.js';
import { initialisingHost } from '../odoo/layout.js';
import { repositoryOf } from '../postgres/pgbackrest.js';

/*
 * The filestore's backup: where what is. One Odoo host, the source, saves Odoo's attachments by restic; the host
 * of the database's repository, the keeper, takes them in.
 */

/** Files of either side; each has a folder of its own in it, since one host may be both. */
export const CONFIG = '/etc/odoo-prov-filestore';
/** On the keeper the system user whose repository it is; on both its group may read what is in {@link CONFIG}. */
export const BACKUP_USER = 'odoo-prov-backup';
/** Where the keeper listens. pgBackRest has the port below. */
export const FILESTORE_PORT = 8433;
/** Seen by the timers and by `odoo-prov backup`. */
export const SAVE_UNIT = 'odoo-prov-filestore-backup.service';
export const PRUNE_UNIT = 'odoo-prov-filestore-prune.service';
export const SERVER_UNIT = 'odoo-prov-filestore-server.service';
/** The programs of ours on the source and on the keeper. */
export const SAVE_PROGRAM = '/usr/lib/odoo-prov/filestore-save';
export const RESTORE_PROGRAM = '/usr/lib/odoo-prov/filestore-restore';
export const REPOSITORY_PROGRAM = '/usr/lib/odoo-prov/filestore-repository';
/** Touched after each snapshot that is complete. */
export const SAVED_STAMP = '/var/lib/odoo-prov-filestore/saved';
export const CACHE = '/var/cache/odoo-prov-filestore';

/** Whether this cluster's filestore is saved. */
export function savesFilestore(cluster: Cluster): boolean {
  return cluster.postgres.backup?.filestore !== undefined;
}

/** The host that saves the filestore; a shared one is the same on all, so one of them does. */
export function filestoreSource(cluster: Cluster): Host | undefined {
  return savesFilestore(cluster) ? initialisingHost(cluster) : undefined;
}

/** The host that keeps the snapshots. */
export function filestoreKeeper(cluster: Cluster): Host | undefined {
  return savesFilestore(cluster) ? backupHost(cluster) : undefined;
}

/** The snapshots' folder on the keeper, beside those of pgBackRest. */
export function filestoreRepository(cluster: Cluster): string {
  return `${repositoryOf(cluster).backup.path}/filestore`;
}

/** The folder of Odoo's attachments of this cluster's database. */
export function attachments(cluster: Cluster): string {
  return `${cluster.filestore.path}/filestore/${cluster.odoo.database}`;
}
