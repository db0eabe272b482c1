import { Failure } from '../../src/failure/failure.js';
import { databaseHosts, type Cluster, type Host } from '../../src/inventory/cluster.js';
import { STOP_OLD } from '../../src/postgres/old-data.js';
import { slotOf } from '../../src/postgres/layout.js';
import type { Sight } from '../../src/postgres/promotion.js';
import { createSlotSql, dropLostSlotSql } from '../../src/resource/postgres-slot.js';
import { raw } from '../../src/shell/index.js';
import { archiveReceived } from './archive-received.js';
import { awaitStreaming } from './await-streaming.js';
import { saveLostRows } from './lost-rows.js';
import type { Rejoining } from './rejoin-look.js';
import { startOldData, stopOldData } from './old-data.js';
import { needsClone, rowsOf, type RejoinPlan } from './rejoin-plan.js';
import {
  cloneInPlace,
  copyAside,
  FENCE,
  followScript,
  NOT_COMPARED,
  rewind,
  REWOUND,
} from './rejoin-script.js';
import { SQL_FUNCTION } from './sight.js';
import { lessIn } from './start-server.js';
import { step, type Mover } from './steps.js';

/** Seconds for what reads or copies all data: a terabyte over a gigabit network takes three hours. */
const LONG = 24 * 3600;

/** Carries a plan out, one host after the other. */
export async function runRejoin(mover: Mover, plan: RejoinPlan): Promise<void> {
  for (const one of plan.rejoining) await rejoin(mover, plan, one);
  // Not done yet where somebody promoted by hand, or a failover was cut.
  await archiveReceived(mover, plan.primary.host);
}

/**
 * Makes an old primary a standby. Until its data says so itself (`standby.signal`) it is fenced, so that it takes no
 * writes wherever this is cut; what was begun is found and finished by the next attempt.
 */
async function rejoin(mover: Mover, plan: RejoinPlan, one: Rejoining): Promise<void> {
  const { primary, keeping } = plan;
  const { sight } = one;
  const { host } = sight;
  await step(mover, host, 'stop PostgreSQL', stopScript(sight.standby), LONG);
  mover.tell(host, 'PostgreSQL is stopped');
  if (needsClone(one, primary, keeping)) {
    await clone(mover, plan, one, true);
  } else if (one.phase === 'none') {
    const old = rowsOf(one, primary);
    if (keeping.rows && old !== undefined) await saveRows(mover, primary, old);
    if (keeping.clone) await clone(mover, plan, one, true);
    else await takeBack(mover, plan, one, old);
  }
  await step(mover, primary.host, 'send what it has', FLUSH, 60);
  const next = `\`odoo-prov apply FILE\` puts its settings right and starts it: its data is a standby's now. Where that fails too, mend what is said here first`;
  const started = await step(mover, host, `follow ${primary.host}`, followScript(), LONG, next);
  const less = lessIn(started);
  if (less.length > 0) {
    // The apply at the end of every move does.
    mover.tell(host, `has less than its primary (${less.join(', ')}): apply gives it as much`);
    return;
  }
  await awaitStreaming(mover, [host], { limit: 120, timeline: primary.timeline });
}

/** Takes back what only its data has, or copies everything where that cannot be done. @param old as {@link rowsOf} gives it */
async function takeBack(
  mover: Mover,
  plan: RejoinPlan,
  one: Rejoining,
  old: Sight | undefined,
): Promise<void> {
  const { primary, keeping } = plan;
  const { sight } = one;
  if (keeping.data) await keepCopy(mover, one);
  // Before 16, pg_rewind reads the primary's timeline off its last checkpoint: without one since the promotion, it
  // takes both for the same, finds nothing to do, and the host never follows.
  await step(mover, primary.host, 'write a checkpoint', CHECKPOINT, LONG);
  const replayed = keeping.rows || !sight.standby || (await replay(mover, old ?? sight));
  if (!replayed || !(await rewound(mover, primary, sight.host))) {
    await clone(mover, plan, one, !keeping.data);
  }
}

/**
 * Has a standby's data replay all its WAL. Rows that only it has are compared after that; without, pg_rewind would compare where it
 * stands now, find nothing to do where that is before the fork, and leave the WAL that goes past it.
 * @returns whether it could be done
 */
