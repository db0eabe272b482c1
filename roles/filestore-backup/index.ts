import { filestoreSource } from '../../src/filestore/layout.js';
import { filestoreClient, noFilestoreClient } from '../../src/filestore/source.js';
import { aptPackage } from '../../src/resource/index.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

/** The Odoo host that saves the attachments to where the backups are; the other app hosts, that they do not. */
export const filestoreBackup: RoleDefinition = {
  name: 'filestore-backup',
  summary: "snapshots of Odoo's attachments by restic, encrypted, by a timer",
  // The folder of the attachments is there when the database is; so is the keeper's server, or the bucket.
  after: ['base', 'odoo', 'odoo-database', 'backup'],
  on: (host, cluster) => cluster.postgres.backup !== undefined && host.roles.includes('app'),

  install: (site) => (isSource(site) ? [aptPackage({ name: 'restic' })] : []),
  configure: (site) => (isSource(site) ? filestoreClient(site) : noFilestoreClient()),
};

function isSource({ cluster, host }: Site): boolean {
  return host.name === filestoreSource(cluster)?.name;
}
