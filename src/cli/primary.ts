import {
  archivedSince,
  notArchivedText,
  ROLES_WITHOUT_ARCHIVING,
} from '../../playbooks/primary/archive-away.js';
import { HostLocks } from '../../playbooks/host-locks.js';
import { connectAll, type Reached } from '../../playbooks/primary/connect.js';
import { planFailover, runFailover } from '../../playbooks/primary/failover.js';
import { planFinish, runFinish, type FinishPlan } from '../../playbooks/primary/finish.js';
import { lookForMove } from '../../playbooks/primary/move-view.js';
import { planRejoin } from '../../playbooks/primary/rejoin-plan.js';
import { runRejoin } from '../../playbooks/primary/rejoin.js';
import type { Mover } from '../../playbooks/primary/steps.js';
import { planSwitchover, runSwitchover } from '../../playbooks/primary/switchover.js';
import { EXIT, Failure } from '../failure/failure.js';
import { databaseHosts, hostsWith, type Cluster } from '../inventory/cluster.js';
import { readState } from '../state/cluster-state.js';
import { createConnector } from '../transport/index.js';
import { askYesNo } from '../ui/prompt.js';
import { nameInventory } from '../ui/named-inventory.js';
import { print, tell } from '../ui/terminal.js';
import { applyCluster } from './apply.js';
import { becomePassword, type BecomeFlags } from './become.js';
import { openClusterSecrets } from './given-secrets.js';
import { loadSoundCluster } from './load-inventory.js';
import { passphraseAsker } from './passphrase.js';
import { toTheEnd } from './to-the-end.js';
import { onceAsked, requireObeyed, type StandbyLossFlags } from './standby-loss.js';

interface MoveFlags extends BecomeFlags {
  readonly dryRun?: true;
  readonly yes?: true;
  readonly confirmDead?: readonly string[];
}
export interface SwitchoverFlags extends MoveFlags {
  readonly to?: string;
  readonly force?: true;
}
export interface FailoverFlags extends SwitchoverFlags, StandbyLossFlags {}
export interface RejoinFlags extends MoveFlags {
  readonly host?: string;
  /** False by `--no-save`. */
  readonly save: boolean;
  readonly keepData?: true;
  readonly clone?: true;
}

/** A move for which nobody can wait until secrets are found. */
const URGENT = true;

/** `odoo-prov switchover FILE`. */
export function switchover(file: string, flags: SwitchoverFlags): Promise<void> {
  const check = databaseHostsOnly([flags.to]);
  return move(file, flags, check, async (cluster, reached) => {
    const view = await lookForMove(cluster, reached);
    const finish = await planFinish(cluster, view, { to: flags.to });
    if (finish !== undefined) return finishing(finish);
    const plan = planSwitchover(cluster, view, flags.to, flags.force === true);
    const question = `Move the primary from ${plan.from.host} to ${plan.to.host}?`;
    const { steps, notes } = plan;
    return { steps, notes, question, run: (mover) => runSwitchover(mover, plan) };
  });
}

/** A move that has its new primary already is only brought to its end. */
function finishing(plan: FinishPlan): Move {
  const { primary, steps, notes, left } = plan;
  const question = `${primary.host} is the primary already. Bring the move to its end?`;
  return { steps, notes, question, left, run: (mover) => runFinish(mover, plan) };
}

