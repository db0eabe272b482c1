import { odoo } from '../roles/odoo/index.js';
import { filestoreSource, savesInBucket } from '../src/filestore/layout.js';
import { repositoryTools } from '../src/filestore/prune.js';
import { filestoreTools } from '../src/filestore/source.js';
import { filestoreMarker, ODOO_UID, ODOO_USER, ODOO_HOME } from '../src/odoo/layout.js';
import { archiveClient } from '../src/postgres/archive.js';
import { packages } from '../src/postgres/server.js';
import { aptPackage, group, user } from '../src/resource/index.js';
import type { RoleDefinition } from '../src/role/role.js';

/*
 * What bare hosts must have before data comes back to them: a part of what their roles want, no service of which
 * runs yet.
 */

/** The first database host: PostgreSQL's packages, no cluster, its way to the repository, and to snapshots in a bucket. */
const database: RoleDefinition = {
  name: 'pg-primary',
  summary: 'what a restore from the repository needs',
  after: [],
  on: (host) => host.roles.includes('pg-primary'),
  install: (site) => [
    ...packages(site),
    ...(savesInBucket(site.cluster) ? [aptPackage({ name: 'restic' })] : []),
  ],
  configure: (site) => [
    ...archiveClient(site),
    ...(savesInBucket(site.cluster) ? repositoryTools(site) : []),
  ],
};

/** The host of the filestore: Odoo's user and folders, and restic. */
const files: RoleDefinition = {
  name: 'odoo',
  summary: 'what bringing attachments back needs',
  after: [],
  on: (host, cluster) => host.name === filestoreSource(cluster)?.name,
  install: () => [
    group({ name: ODOO_USER, gid: ODOO_UID }),
    user({ name: ODOO_USER, uid: ODOO_UID, home: ODOO_HOME }),
    aptPackage({ name: 'restic' }),
  ],
  configure: (site) => [
    ...odoo
      .configure(site)
      .filter(({ kind, id }) => kind === 'directory' || id === filestoreMarker(site.cluster)),
    ...filestoreTools(site),
  ],
};

export const NEW_HOST_ROLES: readonly RoleDefinition[] = [database, files];