async function replay(mover: Mover, sight: Sight): Promise<boolean> {
  try {
    await startOldData(mover, sight);
    return true;
  } catch (error) {
    // Ctrl-C, or a host that is gone, is no word on its data.
    if (!(error instanceof Failure) || error.reason !== 'command-failed') throw error;
    mover.tell(sight.host, `${error.message}: it cannot be rewound`);
    return false;
  } finally {
    await stopOldData(mover, sight.host);
  }
}

/** @returns whether it could be done; why not is told */
async function rewound(mover: Mover, primary: Sight, host: string): Promise<boolean> {
  const source = hostOf(mover.cluster, primary.host);
  const script = rewind(source.address, primary.timeline);
  const said = await step(mover, host, 'rewind it', script, LONG);
  for (const line of said.split('\n')) mover.tell(host, line);
  return said.endsWith(REWOUND) || said.endsWith(NOT_COMPARED);
}

const CHECKPOINT = raw(`${SQL_FUNCTION}
echo checkpoint | sql`);

/**
 * A commit, which writes out and sends all WAL before it, and waits for no standby. pg_rewind has the data come to what the primary
 * has inserted, and only what is written out is sent. Seen once: on a primary on which nothing happened that took three minutes,
 * in which the host took no connection.
 */
const FLUSH = raw(`${SQL_FUNCTION}
sql >/dev/null <<'EOF'
set synchronous_commit = local;
select pg_logical_emit_message(true, 'odoo-prov', '');
EOF`);

function stopScript(standby: boolean): ReturnType<typeof raw> {
  return raw(`${SQL_FUNCTION}
${standby ? '' : FENCE}
systemctl stop "$unit"
${STOP_OLD}`);
}

/** Saves what only it has. A standby that ran goes on as it was where that fails; an old primary stays down. */
async function saveRows(mover: Mover, primary: Sight, sight: Sight): Promise<void> {
  try {
    await saveLostRows(mover, primary, sight);
  } catch (error) {
    const again = raw(`${SQL_FUNCTION}
systemctl start "$unit"`);
    if (sight.standby && sight.running) await step(mover, sight.host, 'start it again', again, 300);
    throw error;
  }
}

async function keepCopy(mover: Mover, { sight }: Rejoining): Promise<void> {
  const what = 'keep a copy of its data aside';
  const kept = await step(mover, sight.host, what, copyAside(sight.timeline), LONG);
  mover.tell(sight.host, `a copy of its old data is in ${kept}: remove it when nothing is missed`);
}

/** Replaces all data by a copy of the primary's. @param keep whether the old data is kept beside it */
async function clone(
  mover: Mover,
  { primary }: RejoinPlan,
  { sight }: Rejoining,
  keep: boolean,
): Promise<void> {
  const { host, timeline } = sight;
  const size = raw(`${SQL_FUNCTION}
echo 'select ceil(sum(pg_database_size(oid)) / 1024) from pg_database' | sql`);
  const kilobytes = Number(await step(mover, primary.host, 'look how much data it has', size));
  mover.tell(host, `copying ${String(Math.ceil(kilobytes / 1024))} MB from ${primary.host}`);
  const slot = slotOf(hostOf(mover.cluster, host));
  // The copy is refused without it; a slot that has lost its WAL keeps none.
  const slots = raw(`${SQL_FUNCTION}
sql >/dev/null <<'EOF'
${dropLostSlotSql(slot)}
${createSlotSql(slot)}
EOF`);
  await step(mover, primary.host, `make the replication slot ${slot}`, slots, 60);
  const script = cloneInPlace({
    source: hostOf(mover.cluster, primary.host).address,
    slot,
    kilobytes: Math.ceil(kilobytes * 1.05) + 256 * 1024,
    timeline,
    keep,
  });
  const kept = await step(mover, host, `copy everything from ${primary.host}`, script, LONG);
  mover.tell(host, 'copied everything from the primary');
  if (keep) mover.tell(host, `its old data is in ${kept}: remove it when nothing is missed`);
}

function hostOf(cluster: Cluster, name: string): Host {
  const host = databaseHosts(cluster).find((other) => other.name === name);
  if (host === undefined) throw new Error('the inventory was not checked');
  return host;
}
