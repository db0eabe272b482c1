import type { ProcedureOptions } from '../../playbooks/procedure.js';
import type { RestoreOptions } from '../../playbooks/restore.js';
import { EXIT, Failure } from '../failure/failure.js';
import type { Cluster, Host } from '../inventory/index.js';
import type { RecoveryTarget } from '../postgres/recovery-plan.js';
import { scratchCommand } from '../postgres/scratch-script.js';
import { openSecrets } from '../secrets/index.js';
import type { RoleDefinition } from '../role/role.js';
import type { Secret } from '../shell/index.js';
import { askText } from '../ui/prompt.js';
import { print } from '../ui/terminal.js';
import { applyCluster } from './apply.js';
import { checkName } from './backup.js';
import { holdsNoSecrets, needGivenSecrets, openClusterSecrets, takeCopy } from './given-secrets.js';
import { loadSoundCluster } from './load-inventory.js';
import { parseMoment } from './moment.js';
import { procedureOptions, type ProcedureFlags } from './procedure-options.js';
import { readRecoveryKey } from './recovery-key.js';

export interface RestoreFlags extends ProcedureFlags {
  readonly toTime?: string;
  readonly toName?: string;
  readonly latest?: true;
  readonly dryRun?: true;
  readonly confirm?: string;
  readonly discardOld?: true;
  readonly on?: string;
  readonly newHosts?: true;
  readonly recoveryKeyFile?: string;
}

/** `odoo-prov restore FILE --to-time T | --to-name NAME | --latest`, or `--discard-old`. */
export async function restore(file: string, flags: RestoreFlags): Promise<void> {
  const target = targetOf(flags);
  if (flags.recoveryKeyFile !== undefined && flags.newHosts !== true) throw onlyForNewHosts();
  const cluster = loadSoundCluster(file);
  if (flags.newHosts === true && target !== undefined) {
    await newHosts(cluster, file, target, flags);
    return;
  }
  const playbook = await import('../../playbooks/restore.js');
  await procedureOptions(flags, async (options) => {
    if (flags.on !== undefined) {
      await beside(cluster, file, target, {
        ...options,
        on: flags.on,
        dryRun: flags.dryRun === true,
      });
      return;
    }
    if (target === undefined) {
      const { discardKept } = await import('../../playbooks/kept-data.js');
      await discardKept(cluster, {
        ...options,
        dryRun: flags.dryRun === true,
        confirm: (what) => confirm(cluster, what, flags),
      });
      return;
    }
    // What follows from it is apply's, which needs them.
    await openClusterSecrets(cluster);
    const whole: RestoreOptions = {
      ...options,
      dryRun: flags.dryRun === true,
      confirm: (what) => confirm(cluster, what, flags),
      converge: (hosts) => converge(cluster, hosts, flags),
    };
    await playbook.restoreInPlace(cluster, target, whole);
    if (flags.dryRun === true) return;
    print(`${cluster.name} is set back. Attachments of later moments stay and do no harm`);
    print(
      `  look      odoo-prov apply ${file} --check; the data from before is kept until you say`,
    );
    print(`  discard   odoo-prov restore ${file} --discard-old`);
  });
}

/** Makes the cluster anew from its backups. Secrets that are lost come from the copy beside them. */
async function newHosts(
  cluster: Cluster,
  file: string,
  target: RecoveryTarget,
  flags: RestoreFlags,
): Promise<void> {
  const playbook = await import('../../playbooks/new-hosts.js');
  const { NEW_HOST_ROLES } = await import('../../playbooks/new-hosts-roles.js');
  const dryRun = flags.dryRun === true;
  const store = await openSecrets(cluster.file, { dryRun });
  needGivenSecrets(cluster, store, file);
  // Nothing is read from a bucket in a dry run: the host that could do it is bare.
  const blind = dryRun && cluster.postgres.backup?.s3 !== undefined;
  const lost = holdsNoSecrets(store) && !blind;
  const key = lost ? await readRecoveryKey(flags.recoveryKeyFile) : undefined;
  const keep = async (copy: ReadonlyMap<string, Secret>): Promise<void> => {
    takeCopy(store, copy);
    await store.save();
    if (!dryRun) print(`the secrets of ${cluster.name} are back: ${store.file}`);
  };
  await procedureOptions(flags, async (options) => {
    await playbook.restoreToNewHosts(cluster, target, {
      ...options,
      dryRun,
      ...(key === undefined ? {} : { lost: { key, given: (name) => store.get(name), keep } }),
      confirm: (what) => confirm(cluster, what, flags),
      prepare: (hosts) => converge(cluster, hosts, flags, NEW_HOST_ROLES),
      converge: () => converge(cluster, cluster.hosts, flags),
    });
  });
  if (dryRun) return;
  print(`${cluster.name} is back on new hosts`);
  print(`  look      odoo-prov apply ${file} --check`);
  print(`  then      odoo-prov backup ${file} --type full`);
}

