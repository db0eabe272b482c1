import { Failure } from '../src/failure/failure.js';
import { databaseHosts, type Cluster, type Host } from '../src/inventory/cluster.js';
import type { Snapshot } from '../src/filestore/snapshots.js';
import type { Recoverable } from '../src/postgres/recovery-plan.js';
import { makeRoom, roomLeft, SEGMENT_ROOM } from '../src/postgres/archive-failure.js';
import { stanzaOf } from '../src/postgres/pgbackrest.js';
import { addToHistory, AS_POSTGRES } from '../src/postgres/repository-files.js';
import { waitForArchive } from '../src/postgres/restore-script.js';
import { literal, PSQL } from '../src/resource/postgres-sql.js';
import { lines, sh, type Script } from '../src/shell/index.js';
import { size } from '../src/status/words.js';
import { listSnapshots, saveFilestore } from './filestore.js';
import { archiveRefuses, PROVE_LIMIT, proveArchive } from './primary/archive-takes.js';
import { observePrimary } from './observe.js';
import { Procedure, type ProcedureOptions } from './procedure.js';
import { connectMaker, connectReader, needRepository, readRepository } from './repository.js';
import { runUnit } from './run-unit.js';

export type BackupType = 'full' | 'diff' | 'incr';

/** Seconds that a backup may take while somebody waits for it; it goes on without them. */
const BACKUP_LIMIT = 7 * 24 * 3600;

/** Runs a procedure with its connections, and closes them whatever comes of it. */
export async function withProcedure<T>(
  options: ProcedureOptions,
  work: (procedure: Procedure) => Promise<T>,
): Promise<T> {
  const procedure = new Procedure(options);
  try {
    return await work(procedure);
  } finally {
    await procedure.close();
  }
}

/** What is in the repository, and the snapshots of the filestore. */
export async function listBackups(
  cluster: Cluster,
  options: ProcedureOptions,
): Promise<Recoverable & { readonly snapshots: readonly Snapshot[] }> {
  return withProcedure(options, async (procedure) => {
    const host = await connectReader(procedure, cluster);
    const known = await readRepository(procedure, cluster, host);
    return { ...known, snapshots: await listSnapshots(procedure, cluster, host) };
  });
}

/**
 * Makes a backup now, by the service that the timers use: it goes on when the connection is lost. Then a snapshot of
 * the filestore.
 * @throws Failure run-lock while a failover-test has the host; when it failed, with its last lines
 */
export async function backupNow(
  cluster: Cluster,
  type: BackupType,
  options: ProcedureOptions,
): Promise<Recoverable> {
  const unit = `odoo-prov-backup@${type}.service`;
  return withProcedure(options, async (procedure) => {
    const host = await connectMaker(procedure, cluster);
    await procedure.requireUntested(host);
    const percent = sh`as_postgres pgbackrest --stanza=${stanzaOf(cluster)} --log-level-console=off --log-level-file=off info 2>/dev/null |
    sed -n 's/.*running.* - \([0-9.]*\)% complete.*/\1 %/p'`;
    await requireRoom(procedure, cluster, host);
    const script = lines([AS_POSTGRES, runUnit(unit, { progress: percent })]);
    await procedure.step(host, `making a backup (${type})`, script, {
      limit: BACKUP_LIMIT,
      onLine: options.progress,
      remedy: `journalctl -u ${unit} there says more; odoo-prov apply checks the whole way`,
    });
    // The database first: an attachment that no row names yet does no harm, one that is missing does.
    await saveFilestore(procedure, cluster);
    return readRepository(procedure, cluster, host);
  });
}

/**
 * Gives this moment a name, to which the cluster can be restored later, between two snapshots of the filestore.
 * @returns its position in the WAL
 * @throws Failure refused when the name is taken or the archive takes no WAL, run-lock while a failover-test has the host
 */
export async function makeRestorePoint(
  cluster: Cluster,
  name: string,
  options: ProcedureOptions,
): Promise<string> {
  const { backup, host } = needRepository(cluster);
  return withProcedure(options, async (procedure) => {
    await procedure.connect([host, ...databaseHosts(cluster)]);
    await procedure.requireUntested(host);
    await requireRoom(procedure, cluster, host);
    const known = await readRepository(procedure, cluster);
    if (known.history.points.some((point) => point.name === name)) throw taken(name);
    const { primary } = await observePrimary(procedure, cluster);
    // Before the point is made: one that is not in the archive is in the WAL, and of two with a name the first is restored.
    const waits = (
      await procedure.ask(primary, proveArchive(cluster), { limit: PROVE_LIMIT })
    ).trim();
    if (waits !== '') {
      const why = 'nobody could go back to a point that it does not hold';
      throw archiveRefuses(cluster, primary.name, waits, { why });
    }
    await saveFilestore(procedure, cluster);
    const what = `giving this moment the name ${name}`;
    const given = { limit: 180, remedy: usedUp(name) };
    const line = (await procedure.step(primary, what, pointScript(name), given)).trim();
    const [, , , lsn = ''] = line.split('\t');
    await procedure.ask(host, addToHistory(backup, line));
    // What was made after the one before and is removed before the next by the clock is only in this one.
    await saveFilestore(procedure, cluster);
    return lsn;
  });
}

/**
 * pgBackRest waits for the archive for a minute before it says that there is no room. A bucket has as much as is paid for.
 * @throws Failure refused
 */
async function requireRoom(procedure: Procedure, cluster: Cluster, host: Host): Promise<void> {
  const { backup } = needRepository(cluster);
  if (backup.s3 !== undefined) return;
  const left = Number(await procedure.ask(host, roomLeft(backup.path)));
  if (left >= SEGMENT_ROOM) return;
  throw new Failure({
    reason: 'refused',
    host: host.name,
    message: 'the repository has no room for a backup, nor for WAL; nothing was made',
    expected: `at least ${size(SEGMENT_ROOM)} left in ${backup.path}`,
    found: `${size(left)} left`,
    remedy: makeRoom(host.name, backup.path, stanzaOf(cluster)),
  });
}

/** Prints the line of the history that says where the point is, when the archive holds it. */
function pointScript(name: string): Script {
  // The segment's name begins with the timeline that is written.
  const sql = `select lsn, ('x' || left(pg_walfile_name(lsn), 8))::bit(32)::int as timeline_id
from (select pg_create_restore_point(${literal(name)}) as lsn offset 0) p \\gset
select format(E'point\\t%s\\t%s\\t%s\\t%s', ${literal(name)}, extract(epoch from clock_timestamp()), :'lsn', :timeline_id);
select pg_walfile_name(pg_switch_wal());`;
  return sh`
${PSQL}
answer=$(printf '%s\n' ${sql} | psql_as_postgres postgres)
segment=$(printf '%s\n' "$answer" | tail -n 1)
${waitForArchive}
printf '%s\n' "$answer" | head -n 1`;
}

function usedUp(name: string): string {
  return `odoo-prov status FILE shows the archive. Then take another name: ${name} may stand in the WAL already, and of two points with a name the first is restored`;
}

function taken(name: string): Failure {
  return new Failure({
    reason: 'refused',
    message: `there is a restore point ${name} already`,
    remedy: 'take another name: odoo-prov backup FILE --list shows those that there are',
  });
}
