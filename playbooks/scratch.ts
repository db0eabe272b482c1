import { Failure } from '../src/failure/failure.js';
import { databaseHosts, databaseRole, type Cluster, type Host } from '../src/inventory/cluster.js';
import { versionOf } from '../src/postgres/layout.js';
import { scratchFiles, stanzaOf } from '../src/postgres/pgbackrest.js';
import {
  newestTimeline,
  planRecovery,
  type NoRecovery,
  type Recoverable,
  type RecoveryPlan,
  type RecoveryTarget,
} from '../src/postgres/recovery-plan.js';
import { bytesText } from '../src/postgres/promotion.js';
import type { RestorePoint } from '../src/postgres/recovery-history.js';
import { lsnOf } from '../src/postgres/repository-info.js';
import {
  findKeptScratch,
  findScratch,
  fingerprintScript,
  removeScratch,
  restoreScratch,
  SCRATCH,
  scratchFingerprintScript,
  startScratch,
  VERIFYING,
} from '../src/postgres/scratch-script.js';
import type { Secret } from '../src/shell/index.js';
import { readState } from '../src/state/cluster-state.js';
import { readTemplates } from '../src/template/package-files.js';
import { renderTemplate } from '../src/template/render.js';
import { planClosing, type Closing } from './archive-moment.js';
import { withProcedure } from './backup.js';
import { installPackages } from './install-packages.js';
import { observePrimary } from './observe.js';
import { numbered } from './restore.js';
import { explainingEnd, requirePast, targetText } from './restore-target.js';
import type { Procedure, ProcedureOptions } from './procedure.js';
import { connectReader, needRepository, readRepository } from './repository.js';

/** Seconds that restoring and replaying may take. */
const LONG = 7 * 24 * 3600;

export interface ScratchOptions extends ProcedureOptions {
  /** The host that gets the copy; the repository's own if not given, which a bucket has not. */
  readonly on: string | undefined;
  readonly secret: (name: string) => Secret;
  /** Only tells what would be done. */
  readonly dryRun?: boolean;
  /** Restore points that the repository does not tell of. */
  readonly points?: readonly RestorePoint[];
}

/** What a verification found. */
export interface Verified {
  readonly tables: number;
  readonly rows: bigint;
  readonly label: string;
}

/**
 * Restores to a moment beside everything else: production is left alone. A copy that is there is replaced.
 * @returns the host that has it
 * @throws Failure refused for a host that holds the database
 */
export async function restoreOnScratch(
  cluster: Cluster,
  target: RecoveryTarget,
  options: ScratchOptions,
): Promise<Host> {
  const host = scratchHost(cluster, options.on);
  await withProcedure(options, async (procedure) => {
    await procedure.connect([host]);
    const reader = await connectReader(procedure, cluster);
    const read = (): Promise<Recoverable> => readRepository(procedure, cluster, reader);
    const planOf = (known: Recoverable): RecoveryPlan =>
      possible(planRecovery(withPoints(known, options.points ?? []), target));
    requirePast(target);
    const known = await read();
    const plan = planOf(known);
    sameVersion(cluster, host);
    const closing = await planClosing(procedure, cluster, known, plan, target);
    if (options.dryRun === true) {
      describe(cluster, host, plan, target, closing).forEach(options.tell);
      return;
    }
    await procedure.lock([host]);
    await closing?.run();
    const complete = closing === undefined ? plan : planOf(await read());
    await copyTo(procedure, cluster, host, complete, target, options);
  });
  return host;
}

function describe(
  cluster: Cluster,
  host: Host,
  plan: RecoveryPlan,
  target: RecoveryTarget,
  closing: Closing | undefined,
): readonly string[] {
  const version = sameVersion(cluster, host);
  return numbered(
    `${host.name} gets a copy of the database of ${cluster.name} as of ${targetText(target)}; nothing else is touched`,
    ...(closing === undefined
      ? []
      : [`${closing.primary.name}: handing what was written to the archive`]),
    `${host.name}: installing ${packages(cluster, version).join(', ')}, what is missing of it`,
    `${host.name}: removing the copy that is there, if there is one`,
    `${host.name}: pgbackrest ${['--stanza=' + stanzaOf(cluster), ...plan.options].join(' ')} restore, into ${SCRATCH}: ${bytesText(BigInt(plan.set.size))}`,
    `${host.name}: replaying; it is reachable over its socket only, and archives nothing`,
  );
}

