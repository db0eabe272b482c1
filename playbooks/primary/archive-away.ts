import { archive, WAL_ARCHIVED } from '../../roles/archive/index.js';
import { ROLE_DEFINITIONS } from '../../roles/index.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { repositoryOf } from '../../src/postgres/pgbackrest.js';
import type { RoleDefinition } from '../../src/role/role.js';

/**
 * All roles, and nothing waits until WAL is archived: for what follows from a move while the archive does not answer.
 * Clients are served, and whoever moved the primary would wait for minutes to be told what is known already.
 */
export const ROLES_WITHOUT_ARCHIVING: readonly RoleDefinition[] = ROLE_DEFINITIONS.map((role) =>
  role.name === archive.name
    ? { ...role, configure: (site) => role.configure(site).filter(({ id }) => id !== WAL_ARCHIVED) }
    : role,
);

/** What was not done then, and what does it. @param host that has WAL for the archive */
export function notArchivedText(cluster: Cluster, host: string): string {
  const { backup, host: keeper } = repositoryOf(cluster);
  const where = backup.s3 === undefined ? keeper.name : `the bucket ${backup.s3.bucket}`;
  return `${host}: its WAL was not archived when it took over, for ${where} did not answer, and that was not waited for. ${host} hands over what waits by itself as soon as it does; if its disk is lost before, no backup has that. odoo-prov status FILE shows what waits; odoo-prov apply FILE looks whether all of it arrives`;
}
