import type { BackupType } from '../../playbooks/backup.js';
import type { ProcedureOptions } from '../../playbooks/procedure.js';
import { Failure } from '../failure/failure.js';
import type { Snapshot } from '../filestore/snapshots.js';
import { postgresTime, recoverableSpans, type Recoverable } from '../postgres/recovery-plan.js';
import { print } from '../ui/terminal.js';
import { bytes, duration, plural, table } from '../ui/text.js';
import { openClusterSecrets } from './given-secrets.js';
import { procedureOptions, type ProcedureFlags } from './procedure-options.js';
import { loadCluster } from './load-inventory.js';

export interface BackupFlags extends ProcedureFlags {
  readonly type?: BackupType;
  readonly list?: true;
  readonly name?: string;
  readonly verify?: true;
  readonly on?: string;
  readonly json?: true;
}

/** What `--list` shows. */
type Listed = Recoverable & { readonly snapshots: readonly Snapshot[] };

/** `odoo-prov backup FILE`: makes one now; `--list`: what there is; `--name`: a restore point. */
export async function backup(file: string, flags: BackupFlags): Promise<void> {
  const cluster = loadCluster(file, flags.json === true);
  if (flags.name !== undefined) checkName(flags.name);
  if (flags.on !== undefined && flags.verify !== true) throw onlyForVerify();
  const playbook = await import('../../playbooks/backup.js');
  await procedureOptions(flags, async (options: ProcedureOptions) => {
    if (flags.list === true) {
      show(await playbook.listBackups(cluster, options), flags);
    } else if (flags.verify === true) {
      const { verifyBackup } = await import('../../playbooks/scratch.js');
      const store = await openClusterSecrets(cluster);
      const began = Date.now();
      const found = await verifyBackup(cluster, {
        ...options,
        on: flags.on,
        secret: (name) => store.get(name),
      });
      print(
        `backup ${found.label} gives every row: ${plural(found.tables, 'table')}, ${found.rows.toString()} rows, in ${duration(Date.now() - began)}`,
      );
    } else if (flags.name !== undefined) {
      const lsn = await playbook.makeRestorePoint(cluster, flags.name, options);
      print(`restore point ${flags.name} at ${lsn}, in the archive`);
      print(`  back to it   odoo-prov restore ${file} --to-name ${flags.name}`);
    } else {
      const began = Date.now();
      const { info } = await playbook.backupNow(cluster, flags.type ?? 'incr', options);
      const made = info.sets.at(-1);
      if (made === undefined) throw new Error('the backup that was made is not in the repository');
      print(
        `backup ${made.label} (${made.type}): ${bytes(made.size)}, ${bytes(made.stored)} stored, in ${duration(Date.now() - began)}`,
      );
    }
  });
}

function show(known: Listed, flags: BackupFlags): void {
  if (flags.json === true) {
    print(JSON.stringify(known, replacer, 2));
    return;
  }
  const { info, history } = known;
  if (info.sets.length === 0) print('there is no backup yet');
  else {
    const rows = info.sets.map((set) => [
      set.label,
      set.type,
      postgresTime(set.started),
      duration((set.stopped - set.started) * 1000),
      bytes(set.size),
      bytes(set.stored),
      String(set.timeline),
    ]);
    const head = ['backup', 'type', 'begun', 'took', 'database', 'stored', 'timeline'];
    print(table([head, ...rows], [3, 4, 5, 6]).join('\n'));
  }
  if (info.running) print('one is being made now');
  for (const { set, hole } of recoverableSpans(known)) {
    const end =
      hole === undefined
        ? `up to segment ${info.lastSegment ?? ''}`
        : `up to a hole in the archive: segment ${hole.segment} is missing`;
    print(`any moment since ${postgresTime(set.stopped)}, ${end}`);
  }
  const [first] = known.snapshots;
  const newest = known.snapshots.at(-1);
  if (first !== undefined && newest !== undefined) {
    print(
      `filestore: ${plural(known.snapshots.length, 'snapshot')}, from ${postgresTime(first.at)} to ${postgresTime(newest.at)}`,
    );
  }
  for (const point of history.points) {
    print(`restore point ${point.name}: ${postgresTime(Math.floor(point.at))}`);
  }
  for (const event of history.setBacks.filter(({ to }) => to > 0)) {
    print(
      `set back at ${postgresTime(Math.floor(event.at))}: timeline ${String(event.from)} → ${String(event.to)}`,
    );
  }
}

function onlyForVerify(): Failure {
  return new Failure({
    reason: 'usage',
    message: '--on says where a backup is verified',
    expected: '--on with --verify',
    found: '--on alone',
    remedy: 'a backup is kept where the inventory says: leave --on out; or add --verify',
  });
}

/** Positions are numbers too large for JSON; a map is a list of its entries. */
function replacer(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Map ? Object.fromEntries(value as ReadonlyMap<number, string>) : value;
}

/** @throws Failure usage for what could not be a name in SQL, in pgBackRest's options and in a line */
export function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name)) return;
  throw new Failure({
    reason: 'usage',
    message: `${JSON.stringify(name)} is no name for a restore point`,
    expected: 'letters, digits, dot, hyphen and underscore, at most 63',
    remedy: 'e.g. before-import',
  });
}
