import { Failure } from '../src/failure/failure.js';
import type { Cluster } from '../src/inventory/cluster.js';
import {
  filestoreKeeper,
  filestoreSource,
  SAVE_UNIT,
  savesFilestore,
} from '../src/filestore/layout.js';
import {
  listScript,
  parseAdded,
  parseSnapshots,
  restoreFilesScript,
  snapshotsFor,
  type Snapshot,
} from '../src/filestore/snapshots.js';
import type { Procedure } from './procedure.js';
import { runUnit } from './run-unit.js';

/** Seconds that saving or bringing back may take. */
const LONG = 7 * 24 * 3600;

/** Takes a snapshot now, by the service that the timer uses. Does nothing where none are taken. */
export async function saveFilestore(procedure: Procedure, cluster: Cluster): Promise<void> {
  const source = filestoreSource(cluster);
  if (source === undefined) return;
  await procedure.connect([source]);
  // One that the timer began may have passed what was written since.
  const script = runUnit(SAVE_UNIT, { anew: true });
  await procedure.step(source, 'taking a snapshot of the filestore', script, {
    limit: LONG,
    remedy: `journalctl -u ${SAVE_UNIT} there says more; odoo-prov apply sets it up and tries it`,
  });
}

/**
 * All snapshots, oldest first.
 * @param keeper a connected host that can list them; the keeper if not given
 * @throws Failure where they cannot be listed
 */
export async function listSnapshots(
  procedure: Procedure,
  cluster: Cluster,
  keeper = filestoreKeeper(cluster),
): Promise<readonly Snapshot[]> {
  if (keeper === undefined || !savesFilestore(cluster)) return [];
  const text = await procedure.ask(keeper, listScript(), {
    remedy:
      'odoo-prov apply FILE sets the snapshots of the filestore up; the inventory says postgres.backup.filestore: off where there are none',
  });
  try {
    return parseSnapshots(text);
  } catch (cause) {
    throw new Failure({
      reason: 'command-failed',
      host: keeper.name,
      message: 'the snapshots of the filestore cannot be listed',
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'on this host: filestore-repository list, in /usr/lib/odoo-prov, says more',
      cause,
    });
  }
}

/**
 * Brings the attachments of a moment back that the filestore lacks, from the snapshots around it.
 * @param at seconds since 1970; undefined: the latest moment
 */
export async function bringFilesBack(
  procedure: Procedure,
  cluster: Cluster,
  at: number | undefined,
): Promise<void> {
  const source = filestoreSource(cluster);
  if (source === undefined) return;
  const chosen = snapshotsFor(await listSnapshots(procedure, cluster), at);
  if (chosen.length === 0) {
    procedure.options.tell(
      `${source.name}: there is no snapshot of the filestore: it stays as it is`,
    );
    return;
  }
  const times = chosen.map((one) => new Date(one.at * 1000).toISOString().slice(0, 19) + 'Z');
  const script = restoreFilesScript(chosen);
  const text = await procedure.step(
    source,
    `bringing attachments back from the snapshots of ${times.join(' and ')}`,
    script,
    {
      limit: LONG,
      remedy: `what was brought back stays; mend the cause, and then, as root on ${source.name}: ${script.render().trim()}`,
    },
  );
  const { added, known } = parseAdded(text);
  procedure.options.tell(
    `${source.name}: ${String(added)} files were missing and are back, of ${String(known)}; none was removed`,
  );
}
