import { databaseHosts, hostsWith, type Cluster, type Host } from '../src/inventory/cluster.js';
import { Failure } from '../src/failure/failure.js';
import { odooHosts } from '../src/odoo/layout.js';
import { filestoreSource } from '../src/filestore/layout.js';
import { versionOf } from '../src/postgres/layout.js';
import { stanzaOf } from '../src/postgres/pgbackrest.js';
import { setBackLine } from '../src/postgres/recovery-history.js';
import {
  newestTimeline,
  planRecovery,
  type Recoverable,
  type RecoveryPlan,
  type RecoveryTarget,
} from '../src/postgres/recovery-plan.js';
import { addToHistory, AS_POSTGRES } from '../src/postgres/repository-files.js';
import {
  analyzeScript,
  closeArchiveScript,
  KEPT,
  moveAsideScript,
  recoverScript,
  restoredScript,
  restoreScript,
  roomScript,
} from '../src/postgres/restore-script.js';
import { LOG_FOLDER } from '../src/postgres/settings.js';
import { sh, type Script } from '../src/shell/index.js';
import { readState } from '../src/state/cluster-state.js';
import { requireReach } from './archive-moment.js';
import { withProcedure } from './backup.js';
import { clientGroups, startClients, stopClients } from './database-clients.js';
import { bringFilesBack } from './filestore.js';
import { observeDatabases, type Observed } from './observe.js';
import type { Procedure, ProcedureOptions } from './procedure.js';
import { needRepository, readRepository } from './repository.js';
import { explainingEnd, momentOf, requirePast, targetText, targetWords } from './restore-target.js';

/** Seconds that restoring and replaying may take. */
const LONG = 7 * 24 * 3600;

export interface RestoreOptions extends ProcedureOptions {
  /** Only tells what would be done. */
  readonly dryRun: boolean;
  /** Asks whether to go on, when everything is known and nothing was changed. @throws Failure to stop */
  readonly confirm: (what: readonly string[]) => Promise<void>;
  /** Makes the copies anew when the primary is back, and the slots that they need: `apply` of these hosts. */
  readonly converge: (hosts: readonly Host[]) => Promise<void>;
}

/** What is planned, for the question and the dry run. */
interface Plan {
  readonly primary: Host;
  readonly recovery: RecoveryPlan;
  readonly known: Recoverable;
  /** The timeline that is left. */
  readonly left: number;
  readonly kept: string;
  /** Whether what is there belongs into the archive: pgBackRest takes nothing of another cluster's. */
  readonly archived: boolean;
  /** None of the database hosts holds the last primary's data. */
  readonly withoutPrimary: boolean;
}

/**
 * Sets the database back in place, to a moment in the archive.
 * Odoo and PgBouncer are stopped first and started last, the data of every database host is moved aside, and
 * standbys are cloned anew.
 * @throws Failure refused, unreachable: every host that could write must be there
 */
export async function restoreInPlace(
  written: Cluster,
  target: RecoveryTarget,
  options: RestoreOptions,
): Promise<void> {
  const { host: keeper } = needRepository(written);
  await withProcedure(options, async (procedure) => {
    const involved = [
      ...new Set([
        ...odooHosts(written),
        ...hostsWith(written, 'pgbouncer'),
        ...databaseHosts(written),
      ]),
    ];
    // The source of the filestore is one of Odoo's hosts.
    await procedure.connect([...involved, keeper]);
    const observed = await observeDatabases(procedure, written);
    const { cluster } = observed;
    const plan = await planOf(procedure, observed, target);
    const told = describe(cluster, plan, target);
    if (options.dryRun) {
      told.forEach(options.tell);
      return;
    }
    await options.confirm(told);
    await procedure.lock([...new Set([...involved, keeper])]);
    await carryOut(procedure, cluster, plan, target, options);
  });
}

async function planOf(
  procedure: Procedure,
  { cluster, primary, systemIdentifier, withoutPrimary, cut }: Observed,
  target: RecoveryTarget,
): Promise<Plan> {
  const known = await readRepository(procedure, cluster);
  requirePast(target);
  const recovery = planRecovery(known, target);
  if ('found' in recovery) {
    throw new Failure({
      reason: 'refused',
      message: 'that moment cannot be restored',
      ...recovery,
    });
  }
  const archived = [undefined, systemIdentifier].includes(known.info.systemIdentifier);
  // Where a restore was cut, everything is stopped already, and the replay says where the archive ends.
  if (cut.size === 0) await requireReach(procedure, known, recovery, target, { primary, archived });
  const version = versionIn(cluster, primary);
  await procedure.ask(primary, roomScript(version, Math.ceil(recovery.set.size * 1.1)), {
    remedy: `make room there; what earlier restores kept goes by: odoo-prov restore FILE --discard-old`,
  });
  const kept = new Date().toISOString().replace(/[-:]/g, '').slice(0, 15);
  const left = newestTimeline(known);
  return {
    ...{ primary, recovery, known, left, kept, archived },
    // What a restore that was cut has moved aside is not looked for.
    withoutPrimary: withoutPrimary && cut.size === 0,
  };
}

function versionIn(cluster: Cluster, host: Host): number {
  const facts = readState(cluster.file).facts[host.name];
  if (facts === undefined) {
    throw new Failure({
      reason: 'usage',
      host: host.name,
      message: 'nothing is known of this host yet',
      remedy: 'run odoo-prov apply FILE --check once: it remembers what it sees',
    });
  }
  return versionOf({ facts });
}

