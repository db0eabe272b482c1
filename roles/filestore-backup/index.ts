import { filestoreSource } from '../../src/filestore/layout.js';
import { filestoreClient } from '../../src/filestore/source.js';
import { aptPackage } from '../../src/resource/index.js';
import type { RoleDefinition } from '../../src/role/role.js';

/** The Odoo host that saves the attachments to the host of the backups. */
export const filestoreBackup: RoleDefinition = {
  name: 'filestore-backup',
  summary: "snapshots of Odoo's attachments by restic, encrypted, by a timer",
  // The folder of the attachments is there when the database is; so is the keeper's server.
  after: ['base', 'odoo', 'odoo-database', 'backup'],
  on: (host, cluster) => host.name === filestoreSource(cluster)?.name,

  install: () => [aptPackage({ name: 'restic' })],
  configure: filestoreClient,
};
