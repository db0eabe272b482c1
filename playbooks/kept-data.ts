import { Failure } from '../src/failure/failure.js';
import { databaseHosts, type Cluster, type Host } from '../src/inventory/cluster.js';
import { parseCutRestore, restoreAgain } from '../src/postgres/cut-restore.js';
import { discardScript, KEPT, keptScript } from '../src/postgres/restore-script.js';
import { withProcedure } from './backup.js';
import type { ProcedureOptions } from './procedure.js';

function stillNeeded(host: Host, to: string): Failure {
  return new Failure({
    reason: 'refused',
    host: host.name,
    message:
      'a restore of the database has not come to its end: what is kept may be all that there is',
    expected: 'a restore that has ended',
    found: 'one that runs, or was cut off',
    remedy: `if it does not run: ${restoreAgain([to])}; then discard what was kept`,
  });
}

export interface DiscardOptions extends ProcedureOptions {
  /** Only tells what would be removed. */
  readonly dryRun: boolean;
  /** Asks before anything is removed. @throws Failure refused without consent */
  readonly confirm: (what: readonly string[]) => Promise<void>;
}

/**
 * Removes the data that restores in place have kept, on all database hosts.
 * @throws Failure refused while a restore has not come to its end, or without consent: nothing is removed
 */
export async function discardKept(
  cluster: Cluster,
  { dryRun, confirm, ...options }: DiscardOptions,
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
    for (const { host, size } of found) {
      const to = parseCutRestore(size.split('\n')[0] ?? '');
      if (to !== undefined) throw stillNeeded(host, to);
    }
    const kept = found.filter(({ size }) => size !== '');
    for (const { host } of found.filter(({ size }) => size === '')) {
      options.tell(`${host.name}: nothing was kept`);
    }
    const what = kept.map(({ host, size }) => `${host.name}: would remove ${KEPT}: ${size}`);
    if (dryRun) what.forEach(options.tell);
    if (dryRun || kept.length === 0) return;
    await confirm(what);
    for (const { host, size } of kept) {
      await procedure.ask(host, discardScript(), { limit: 3600 });
      options.tell(`${host.name}: ${size} freed`);
    }
  });
}
