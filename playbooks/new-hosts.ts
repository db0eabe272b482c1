import { databaseHosts, hostsWith, type Cluster, type Host } from '../src/inventory/cluster.js';
import { Failure } from '../src/failure/failure.js';
import { filestoreSource } from '../src/filestore/layout.js';
import { versionOf } from '../src/postgres/layout.js';
import {
  configureBareScript,
  doneScript,
  holdsDataScript,
  restoreBareScript,
  settleBareScript,
} from '../src/postgres/new-host-script.js';
import { stanzaOf } from '../src/postgres/pgbackrest.js';
import {
  newestTimeline,
  planRecovery,
  type Recoverable,
  type RecoveryPlan,
  type RecoveryTarget,
} from '../src/postgres/recovery-plan.js';
import { analyzeScript, recoverScript } from '../src/postgres/restore-script.js';
import { readState } from '../src/state/cluster-state.js';
import { isBehindArchive, notArchived } from './archive-moment.js';
import { withProcedure } from './backup.js';
import { bringFilesBack } from './filestore.js';
import { bringSecretsBack, inBucket, type LostSecrets } from './lost-secrets.js';
import type { Procedure, ProcedureOptions } from './procedure.js';
import { needRepository, placeOf, readRepository } from './repository.js';
import { commandOf, noteSetBack, numbered } from './restore.js';
import { explainingEnd, momentOf, requirePast, targetText } from './restore-target.js';

/** Seconds that restoring and replaying may take. */
const LONG = 7 * 24 * 3600;

export interface NewHostsOptions extends ProcedureOptions {
  readonly dryRun: boolean;
  /** Given where the secrets are lost. A dry run needs none from a bucket: it does not look into it. */
  readonly lost?: LostSecrets;
  /** Asks whether to go on, when everything is known and nothing was changed. @throws Failure to stop */
  readonly confirm: (what: readonly string[]) => Promise<void>;
  /** Gives these hosts what a restore needs there. */
  readonly prepare: (hosts: readonly Host[]) => Promise<void>;
  /** Makes everything else, on all hosts: `apply`. */
  readonly converge: () => Promise<void>;
}

/**
 * Brings a cluster back of which only the backups are left: the database on the host that the inventory calls the
 * primary, the attachments, then everything else.
 * @throws Failure refused where a database host holds data
 */
export async function restoreToNewHosts(
  cluster: Cluster,
  target: RecoveryTarget,
  options: NewHostsOptions,
): Promise<void> {
  const { backup, host: keeper } = needRepository(cluster);
  const [primary] = hostsWith(cluster, 'pg-primary');
  if (primary === undefined) throw new Error('the inventory was not checked: there is no primary');
  const source = filestoreSource(cluster);
  const prepared = [...new Set([primary, ...(source === undefined ? [] : [source])])];
  requirePast(target);
  await withProcedure(options, async (procedure) => {
    await procedure.connect([...new Set([keeper, ...databaseHosts(cluster), ...prepared])]);
    await refuseData(procedure, cluster);
    const look = (): Promise<Found> => findBackup(procedure, cluster, target);
    const bringSecrets = async (): Promise<void> => {
      if (options.lost !== undefined) await bringSecretsBack(procedure, cluster, options.lost);
    };
    // A bucket is read by the future primary, which is bare: it gets what it needs for that when it is confirmed.
    const bucket = backup.s3 !== undefined;
    if (!bucket) await bringSecrets();
    const early = bucket ? undefined : await look();
    const command =
      early === undefined ? 'pgbackrest restore' : commandOf(cluster, early.plan).join(' ');
    const where = bucket ? `in ${placeOf(backup)}` : `on ${keeper.name}`;
    const told = numbered(
      `${cluster.name} is made anew from the backups ${where}, as of ${targetText(target)}`,
      `${primary.name}: ${command}; then replaying and promoting`,
      ...(source === undefined ? [] : [`${source.name}: bringing the attachments back`]),
      'all hosts: apply',
    );
    if (options.dryRun) {
      told.forEach(options.tell);
      return;
    }
    await options.confirm(told);
    if (bucket) await bringSecrets();
    await options.prepare(prepared);
    const { known, plan } = early ?? (await inBucket(look));
    const version = restoredVersion(cluster, primary, known.info.archive);
    const note = noteSetBack(procedure, cluster, newestTimeline(known));
    await note();
    await note(await restoreDatabase(procedure, cluster, primary, plan, target, version));
    await bringFilesBack(procedure, cluster, momentOf(known, target));
    await procedure.ask(primary, doneScript());
    // Before the rest: where a host of Odoo fails, this command ends there, and apply does not do it.
    await procedure.step(primary, 'ANALYZE', analyzeScript(version), { limit: LONG });
    await options.converge();
  });
}

