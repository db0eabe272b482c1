import { Failure } from '../src/failure/failure.js';
import type { Cluster, Host } from '../src/inventory/cluster.js';
import { archiveReach, lastArchived, newestHeld } from '../src/postgres/archive-reach.js';
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
import { needRepository, seeWriters, takesWrites } from './repository.js';

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
    const { name } = needRepository(cluster).host;
    throw notArchived(known, target.at, { ...COPYING, host: name, why: why.join('; ') });
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
      if (needed)
        throw notArchived(known, target.at, { ...COPYING, host: primary.name, why: output });
      procedure.options.tell(
        `${primary.name}: not archived: ${output}. The moment may be in the archive all the same: going on`,
      );
    }
  };
  return { primary, run };
}

/**
 * For a restore in place, before anything is stopped: that the archive reaches a moment, or will when the primary has handed over what it
 * wrote last, as one that runs does.
 * @param from `archived`: whether the data there belongs to the archive, which takes nothing of another cluster's
 * @throws Failure refused where the replay would break off
 */
export async function requireReach(
  procedure: Pick<Procedure, 'ask'>,
  known: Recoverable,
  plan: RecoveryPlan,
  target: RecoveryTarget,
  from: { readonly primary: Host; readonly archived: boolean },
): Promise<void> {
  if (!isBehindArchive(known, plan, target)) return;
  const { primary, archived } = from;
  if (archived && (await takesWrites(procedure, primary))) return;
  const first =
    'if it can be started (odoo-prov status FILE says by what), run this again then: it hands over what it wrote last. ';
  throw notArchived(known, target.at, {
    host: primary.name,
    untouched: 'nothing was stopped',
    ...(archived
      ? { why: 'PostgreSQL there takes no writes, and hands nothing over', first }
      : {
          why: 'the data there is of another cluster than the archive, which takes nothing of it',
        }),
  });
}

/**
 * Whether a moment lies behind the end of the archive: PostgreSQL finds it by the first transaction after it, and breaks off where there
 * is none.
 */
export function isBehindArchive(
  known: Recoverable,
  plan: RecoveryPlan,
  target: RecoveryTarget,
): target is Extract<RecoveryTarget, { type: 'time' }> {
  return target.type === 'time' && archiveReach(known, target.at, plan.timeline) === 'ends before';
}

interface NotArchived {
  /** The host that could hand it over; where there is none, the one that keeps the archive. */
  readonly host: string;
  /** What nobody has done so far: `nothing was copied`. */
  readonly untouched: string;
  /** Why it is not handed over now. */
  readonly why: string;
  /** What brings it into the archive. */
  readonly first?: string;
}

const COPYING = {
  untouched: 'nothing was copied',
  first: 'odoo-prov status FILE shows primary and archive; once WAL is archived, run this again. ',
};

/**
 * Why a moment of the last minutes cannot be restored.
 * @param at the moment, in seconds since 1970
 */
export function notArchived(
  known: Recoverable,
  at: number,
  { host, untouched, why, first = '' }: NotArchived,
): Failure {
  const last = postgresTime(lastArchived(known) ?? 0);
  return new Failure({
    reason: 'refused',
    host,
    message: `that moment cannot be restored: what was written then is not archived; ${untouched}`,
    expected: `WAL of ${postgresTime(at)} in the archive`,
    found: `the archive ends before ${last}; ${why}`,
    remedy: `${first}What is there already: --to-time '${postgresTime(newestHeld(known) ?? 0)}' or earlier, or --latest`,
  });
}