function describe(cluster: Cluster, plan: Plan, target: RecoveryTarget): readonly string[] {
  const { primary, recovery, kept, archived, withoutPrimary } = plan;
  const others = databaseHosts(cluster).filter(({ name }) => name !== primary.name);
  const source = filestoreSource(cluster);
  const names = (hosts: readonly Host[]): string => hosts.map(({ name }) => name).join(', ');
  return numbered(
    `the database of ${cluster.name} is set back to ${targetText(target)}: what was written since is taken out`,
    ...(withoutPrimary
      ? [
          'by you, before this: no database host holds the last primary’s data; if one outside of the inventory does, stop PostgreSQL there',
        ]
      : []),
    ...(archived
      ? [`${primary.name}: handing what was written to the archive`]
      : [
          `${primary.name}: its data is of another cluster than the archive, which takes nothing of it: it is only kept`,
        ]),
    ...clientGroups(cluster).map(({ name, hosts }) => `${names(hosts)}: stopping ${name}`),
    ...(archived ? [`${primary.name}: handing the last segment to the archive`] : []),
    `${names(databaseHosts(cluster))}: stopping PostgreSQL; its data is kept in ${KEPT}/${kept}`,
    `${primary.name}: pgbackrest ${commandOf(cluster, recovery).slice(1).join(' ')}`,
    `${primary.name}: replaying and promoting`,
    ...(others.length > 0 ? [`${names(others)}: cloned anew`] : []),
    ...(source === undefined
      ? []
      : [`${source.name}: bringing back attachments that are missing; none is removed`]),
    `${primary.name}: ANALYZE`,
    'starting PgBouncer and Odoo, where they ran',
  );
}

/** A plan, so that it does not look like what is being done. */
export function numbered(what: string, ...steps: readonly string[]): readonly string[] {
  return [what, ...steps.map((text, i) => `${String(i + 1).padStart(2)}  ${text}`)];
}

/** The command that restores. */
export function commandOf(cluster: Cluster, recovery: RecoveryPlan): readonly string[] {
  return ['pgbackrest', `--stanza=${stanzaOf(cluster)}`, ...recovery.options, 'restore'];
}

async function carryOut(
  procedure: Procedure,
  cluster: Cluster,
  plan: Plan,
  target: RecoveryTarget,
  options: RestoreOptions,
): Promise<void> {
  const { primary, recovery, kept, left, archived } = plan;
  const { host: keeper } = needRepository(cluster);
  const version = versionIn(cluster, primary);
  const remedy = `run the same command again; the data from before is in ${KEPT}/${kept} on each database host`;
  const archive = async (what: string, next: string): Promise<void> => {
    if (!archived) return;
    const given = { limit: 200, remedy: next };
    await procedure.step(primary, what, closeArchiveScript(version), given);
  };
  // While everything still runs, so that an archive that takes nothing stops nobody.
  await archive(
    'handing what was written to the archive',
    `nothing was stopped. odoo-prov status FILE says what is the matter with the archive. To give up what it has not got: systemctl stop 'postgresql@*' on ${primary.name}, and run this again; its data is kept`,
  );
  const stopped = await stopClients(procedure, cluster);
  await archive('handing the last segment to the archive', remedy);
  for (const host of databaseHosts(cluster)) {
    const aside = moveAsideScript(versionIn(cluster, host), kept, targetWords(target));
    await procedure.step(host, 'stopping PostgreSQL, keeping its data', aside, {
      limit: 900,
      remedy,
    });
  }
  const command = commandOf(cluster, recovery);
  await procedure.step(
    primary,
    `restoring ${recovery.set.label}`,
    restoreScript(version, command),
    {
      limit: LONG,
      onLine: options.progress,
      remedy,
    },
  );
  const note = noteSetBack(procedure, cluster, left);
  await note();
  const recover = recoverScript(version, LOG_FOLDER, recovery.toHole);
  const replayed = procedure.step(primary, 'replaying and promoting', recover, {
    limit: LONG,
    remedy,
  });
  const timeline = (await explainingEnd(replayed, target, remedy)).trim();
  await note(timeline);
  const all = databaseHosts(cluster);
  for (const host of all) await procedure.ask(host, restoredScript());
  // With synchronous replication nothing can be committed before a standby is back.
  if (all.length > 1) {
    await procedure.unlock();
    await options.converge(all);
  }
  // Odoo is started whatever becomes of them: this restore is not to be repeated for a few attachments.
  const files = await Promise.allSettled([
    bringFilesBack(procedure, cluster, momentOf(plan.known, target)),
  ]);
  await procedure.step(primary, 'ANALYZE', analyzeScript(version), { limit: LONG });
  await procedure.step(keeper, 'checking the archive', checkScript(cluster), { limit: 300 });
  await startClients(procedure, stopped);
  for (const end of files) if (end.status === 'rejected') throw withoutFiles(end.reason);
}

/**
 * What was written after the target is on the timeline that is left: the history says until when. It says so before the
 * promotion as well, when the new timeline has no number: whoever goes on after a cut looks for a moment on the timeline
 * that was written then.
 */
export function noteSetBack(
  procedure: Procedure,
  cluster: Cluster,
  left: number,
): (timeline?: string) => Promise<void> {
  const { backup, host } = needRepository(cluster);
  const at = String(Math.floor(Date.now() / 1000));
  return async (timeline = '0') => {
    await procedure.ask(host, addToHistory(backup, setBackLine(at, String(left), timeline)));
  };
}

function withoutFiles(error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  const message = `the database is set back and Odoo runs, but attachments may be missing: ${error.details.message}`;
  const remedy = `do not restore again: ${error.details.remedy}`;
  return new Failure({ ...error.details, message, remedy });
}

function checkScript(cluster: Cluster): Script {
  return sh`
${AS_POSTGRES}
as_postgres pgbackrest --stanza=${stanzaOf(cluster)} --log-level-console=warn check`;
}
