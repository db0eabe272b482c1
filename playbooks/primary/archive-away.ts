import { archive, WAL_ARCHIVED } from '../../roles/archive/index.js';
import { ROLE_DEFINITIONS } from '../../roles/index.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { Failure } from '../../src/failure/failure.js';
import { knock } from '../../src/postgres/archive.js';
import { repositoryOf } from '../../src/postgres/pgbackrest.js';
import type { RoleDefinition } from '../../src/role/role.js';
import { lines, raw } from '../../src/shell/index.js';
import { PROVE_LIMIT, proveArchive } from './archive-takes.js';
import { step, type Mover } from './steps.js';

/**
 * All roles, and nothing waits until WAL is archived: for what follows from a move while the archive does not answer.
 * Clients are served, and whoever moved the primary would wait for minutes to be told what is known already.
 */
export const ROLES_WITHOUT_ARCHIVING: readonly RoleDefinition[] = ROLE_DEFINITIONS.map((role) =>
  role.name === archive.name
    ? { ...role, configure: (site) => role.configure(site).filter(({ id }) => id !== WAL_ARCHIVED) }
    : role,
);

/**
 * Whether a host's WAL is archived after all: the archive may be back by now, started by the apply at the end of the move for one.
 * Costs 3 s where it does not answer, and some 10 s where it answers and takes nothing.
 * @returns false also where that could not be seen, which is told
 * @throws Failure interrupted
 */
export async function archivedSince(mover: Mover, host: string): Promise<boolean> {
  const { cluster } = mover;
  const here = cluster.hosts.find(({ name }) => name === host);
  if (here === undefined) throw new Error(`${host} is not in the inventory`);
  const script = lines([
    raw(`${knock(cluster, here)}: || { echo 'no answer'; exit 0; }`),
    proveArchive(cluster),
  ]);
  try {
    const what = 'see whether the archive answers by now';
    if ((await step(mover, host, what, script, PROVE_LIMIT)) !== '') return false;
  } catch (error) {
    if (!(error instanceof Failure) || error.reason === 'interrupted') throw error;
    return false;
  }
  mover.tell(host, 'the archive answers by now, and has all its WAL');
  return true;
}

/** What was not done then, and what does it. @param host that has WAL for the archive */
export function notArchivedText(cluster: Cluster, host: string): string {
  const { backup, host: keeper } = repositoryOf(cluster);
  const where = backup.s3 === undefined ? keeper.name : `the bucket ${backup.s3.bucket}`;
  return `${host}: its WAL was not archived when it took over, for ${where} did not answer, and that was not waited for. ${host} hands over what waits by itself as soon as it does; if its disk is lost before, no backup has that. odoo-prov status FILE shows what waits; odoo-prov apply FILE looks whether all of it arrives`;
}