/** Removes a copy, and says so where there is none. */
export async function discardScratch(
  cluster: Cluster,
  options: Pick<ScratchOptions, 'on' | 'dryRun'> & ProcedureOptions,
): Promise<void> {
  const host = scratchHost(cluster, options.on);
  await withProcedure(options, async (procedure) => {
    await procedure.connect([host]);
    if ((await procedure.ask(host, findScratch())).trim() === '') {
      options.tell(`${host.name}: there is no copy`);
    } else if (options.dryRun === true) {
      options.tell(`${host.name}: would remove the copy in ${SCRATCH}`);
    } else {
      await procedure.step(host, 'removing the copy', removeScratch(), { limit: 900 });
    }
  });
}

/**
 * Proves the newest backup: names a moment, takes the fingerprint of every table of Odoo's database at exactly that
 * moment, restores to it beside everything else, compares, and removes the copy.
 * @throws Failure when a table differs
 */
export async function verifyBackup(cluster: Cluster, options: ScratchOptions): Promise<Verified> {
  const host = scratchHost(cluster, options.on);
  const { host: keeper } = needRepository(cluster);
  return withProcedure(options, async (procedure) => {
    await procedure.connect([host, keeper, ...databaseHosts(cluster)]);
    const { primary } = await observePrimary(procedure, cluster);
    await procedure.lock([host]);
    if ((await procedure.ask(host, findKeptScratch())).trim() !== '') throw inTheWay(host);
    const name = `odoo-prov-verify-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
    const { database } = cluster.odoo;
    const script = fingerprintScript(database, name);
    const answer = await procedure.step(primary, `fingerprints of ${database}`, script, {
      limit: LONG,
    });
    const [head = '', ...wanted] = answer.trim().split('\n');
    const [, lsn = '', timeline = ''] = head.split(' ');
    const known = await readRepository(procedure, cluster);
    const point = { name, at: Date.now() / 1000, lsn: lsnOf(lsn), timeline: Number(timeline) };
    // The archive need not have told of a timeline on which nothing but this was written.
    if (newestTimeline(known) > point.timeline)
      throw new Error('the primary is not on the newest timeline');
    const target = { type: 'name', name } as const;
    const plan = possible(planRecovery(withPoints(known, [point]), target));
    await copyTo(procedure, cluster, host, plan, target, options, [VERIFYING]);
    const text = await procedure.step(host, 'comparing', scratchFingerprintScript(database), {
      limit: LONG,
    });
    const found = text.split('\n').filter((line) => line !== '');
    await procedure.step(host, 'removing the copy', removeScratch(), { limit: 900 });
    const wrong = differing(wanted, found);
    if (wrong.length > 0) throw different(host, plan, wrong);
    const rows = wanted.reduce((sum, line) => sum + BigInt(line.split(' ').at(-2) ?? '0'), 0n);
    return { tables: wanted.length, rows, label: plan.set.label };
  });
}

function inTheWay({ name }: Host): Failure {
  return new Failure({
    reason: 'refused',
    host: name,
    message:
      'there is a copy that somebody made with restore --on: proving a backup would remove it',
    expected: `nothing in ${SCRATCH}`,
    remedy: `when it is not needed any more: \`odoo-prov restore FILE --on ${name} --discard-old\`; or prove the backup on another host (--on)`,
  });
}

function withPoints(known: Recoverable, points: readonly RestorePoint[]): Recoverable {
  return { ...known, history: { ...known.history, points: [...known.history.points, ...points] } };
}

/** Lines that are in one of them only. */
function differing(wanted: readonly string[], found: readonly string[]): readonly string[] {
  const missing = wanted.filter((line) => !found.includes(line)).map((line) => `primary: ${line}`);
  return [
    ...missing,
    ...found.filter((line) => !wanted.includes(line)).map((line) => `copy: ${line}`),
  ];
}

