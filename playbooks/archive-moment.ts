import { Failure } from '../src/failure/failure.js';
import type { Cluster, Host } from '../src/inventory/cluster.js';
import { archiveReach, lastArchived } from '../src/postgres/archive-reach.js';
import { versionOf } from '../src/postgres/layout.js';
import {
  postgresTime,
  type Recoverable,
  type RecoveryPlan,
  type RecoveryTarget,
} from '../src/postgres/recovery-plan.js';
import { closeArchiveScript } from '../src/postgres/restore-script.js';
import { readState } from '../src/state/cluster-state.js';
import type { Procedure } from './procedure.js';
import { seeWriters } from './repository.js';

/** Seconds for a segment to reach the archive, and all that wait before it. */
const SECONDS = 10;

/** A segment that must be in the archive before a moment can be restored. */
export interface Closing {
  readonly primary: Host;
  /** Throws where the archive does not take it, unless it may be there already. */
  readonly run: () => Promise<void>;
}

/**
 * What is to be archived before a moment of the last minutes can be restored: the segment that the primary is writing. Nothing is
 * changed yet.
 * @returns undefined where nothing is
 * @throws Failure refused where it is missing in the archive, and the primary is not seen
 */
export async function planClosing(
  procedure: Procedure,
  cluster: Cluster,
  known: Recoverable,
  plan: RecoveryPlan,
  target: RecoveryTarget,
): Promise<Closing | undefined> {
  if (target.type !== 'time') return undefined;
  const reach = archiveReach(known, target.at, plan.timeline);
  if (reach === 'holds') return undefined;
  const needed = reach === 'ends before';
  const { writers, silent } = await seeWriters(procedure, cluster);
  const [primary] = writers;
  if (primary === undefined || writers.length > 1) {
    if (!needed) return undefined;
    const seen = writers.map(({ name }) => name).join(', ') || 'none';
    const why = [`database hosts that take writes, and could hand it over: ${seen}`, ...silent];
    throw notArchived(known, target.at, why.join('; '));
  }
  const facts = readState(cluster.file).facts[primary.name];
  if (facts === undefined)
    throw new Error('the version of PostgreSQL is known of all hosts by now');
  const script = closeArchiveScript(versionOf({ facts }), SECONDS);
  const run = async (): Promise<void> => {
    try {
      await procedure.step(primary, 'handing what was written to the archive', script, {
        limit: SECONDS + 30,
      });
    } catch (error) {
      // Ctrl-C is no word of the archive's.
      if (!(error instanceof Failure) || error.reason === 'interrupted') throw error;
      const { output = error.message } = error.details;
      if (needed) throw notArchived(known, target.at, `${primary.name}: ${output}`);
      procedure.options.tell(
        `${primary.name}: not archived: ${output}. The moment may be in the archive all the same: going on`,
      );
    }
  };
  return { primary, run };
}

function notArchived(known: Recoverable, at: number, why: string): Failure {
  const last = postgresTime(lastArchived(known) ?? 0);
  return new Failure({
    reason: 'refused',
    message:
      'that moment cannot be restored: what was written then is not archived; nothing was copied',
    expected: `WAL of ${postgresTime(at)} in the archive`,
    found: `the archive ends before ${last}; ${why}`,
    remedy:
      'odoo-prov status FILE shows primary and archive; once WAL is archived, run this again. What is there already: --to-time with a moment before the end of the archive, or --latest',
  });
}
