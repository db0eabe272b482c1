import { Failure } from '../src/failure/failure.js';
import { databaseHosts, type Cluster, type Host } from '../src/inventory/cluster.js';
import { discardScript, KEPT, keptScript } from '../src/postgres/restore-script.js';
import { withProcedure } from './backup.js';
import type { ProcedureOptions } from './procedure.js';

function stillNeeded(host: Host): Failure {
  return new Failure({
    reason: 'refused',
    host: host.name,
    message:
      'a restore of the database has not come to its end: what is kept may be all that there is',
    expected: 'a restore that has ended',
    found: 'one that runs, or was cut off',
    remedy:
      'if it does not run: odoo-prov restore FILE again, with the same moment or another one; then discard what was kept',
  });
}

/**
 * Removes the data that restores in place have kept, on all database hosts.
 * @param dryRun only tells what that is
 * @throws Failure refused while a restore has not come to its end: nothing is removed
 */
export async function discardKept(
  cluster: Cluster,
  { dryRun, ...options }: ProcedureOptions & { readonly dryRun: boolean },
): Promise<void> {
  await withProcedure(options, async (procedure) => {
    const hosts = databaseHosts(cluster);
    await procedure.connect(hosts);
    const found = await Promise.all(
      hosts.map(async (host) => ({
        host,
        size: (await procedure.ask(host, keptScript(), { limit: 3600 })).trim(),
      })),
    );
    const cut = found.find(({ size }) => size.startsWith('restoring'));
    if (cut !== undefined) throw stillNeeded(cut.host);
    for (const { host, size } of found) {
      if (size === '') {
        options.tell(`${host.name}: nothing was kept`);
      } else if (dryRun) {
        options.tell(`${host.name}: would remove ${KEPT}: ${size}`);
      } else {
        await procedure.ask(host, discardScript(), { limit: 3600 });
        options.tell(`${host.name}: ${size} freed`);
      }
    }
  });
}
