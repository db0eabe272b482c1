import type { Cluster } from '../../src/inventory/cluster.js';
import type { Session } from '../../src/transport/session.js';
import { requirePoolers, type Reached } from './connect.js';
import { holdingBack, holdingText, lookAtPoolers, type PoolerSight } from './pooler-look.js';
import { lookAtAll, type View } from './sight.js';

/** What a move of the primary decides by. */
export interface MoveView extends View {
  readonly poolers: readonly PoolerSight[];
  /** For what is asked further. */
  readonly sessions: ReadonlyMap<string, Session>;
}

/**
 * Looks at all database hosts and PgBouncers at once.
 * @throws Failure refused: a PgBouncer out of reach, and what {@link lookAtAll} refuses
 */
export async function lookForMove(cluster: Cluster, reached: Reached): Promise<MoveView> {
  requirePoolers(cluster, reached);
  const { sessions, unreached } = reached;
  const [view, poolers] = await Promise.all([
    lookAtAll(cluster, sessions, unreached),
    lookAtPoolers(cluster, sessions),
  ]);
  return { ...view, poolers, sessions };
}

/** Whose clients do not get through, and why, for a plan that ends with letting them through. */
export function cutText({ poolers }: MoveView): string[] {
  const holding = holdingBack(poolers);
  if (holding.length === 0) return [];
  if (!holding.some(({ state }) => state === 'paused'))
    return [`${holdingText(holding)}: this move starts it`];
  return [`a move was cut here: ${holdingText(holding)}; this one ends with letting them through`];
}
