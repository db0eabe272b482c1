import { finishAll } from '../../src/concurrency/finish-all.js';
import { observedCluster } from '../../src/facts/topology.js';
import { databaseHosts, hostsWith, type Cluster } from '../../src/inventory/cluster.js';
import { postgresOf } from '../../src/odoo/layout.js';
import { hasStandby, type Sight } from '../../src/postgres/promotion.js';
import { archiveReceived } from './archive-received.js';
import { leadFollowers } from './followers.js';
import { leftFaultsText, refuseLeftFaults } from './left-fault.js';
import { requireNoLivingSender } from './living-sender.js';
import type { MoveView } from './move-view.js';
import { holdingBack, holdingText } from './pooler-look.js';
import { letThrough } from './poolers.js';
import { checkpoint, goOnAlone, reconnectBus, type Mover } from './steps.js';

/** What is left of a move that was cut after its promotion; nothing may be. */
export interface FinishPlan {
  /** Takes writes already. */
  readonly primary: Sight;
  /** A PgBouncer does not lead its clients to it. */
  readonly clients: boolean;
  /** Standbys that run and do not receive from it. */
  readonly follow: readonly string[];
  /** Stopped ones that can follow it: the old primary of a switchover among them. */
  readonly start: readonly string[];
  /** What only a rejoin takes back. */
  readonly left: readonly string[];
  /** No standby is left for commits to wait for, and they are not to wait. */
  readonly alone: boolean;
  /** What will happen, a line each. */
  readonly steps: readonly string[];
  /** What the operator should know, true at the moment of the look. */
  readonly notes: readonly string[];
}

export interface FinishOptions {
  /** Who is to be the primary, by the operator's choice. */
  readonly to?: string | undefined;
  /** A failover: what a failover-test has left broken is told, and holds nobody up. */
  readonly urgent?: boolean;
  /** Asked where commits would wait for a standby that is not there; not given: they wait. */
  readonly withoutStandby?: (host: string) => Promise<'block' | 'continue'>;
}

/**
 * Decides whether the move that is asked for has its new primary already: who takes writes is the one that is named; or nobody
 * is named, and a PgBouncer holds its clients back, as only a move leaves it that was cut.
 * @returns undefined where there is something to move
 * @throws Failure refused: a fault that a failover-test has left (not where it is urgent); a standby receives from a living primary that was not seen
 */
export async function planFinish(
  cluster: Cluster,
  view: MoveView,
  { to, urgent = false, withoutStandby }: FinishOptions,
): Promise<FinishPlan | undefined> {
  const writers = view.sights.filter(({ writable }) => writable);
  const [primary] = writers;
  // Two of them are for who moves: they are refused there.
  if (primary === undefined || writers.length > 1) return undefined;
  const holding = holdingBack(view.poolers);
  if (to === undefined ? holding.length === 0 : to !== primary.host) return undefined;
  if (!urgent) refuseLeftFaults(view.armed);
  await requireNoLivingSender(cluster, view.sessions, view.sights);

  const others = view.sights.filter((sight) => sight !== primary);
  const able = others.filter(
    ({ standby, pastFork, compared }) => standby && !pastFork && !compared,
  );
  const running = able.filter((sight) => sight.running);
  const following = running.filter(({ received }) => received !== primary.timeline);
  const stopped = able.filter((sight) => !sight.running && !sight.stuck);
  const old = others.filter((sight) => !sight.standby || sight.pastFork);
  const clients = astray(cluster, view, primary);
  const cut = clients || following.length > 0 || stopped.length > 0;
  const lonely =
    clients &&
    cluster.postgres.replication.synchronous !== 'off' &&
    !hasStandby(cluster, [...running, ...stopped]);
  const alone = lonely && (await withoutStandby?.(primary.host)) === 'continue';
  const silent = databaseHosts(cluster).filter(({ name }) => view.silent.has(name));
  const { host } = primary;
  return {
    primary,
    clients,
    follow: following.map((sight) => sight.host),
    start: stopped.map((sight) => sight.host),
    left: old.map((sight) => sight.host),
    alone,
    steps: [
      cut
        ? `${host} takes writes already, on timeline ${String(primary.timeline)}: a move was cut here`
        : `${host} is the primary already, and clients get through to it: nothing is moved`,
      ...(alone ? [`${host} saves alone until a standby is back`] : []),
      ...(clients ? [`lead every PgBouncer to ${host} and let the clients through`] : []),
      ...following.map((sight) => `${sight.host} follows ${host}`),
      ...stopped.map((sight) => `start PostgreSQL on ${sight.host}, which follows ${host}`),
      ...silent.map(({ name }) => `${name} is not reachable: it follows when it is back`),
      ...(cluster.postgres.backup === undefined
        ? []
        : [`${host} archives what the old primary had not`]),
      ...(clients ? ['restart odoo-gevent, so that live chat listens again at once'] : []),
      ...old.map(
        (sight) =>
          `later, by you: odoo-prov rejoin FILE --host ${sight.host}, which cannot follow: it saves the rows that only it has`,
      ),
    ],
    notes: [
      ...leftFaultsText(view.armed),
      ...(holding.length > 0 ? [holdingText(holding)] : []),
      ...(to === undefined ? [`if ${host} is not to stay the primary: run this again then`] : []),
    ],
  };
}

/** Whether a PgBouncer holds its clients back, or leads them elsewhere. */
function astray(cluster: Cluster, { poolers }: MoveView, primary: Sight): boolean {
  const observed = observedCluster(cluster, { primary: primary.host });
  return hostsWith(observed, 'pgbouncer').some((host) => {
    const pooler = poolers.find((one) => one.host === host.name);
    if (pooler === undefined) return false;
    const { host: address } = postgresOf(observed, host);
    return pooler.state !== 'open' || pooler.leadsTo.some((other) => other !== address);
  });
}

/** Carries a plan out. No host waits for what fails at another. */
export async function runFinish(mover: Mover, plan: FinishPlan): Promise<void> {
  const { host, timeline } = plan.primary;
  const nothing = !plan.clients && plan.follow.length + plan.start.length === 0;
  mover.tell(
    host,
    nothing
      ? 'is the primary already: nothing was moved'
      : `takes writes already, on timeline ${String(timeline)}`,
  );
  const observed = observedCluster(mover.cluster, { primary: host });
  await finishAll([
    ...(plan.alone ? [goOnAlone(mover, host)] : []),
    ...(plan.clients ? [letThrough(mover, observed).then(() => reconnectBus(mover))] : []),
    leadFollowers(mover, host, { running: plan.follow, stopped: plan.start }),
    archiveReceived(mover, host),
  ]);
  await checkpoint(mover, host);
}
