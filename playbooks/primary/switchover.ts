import { finishAll } from '../../src/concurrency/finish-all.js';
import { Failure } from '../../src/failure/failure.js';
import { observedCluster } from '../../src/facts/topology.js';
import { databaseHosts, type Cluster } from '../../src/inventory/cluster.js';
import { chooseCandidate, hasStandby, parseLsn, type Sight } from '../../src/postgres/promotion.js';
import { severalPrimaries } from '../../src/postgres/two-primaries.js';
import { lines, raw, sh } from '../../src/shell/index.js';
import { archiveReceived } from './archive-received.js';
import { requireArchive } from './archive-takes.js';
import { requireEnough } from './enough-settings.js';
import { leadFollowers } from './followers.js';
import { refuseLeftFaults } from './left-fault.js';
import { cutText, type MoveView } from './move-view.js';
import { chooseReplaying, pausedText } from './paused-replay.js';
import { holdingBack, holdingText } from './pooler-look.js';
import { requireReplicationLogin } from './replication-login.js';
import { backupText, SQL_FUNCTION, withoutPrimary } from './sight.js';
import { cutOff, letThrough, pointTo, silentIn, type Pointing } from './poolers.js';
import { startServer } from './start-server.js';
import { checkpoint, promote, reconnectBus, step, type Mover } from './steps.js';

export interface SwitchoverPlan {
  readonly from: Sight;
  readonly to: Sight;
  readonly others: readonly Sight[];
  /** A switchover was cut that had stopped the old primary: it goes on from there. */
  readonly cut: boolean;
  /** It is not made where the archive does not take the primary's WAL. */
  readonly archiveFirst: boolean;
  /** What will happen, a line each. */
  readonly steps: readonly string[];
  /** What the operator should know, true at the moment of the look. */
  readonly notes: readonly string[];
}

/**
 * Decides whether the primary can be moved without losing anything.
 * @param to the standby that takes over, by the operator's choice
 * @param force also where the archive takes no WAL, and clients wait for that
 * @throws Failure refused: no primary, more than one, a host out of reach, a standby that does not stream, one that could not
 *   follow, a fault that a failover-test has left
 */
export function planSwitchover(
  cluster: Cluster,
  view: MoveView,
  to: string | undefined,
  force = false,
): SwitchoverPlan {
  refuseLeftFaults(view.armed);
  const writers = view.sights.filter((sight) => sight.writable);
  if (writers.length > 1) throw severalPrimaries(writers);
  const [from] = writers;
  if (from === undefined) return planRest(cluster, view, to);
  const { candidate, others } = chooseReplaying(
    cluster,
    (host) => chooseCandidate(cluster, view.sights, host, [...view.silent.keys()]),
    to,
  );
  if (candidate.received === undefined || candidate.timeline !== from.timeline)
    throw notStreaming(candidate);
  const behind = from.lsn - candidate.lsn;
  if (behind > BigInt(cluster.postgres.replication.maxLag)) throw notStreaming(candidate);
  requireEnough({ from, to: candidate, others });
  const silent = databaseHosts(cluster).filter(({ name }) => view.silent.has(name));
  const waiting =
    cluster.postgres.replication.synchronous !== 'off' && !hasStandby(cluster, others);
  const archives = cluster.postgres.backup !== undefined;
  const archiveFirst = archives && !force;
  return {
    from,
    to: candidate,
    others,
    cut: false,
    archiveFirst,
    steps: [
      ...(archiveFirst
        ? [`see that the archive takes ${from.host}'s WAL now: stopping waits for it`]
        : []),
      `write ${from.host}'s and ${candidate.host}'s buffers out, so that stopping is quick`,
      'hold all clients back at every PgBouncer',
      `stop PostgreSQL on ${from.host}${archives && force ? ', however long its archive takes (--force)' : ''}; ${candidate.host} has everything then`,
      ...stepsFromPromotion(from, candidate, others),
      ...(waiting
        ? [`every commit waits until ${from.host} follows: it is the only standby for that`]
        : []),
      ...silent.map(({ name }) => `${name} is not reachable: it follows when it is back`),
      'restart odoo-gevent, so that live chat listens again at once',
    ],
    notes: [...cutText(view), ...backupText(from), ...pausedText(candidate, others)],
  };
}

function stepsFromPromotion(from: Sight, to: Sight, others: readonly Sight[]): readonly string[] {
  return [
    `promote ${to.host}`,
    `lead every PgBouncer to ${to.host} and let the clients through`,
    ...[...others, from].map(({ host }) => `${host} follows ${to.host}`),
  ];
}

/**
 * Goes on with a switchover that was cut before its promotion, where that provably loses nothing: every database host was seen,
 * nobody else can have taken over, and the standby has all that the old primary ever wrote.
 * @throws Failure refused where that is not so
 */
function planRest(cluster: Cluster, view: MoveView, to: string | undefined): SwitchoverPlan {
  const { sights, silent, poolers } = view;
  const handedOver = sights.filter((sight) => sight.handedOver);
  const [from] = handedOver;
  const certain =
    silent.size === 0 && sights.every(({ standby, received }) => standby && received === undefined);
  if (from === undefined || handedOver.length > 1 || !certain) throw noPrimary(view, to);
  const { candidate, others } = chooseCandidate(cluster, sights, to);
  if (candidate.timeline !== from.timeline || candidate.lsn <= from.lsn) throw noPrimary(view, to);
  const holding = holdingBack(poolers);
  return {
    from,
    to: candidate,
    others,
    cut: true,
    archiveFirst: false,
    steps: [
      `a switchover was cut here: ${from.host} was stopped for it, and ${candidate.host} has everything that it wrote`,
      'hold all clients back at every PgBouncer',
      ...stepsFromPromotion(from, candidate, others),
      'restart odoo-gevent, so that live chat listens again at once',
    ],
    notes: holding.length > 0 ? [holdingText(holding)] : [],
  };
}