function different(host: Host, plan: RecoveryPlan, wrong: readonly string[]): Failure {
  return new Failure({
    reason: 'command-failed',
    host: host.name,
    message: `the backup ${plan.set.label} does not give the rows of the database`,
    expected: 'every table with the same number of rows and the same sum over them',
    found: `${String(wrong.length)} lines that differ`,
    output: wrong.join('\n'),
    remedy: 'make a full backup, verify again; keep the old ones, and look at /var/log/pgbackrest/',
  });
}

async function copyTo(
  procedure: Procedure,
  cluster: Cluster,
  host: Host,
  plan: RecoveryPlan,
  target: RecoveryTarget,
  options: ScratchOptions,
  marks: readonly string[] = [],
): Promise<void> {
  const version = sameVersion(cluster, host);
  const needed = installPackages(packages(cluster, version));
  await procedure.step(host, 'installing what a copy needs', needed, { limit: 3600 });
  const template = readTemplates().get('backup/pgbackrest.conf.hbs') ?? '';
  const files = scratchFiles(cluster, host, SCRATCH, options.secret, (data) =>
    renderTemplate(template, data),
  );
  await procedure.ask(host, removeScratch(), { limit: 900 });
  const command = [`--stanza=${stanzaOf(cluster)}`, ...plan.options, 'restore'];
  const all = new Map([...files, ...marks.map((name) => [name, ''] as const)]);
  const restore = restoreScratch(all, command, Math.ceil(plan.set.size * 1.1));
  await procedure.step(host, `restoring ${plan.set.label} into ${SCRATCH}`, restore, {
    limit: LONG,
    onLine: options.progress,
    remedy: 'on the primary’s side nothing was touched: see what it said, and run it again',
  });
  const replayed = procedure.step(host, 'replaying', startScratch(version), { limit: LONG });
  await explainingEnd(replayed, target, 'On the primary’s side nothing was touched');
}

function packages(cluster: Cluster, version: number): readonly string[] {
  const { s3 } = needRepository(cluster).backup;
  const own = [`postgresql-${String(version)}`, 'pgbackrest'];
  return s3 === undefined ? own : [...own, 'ca-certificates'];
}

/**
 * The version of PostgreSQL on a host that is to get a copy.
 * @throws Failure where its Debian brings another one than the database's, or nothing is known of it
 */
export function sameVersion(cluster: Cluster, host: Host): number {
  const { facts } = readState(cluster.file);
  const [database] = databaseHosts(cluster);
  const [own, theirs] = [facts[host.name], facts[database?.name ?? '']];
  if (own !== undefined && own.debian === theirs?.debian) {
    return versionOf({ facts: own });
  }
  throw new Failure({
    reason: 'usage',
    host: host.name,
    message: 'a copy needs the same PostgreSQL as the database',
    expected: `Debian ${String(theirs?.debian ?? 'of the database hosts')}, seen by an earlier apply`,
    found: own === undefined ? 'nothing is known of this host' : `Debian ${String(own.debian)}`,
    remedy: 'take another host with --on, or run odoo-prov apply FILE --check once',
  });
}

/** The host that gets a copy: the named one, or the repository's own. @throws Failure usage for none, or one that holds the database */
export function scratchHost(cluster: Cluster, name: string | undefined): Host {
  const { backup } = needRepository(cluster);
  const wanted = name ?? backup.host;
  const host = cluster.hosts.find((each) => each.name === wanted);
  const free = cluster.hosts.filter((each) => databaseRole(each) === undefined);
  if (host !== undefined && free.includes(host)) return host;
  throw new Failure({
    reason: 'usage',
    message: noScratch(wanted, host),
    expected: `one of: ${free.map((each) => each.name).join(', ')}`,
    remedy: 'give one of these with --on: a copy takes memory and disk from what else runs there',
  });
}

function noScratch(wanted: string | undefined, host: Host | undefined): string {
  if (wanted === undefined) return 'on which host is not said: the backups are in a bucket';
  return host === undefined ? `there is no host ${wanted}` : `${wanted} holds the database itself`;
}

function possible(plan: RecoveryPlan | NoRecovery): RecoveryPlan {
  if (!('found' in plan)) return plan;
  throw new Failure({ reason: 'refused', message: 'that moment cannot be restored', ...plan });
}