/** `odoo-prov failover FILE`. */
export function failover(file: string, flags: FailoverFlags): Promise<void> {
  const withoutStandby = onceAsked(flags);
  const named = databaseHostsOnly([flags.to, ...(flags.confirmDead ?? [])]);
  const check = (cluster: Cluster): void => {
    named(cluster);
    requireObeyed(cluster, flags.onStandbyLoss);
  };
  const planned = async (cluster: Cluster, reached: Reached): Promise<Move> => {
    const remembered = readState(cluster.file).postgres?.primary;
    const view = await lookForMove(cluster, reached);
    const forced = flags.force === true && flags.to === undefined;
    const finish = forced
      ? undefined
      : await planFinish(cluster, view, { to: flags.to, urgent: URGENT, withoutStandby });
    if (finish !== undefined) return finishing(finish);
    const plan = await planFailover(cluster, view, {
      force: flags.force === true,
      ...(flags.to !== undefined && { to: flags.to }),
      confirmDead: flags.confirmDead ?? [],
      withoutStandby,
      ...(remembered !== undefined && { remembered }),
    });
    const question = `Promote ${plan.choice.candidate.host}?`;
    const { steps, notes, left } = plan;
    return { steps, notes, question, left, run: (mover) => runFailover(mover, plan) };
  };
  return move(file, flags, check, planned, URGENT);
}

/** `odoo-prov rejoin FILE`. */
export function rejoin(file: string, flags: RejoinFlags): Promise<void> {
  const check = databaseHostsOnly([flags.host]);
  if (flags.clone === true && flags.host === undefined) throw whichClone();
  return move(file, flags, check, async (cluster, reached) => {
    const plan = await planRejoin(cluster, reached, flags.host, {
      rows: flags.save,
      data: flags.keepData === true,
      clone: flags.clone === true,
    });
    const hosts = plan.rejoining.map(({ sight }) => sight.host).join(' and ');
    const question = `Let ${hosts} follow ${plan.primary.host}?`;
    const halfway = `the data of ${hosts}`;
    return { steps: plan.steps, question, halfway, run: (mover) => runRejoin(mover, plan) };
  });
}

/** What is about to be done. */
interface Move {
  readonly steps: readonly string[];
  /** What is only told: it may have changed when the steps are looked at again. */
  readonly notes?: readonly string[];
  readonly question: string;
  /** Hosts that are not to be touched afterwards. */
  readonly left?: readonly string[];
  /** What Ctrl-C does not leave halfway: a primary, where nothing is said. */
  readonly halfway?: string;
  readonly run: (mover: Mover) => Promise<void>;
}

/**
 * Checks before any host is contacted, looks, shows the plan, asks, carries it out, and lets apply mend what follows from it.
 * @param urgent it is also made where apply cannot follow, since the secrets are missing
 */
async function move(
  file: string,
  flags: MoveFlags,
  check: (cluster: Cluster) => void,
  plan: (cluster: Cluster, reached: Reached) => Promise<Move>,
  urgent = false,
): Promise<void> {
  const cluster = loadSoundCluster(file, false);
  check(cluster);
  const unsettled = await whyUnsettled(cluster, urgent);
  const password = await becomePassword(flags);
  const askPassphrase = passphraseAsker(() => () => undefined);
  const connector = createConnector();
  const locks = new HostLocks();
  let reached: Reached | undefined;
  let left: readonly string[] = [];
  let unarchived: string | undefined;
  try {
    const options = {
      ...(password === undefined ? {} : { becomePassword: password }),
      ...(askPassphrase === undefined ? {} : { askPassphrase }),
    };
    reached = await connectAll(cluster, connector, options, flags.confirmDead ?? []);
    if (flags.dryRun !== true) await locks.take([...reached.sessions.values()]);
    let agreed = await plan(cluster, reached);
    const show = (text: string): void => print(nameInventory(text, file));
    agreed.steps.forEach((text, index) => show(`${String(index + 1).padStart(2)}  ${text}`));
    for (const note of agreed.notes ?? []) show(`    ${note}`);
    if (flags.dryRun === true) return;
    if (flags.yes !== true) {
      if (!(await askYesNo(agreed.question, 'give --yes'))) {
        print('Nothing was changed.');
        process.exitCode = EXIT.refused;
        return;
      }
      agreed = sameAs(agreed, await plan(cluster, reached));
    }
    left = agreed.left ?? [];
    const onArchiveAway = (host: string): void => {
      unarchived = host;
    };
    const mover = { cluster, sessions: reached.sessions, tell: stopwatch(show), onArchiveAway };
    await toTheEnd(agreed.run(mover), agreed.halfway ?? 'a primary');
    // Apply takes them itself.
    await locks.release();
    if (unsettled !== undefined) throw unsettled;
    const { sessions } = reached;
    const concerned = (name: string): boolean => sessions.has(name) && !left.includes(name);
    await settle(cluster, concerned, flags, unarchived !== undefined);
    if (unarchived === undefined || (await archivedSince(mover, unarchived))) return;
    tell(nameInventory(notArchivedText(cluster, unarchived), file));
    if (process.exitCode === EXIT.done) process.exitCode = EXIT.failed;
  } finally {
    await locks.release();
    await Promise.all([...(reached?.sessions.values() ?? [])].map((session) => session.close()));
    await connector.close();
  }
}

