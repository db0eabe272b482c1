import { newestTimeline, type Recoverable } from './recovery-plan.js';

/**
 * Seconds before the last segment came into the archive in which no transaction need have ended: a server that does little ends a
 * segment a minute after something was written, and its clock is another one than the repository's.
 */
const QUIET = 120;

/** Whether the archive holds a transaction after a moment, at which a recovery to it can stop. */
export type Reach = 'holds' | 'may hold' | 'ends before';

/** When the last segment came into the archive, in seconds since 1970; undefined where that is not known. */
export function lastArchived({ segments }: Recoverable): number | undefined {
  return segments.length === 0 ? undefined : Math.max(...segments.map(({ at }) => at));
}

/** The newest moment that the archive holds for all that is known, in seconds since 1970; undefined where that is not known. */
export function newestHeld(known: Recoverable): number | undefined {
  const last = lastArchived(known);
  return last === undefined ? undefined : last - QUIET;
}

/**
 * Tells by the time of the last segment how far the archive reaches. What was left when the database was set back was handed over then.
 * @param at the moment, in seconds since 1970
 * @param timeline the one on which it is
 */
export function archiveReach(known: Recoverable, at: number, timeline: number): Reach {
  const last = lastArchived(known);
  if (last === undefined || timeline < newestTimeline(known) || at < last - QUIET) return 'holds';
  return at < last ? 'may hold' : 'ends before';
}