interface Found {
  readonly known: Recoverable;
  readonly plan: RecoveryPlan;
}

/** What can be restored, and how. @throws Failure refused where there is no way to the target */
async function findBackup(
  procedure: Procedure,
  cluster: Cluster,
  target: RecoveryTarget,
): Promise<Found> {
  const known = await readRepository(procedure, cluster);
  const plan = planRecovery(known, target);
  if ('found' in plan) {
    throw new Failure({ reason: 'refused', message: 'that moment cannot be restored', ...plan });
  }
  if (isBehindArchive(known, plan, target)) {
    throw notArchived(known, target.at, {
      host: needRepository(cluster).host.name,
      untouched: 'nothing was restored',
      why: 'of what was written later, new hosts hold nothing',
    });
  }
  return { known, plan };
}

async function refuseData(procedure: Procedure, cluster: Cluster): Promise<void> {
  for (const host of databaseHosts(cluster)) {
    const found = (await procedure.ask(host, holdsDataScript())).trim();
    if (found !== 'data') continue;
    throw new Failure({
      reason: 'refused',
      host: host.name,
      message: 'this host holds a database: it is not a new one',
      expected: 'database hosts without any data',
      remedy:
        'to set this cluster back: odoo-prov restore without --new-hosts. If that data is to be given up, move /var/lib/postgresql away there first',
    });
  }
}

/** @throws Failure where the host's Debian brings another PostgreSQL than the one that was backed up */
function restoredVersion(cluster: Cluster, host: Host, archive: string | undefined): number {
  const facts = readState(cluster.file).facts[host.name];
  if (facts === undefined) throw new Error('preparing the host did not record its facts');
  const version = versionOf({ facts });
  const saved = Number(archive?.split('-')[0]);
  if (saved === version) return version;
  throw new Failure({
    reason: 'refused',
    host: host.name,
    message: `the backups are of PostgreSQL ${String(saved)}, and this host's Debian has ${String(version)}`,
    expected: `the Debian with PostgreSQL ${String(saved)}: ${saved === 15 ? '12' : '13'}`,
    remedy: 'take a host with that Debian',
  });
}

/** @returns the new timeline */
async function restoreDatabase(
  procedure: Procedure,
  cluster: Cluster,
  primary: Host,
  plan: RecoveryPlan,
  target: RecoveryTarget,
  version: number,
): Promise<string> {
  const remedy = 'see what it said, and run the same command again: what was cut is restored anew';
  const bytes = Math.ceil(plan.set.size * 1.1);
  const restore = restoreBareScript(version, commandOf(cluster, plan), bytes);
  await procedure.step(primary, `restoring ${plan.set.label}`, restore, {
    limit: LONG,
    onLine: procedure.options.progress,
    remedy,
  });
  await procedure.ask(primary, configureBareScript(version, stanzaOf(cluster)), { remedy });
  // Debian's own place: ours is there after apply only.
  const recover = recoverScript(version, '/var/log/postgresql', plan.toHole);
  const replayed = procedure.step(primary, 'replaying and promoting', recover, {
    limit: LONG,
    remedy,
  });
  const text = await explainingEnd(replayed, target, remedy);
  await procedure.ask(primary, settleBareScript(), { remedy });
  return text.trim();
}