/**
 * Why what follows from a move cannot be made, known before it: that is apply's, which needs the secrets.
 * @param urgent the move does not wait for that; it ends with it
 * @throws Failure where it is not urgent
 */
async function whyUnsettled(cluster: Cluster, urgent: boolean): Promise<Failure | undefined> {
  try {
    await openClusterSecrets(cluster);
    return undefined;
  } catch (error) {
    if (!urgent || !(error instanceof Failure)) throw error;
    const { message, expected, found } = error.details;
    tell(`${message}: the primary is moved all the same`);
    return new Failure({
      reason: 'not-converged',
      message: `the primary was moved; slots and records that follow from it were not made: ${message}`,
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
      remedy: 'bring the secrets and their key back, then: odoo-prov apply FILE',
      cause: error,
    });
  }
}

/** What was agreed to must still be true after the time that the answer took. @throws Failure refused */
function sameAs(agreed: Move, now: Move): Move {
  if (agreed.steps.join('\n') === now.steps.join('\n')) return now;
  throw new Failure({
    reason: 'refused',
    message: 'the cluster has changed since the question was asked; nothing was done',
    expected: agreed.steps.join('\n'),
    found: now.steps.join('\n'),
    remedy: 'run this again',
  });
}

/** Tells each step with the seconds since the first. */
function stopwatch(show: (text: string) => void): (host: string, text: string) => void {
  const began = performance.now();
  return (host, text) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(2).padStart(7);
    show(`${seconds} s  ${host}: ${text}`);
  };
}

/**
 * What follows from the move is apply's: slots, records. After it, an apply changes nothing.
 * @param archiveAway it does not wait for the archive
 */
async function settle(
  cluster: Cluster,
  concerned: (host: string) => boolean,
  flags: MoveFlags,
  archiveAway: boolean,
): Promise<void> {
  const hosts = [...new Set([...databaseHosts(cluster), ...hostsWith(cluster, 'pgbouncer')])];
  const recap = await applyCluster(
    cluster,
    hosts.filter(({ name }) => concerned(name)),
    { ...flags, concurrency: 20, plain: true },
    archiveAway ? ROLES_WITHOUT_ARCHIVING : undefined,
  );
  process.exitCode = recap.exitCode;
}

function whichClone(): Failure {
  return new Failure({
    reason: 'usage',
    message: '--clone replaces all data of one host',
    expected: 'its name',
    found: 'no --host',
    remedy: 'odoo-prov rejoin FILE --host HOST --clone',
  });
}

/** A check of names that flags gave. */
function databaseHostsOnly(named: readonly (string | undefined)[]): (cluster: Cluster) => void {
  return (cluster) => {
    const hosts = databaseHosts(cluster).map((host) => host.name);
    const wrong = named.find((name) => name !== undefined && !hosts.includes(name));
    if (wrong === undefined) return;
    throw new Failure({
      reason: 'usage',
      message: `${wrong} is no database host of this inventory`,
      expected: `one of: ${hosts.join(', ')}`,
      found: wrong,
      remedy: 'check the spelling',
    });
  };
}