/** Makes a copy on a host that has nothing to do with the database, or removes it. */
async function beside(
  cluster: Cluster,
  file: string,
  target: RecoveryTarget | undefined,
  options: ProcedureOptions & { readonly on: string; readonly dryRun: boolean },
): Promise<void> {
  const playbook = await import('../../playbooks/scratch.js');
  if (target === undefined) {
    await playbook.discardScratch(cluster, options);
    return;
  }
  const store = await openClusterSecrets(cluster);
  const secret = (name: string): Secret => store.get(name);
  const host = await playbook.restoreOnScratch(cluster, target, { ...options, secret });
  if (options.dryRun) return;
  print(`the copy runs on ${host.name}, reachable over its socket only; nothing of it is archived`);
  print(`  look      on ${host.name}: ${scratchCommand(cluster.odoo.database)}`);
  print(`  remove    odoo-prov restore ${file} --on ${host.name} --discard-old`);
}

/** The moment that is wanted; undefined for `--discard-old` alone. @throws Failure usage */
function targetOf(flags: RestoreFlags): RecoveryTarget | undefined {
  const { toTime, toName, latest, discardOld } = flags;
  const given = [toTime, toName, latest, discardOld].filter((flag) => flag !== undefined);
  if (given.length !== 1) {
    throw new Failure({
      reason: 'usage',
      message: given.length === 0 ? 'to which moment is not said' : 'that is more than one thing',
      expected: 'one of --to-time, --to-name, --latest, --discard-old',
      remedy: 'odoo-prov backup FILE --list shows what can be restored',
    });
  }
  if (toTime !== undefined) return { type: 'time', at: parseMoment(toTime) };
  if (toName !== undefined) {
    checkName(toName);
    return { type: 'name', name: toName };
  }
  return latest === true ? { type: 'latest' } : undefined;
}

function onlyForNewHosts(): Failure {
  return new Failure({
    reason: 'usage',
    message: '--recovery-key-file brings the secrets back where the cluster is made anew',
    expected: '--recovery-key-file with --new-hosts',
    found: '--recovery-key-file alone',
    remedy: 'leave it out; or add --new-hosts, where all but the backups is lost',
  });
}

/** @throws Failure refused unless the cluster's name is given */
async function confirm(
  cluster: Cluster,
  what: readonly string[],
  flags: RestoreFlags,
): Promise<void> {
  what.forEach(print);
  const question = `Type the cluster's name, ${cluster.name}, to go on:`;
  const answer = flags.confirm ?? (await askText(question, `give --confirm ${cluster.name}`));
  if (answer.trim() === cluster.name) return;
  throw new Failure({
    reason: 'refused',
    message: 'not confirmed; nothing was changed',
    expected: cluster.name,
    found: answer.trim(),
    remedy: 'make sure that this is the cluster that you mean',
  });
}

async function converge(
  cluster: Cluster,
  hosts: readonly Host[],
  flags: RestoreFlags,
  roles?: readonly RoleDefinition[],
): Promise<void> {
  const names = new Set(hosts.map(({ name }) => name));
  const chosen = cluster.hosts.filter(({ name }) => names.has(name));
  // Whoever uses the database was stopped for the restore anyway.
  const how = { concurrency: 20, plain: true, restartPrimary: true } as const;
  const recap = await applyCluster(cluster, chosen, { ...flags, ...how }, roles);
  if (recap.exitCode === EXIT.done) return;
  throw new Failure({
    reason: 'not-converged',
    message:
      roles === undefined
        ? 'the database is set back, but not all that follows from it could be made'
        : 'the hosts could not be prepared for it: nothing is restored yet',
    remedy:
      roles === undefined
        ? 'see above; odoo-prov apply FILE makes the rest, and starts what was stopped'
        : 'see above; then run the same command again',
  });
}
