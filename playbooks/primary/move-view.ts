import { Failure } from '../../src/failure/failure.js';
import { hostsWith, type Cluster } from '../../src/inventory/cluster.js';
import type { Session } from '../../src/transport/session.js';
import type { Reached } from './connect.js';
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
  const { sessions, unreached } = reached;
  const [view, poolers] = await Promise.all([
    lookAtAll(cluster, sessions, unreached),
    lookAtPoolers(cluster, sessions),
  ]);
  const seen = { ...view, poolers, sessions };
  requirePoolers(cluster, reached, seen);
  return seen;
}

/**
 * Every PgBouncer must be led to the new primary: one that cannot be told would go on writing to the old one. Where nobody takes
 * writes, as a move leaves it that was cut, that goes on as long as the PgBouncer is away, so it is said.
 * @throws Failure refused
 */
function requirePoolers(cluster: Cluster, { unreached }: Reached, view: MoveView): void {
  const all = hostsWith(cluster, 'pgbouncer');
  const lost = all.filter(({ name }) => unreached.has(name));
  const [first] = lost;
  if (first === undefined) return;
  const holding = holdingBack(view.poolers);
  const idle = idleText(view);
  const away =
    lost.length < all.length
      ? 'take the role pgbouncer off it in the inventory'
      : 'give the role pgbouncer to another host in the inventory, instead of this one,';
  throw new Failure({
    reason: 'refused',
    host: first.name,
    message: `this PgBouncer cannot be reached: it could go on leading clients to the old primary${idle === undefined ? '' : `. Meanwhile ${idle}`}`,
    expected: 'every PgBouncer reachable, so that all of them are cut off first',
    found: [
      ...lost.map(({ name }) => `${name}: ${unreached.get(name)?.message ?? 'unreachable'}`),
      ...(holding.length > 0 ? [holdingText(holding)] : []),
    ].join('; '),
    remedy: `bring the host back, or ${away} if it is gone for good; then ${idle === undefined ? 'run this again' : 'the same command again: until then nothing is saved'}`,
  });
}

/** That nobody takes writes, as far as was seen; undefined where somebody does, or a standby receives from one. */
function idleText({ sights, silent }: View): string | undefined {
  if (sights.some(({ writable, received }) => writable || received !== undefined)) return undefined;
  return silent.size === 0 ? 'nobody takes writes' : 'no database host that answers takes writes';
}

/** Whose clients do not get through, and why, for a plan that ends with letting them through. */
export function cutText({ poolers }: MoveView): string[] {
  const holding = holdingBack(poolers);
  if (holding.length === 0) return [];
  if (!holding.some(({ state }) => state === 'paused'))
    return [`${holdingText(holding)}: this move starts it`];
  return [`a move was cut here: ${holdingText(holding)}; this one ends with letting them through`];
}