function noPrimary({ sights, poolers }: MoveView, to: string | undefined): Failure {
  const holding = holdingBack(poolers);
  const seen = sights.map(({ host }) => host).join(', ');
  return new Failure({
    reason: 'refused',
    message:
      holding.length > 0
        ? `no host takes writes, and clients wait: ${holdingText(holding)}, as a move leaves it that was cut`
        : 'no host takes writes',
    expected: 'exactly one primary',
    found: `none of ${seen === '' ? 'the database hosts: they hold no data' : seen}`,
    remedy: withoutPrimary(sights, to),
  });
}

function notStreaming(candidate: Sight): Failure {
  return new Failure({
    reason: 'refused',
    host: candidate.host,
    message: 'it does not keep up with the primary: moving to it now would lose data or take long',
    expected: 'a standby that receives WAL and lacks less than postgres.replication.max_lag',
    found: candidate.received === undefined ? 'it does not receive WAL' : 'it lags',
    remedy: 'wait until `odoo-prov status FILE` shows it streaming, or choose another with --to',
  });
}

/**
 * Stops a primary whose clients are gone. Its last WAL goes to the standbys before it ends. systemd asks it to stop by a
 * Perl program of Debian's, which takes longer than PostgreSQL: it is asked directly as well. Of one that is stopped already it
 * only sees that it was stopped cleanly. @returns its end
 */
const STOP = raw(`${SQL_FUNCTION}
pid=$(systemctl show -p MainPID --value "$unit")
systemctl stop --no-block "$unit"
if [ "$pid" -gt 0 ]; then
  kill -INT "$pid" || :
  tries=0
  while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 4500 ]; then echo 'it did not stop within 90 s' >&2; exit 1; fi
    sleep 0.02
  done
fi
control=$("$bin/pg_controldata" "$data")
case $control in *'shut down'*) ;; *) echo 'it was not shut down cleanly' >&2; exit 1 ;; esac
printf '%s\\n' "$control" | sed -n 's/^Latest checkpoint location: *//p'
: >"$data/standby.signal"
chown postgres:postgres "$data/standby.signal"
sync "$data/standby.signal"`);

/**
 * Carries a plan out. If the standby does not get the last WAL, the old primary is started again.
 * @throws Failure refused where the archive does not take WAL or nobody could log in as a standby: nothing was changed
 */
export async function runSwitchover(mover: Mover, plan: SwitchoverPlan): Promise<void> {
  const { from, to, others } = plan;
  if (!plan.cut) await requireReplicationLogin(mover, from.host);
  if (plan.archiveFirst) await requireArchive(mover, from.host);
  if (!plan.cut) {
    await finishAll([from, to].map(({ host }) => checkpoint(mover, host)));
    mover.tell(from.host, 'buffers are written out');
  }
  const observed = observedCluster(mover.cluster, { primary: to.host });
  let pointing: Pointing | undefined;
  try {
    await cutOff(mover);
    pointing = pointTo(mover, observed);
    const end = await step(mover, from.host, 'stop PostgreSQL', STOP, 120);
    mover.tell(from.host, `PostgreSQL is stopped, its WAL ends at ${end}`);
    await awaitReceived(mover, to.host, end);
  } catch (error) {
    await goBack(mover, from.host, error, pointing ?? silentIn(error));
    throw error;
  }
  await promote(mover, to.host);
  mover.onPromoted?.();
  const names = others.map(({ host }) => host);
  await finishAll([
    letThrough(mover, observed, pointing).then(() => reconnectBus(mover)),
    leadFollowers(mover, to.host, { running: names, stopped: [from.host] }),
    archiveReceived(mover, to.host),
  ]);
  await checkpoint(mover, to.host);
}

/** Waits until a standby has all WAL that the old primary ever wrote. */
async function awaitReceived(mover: Mover, host: string, end: string): Promise<void> {
  if (parseLsn(end) === 0n) throw new Error(`no WAL location: ${end}`);
  const script = raw(`${SQL_FUNCTION}
until=$(($(date +%s) + 30))
while :; do
  behind=$(echo "select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) <= '${end}'" | sql) || behind=
  if [ "$behind" = f ]; then exit 0; fi
  if [ "$(date +%s)" -ge "$until" ]; then echo "it did not receive the WAL up to ${end} within 30 s" >&2; exit 1; fi
  sleep 0.02
done`);
  await step(mover, host, 'receive the last WAL', script, 40);
}

/**
 * Nothing has been promoted yet: the primary takes its place again.
 * @param why the move broke off
 * @param pointing to the new one, as far as that was begun
 */
async function goBack(mover: Mover, host: string, why: unknown, pointing: Pointing): Promise<void> {
  const script = lines([
    startServer('rm -f "$data/standby.signal"'),
    sh`if [ "$(echo 'select pg_is_in_recovery()' | sql)" != f ]; then echo 'it does not take writes' >&2; exit 1; fi`,
  ]);
  const { cluster } = mover;
  const observed = observedCluster(cluster, { primary: host });
  try {
    await step(mover, host, 'start the old primary again', script, 120);
    mover.tell(host, 'takes writes again: the primary was not moved');
    // It points PgBouncer back as well.
    await letThrough(mover, observed, pointing);
  } catch (error) {
    // What went wrong first is what has to be understood.
    mover.tell(host, `the move broke off: ${why instanceof Error ? why.message : String(why)}`);
    throw error;
  }
}
