import type { Change, Restart } from '../resource/kind.js';
import { kindOf, type Kinds, type Plan, type PlannedStage } from './diff.js';

/** A database host in a run. */
export interface Member {
  readonly plan: Plan;
  /** Whether this run may change it: it is chosen, and nothing on it has failed. */
  readonly available: boolean;
}

/** What is known of the database hosts before anything of theirs is restarted. */
export interface Members {
  /** Those that answered. */
  readonly hosts: readonly Member[];
  /** Those that did not. */
  readonly silent: readonly string[];
  readonly primary: string;
  /** The primary may be restarted. */
  readonly consent: boolean;
}

/** A restart that is not made in this run. */
export interface Held {
  readonly what: string;
  /** What it waits for. */
  readonly why: 'consent' | 'primary' | 'standbys' | 'held-up';
  /** The hosts that it waits for; for want of consent, those that would hold it up as well. */
  readonly hosts: readonly string[];
}

/** The plans with their restarts apart, in a stage `restart` of their own. */
export interface Rolling {
  readonly plans: readonly Plan[];
  /** The hosts that restart in this pass: one after the other, each only if all before it came back. */
  readonly order: readonly string[];
  readonly held: ReadonlyMap<string, Held>;
}

/** A host whose server must be restarted, and when. */
interface Turn {
  readonly member: Member;
  readonly restart: Restart;
}

/**
 * Puts the restarts of database servers in order. Standbys go first, so that a value that does not work costs
 * no writes and a raised one never stops their replay; what the primary lowers, they take after it. One that does not
 * replay could not take over, so it is restarted with as much as the primary had before that may be away. What needs
 * no restart stays where it is.
 */
export function inTurn(members: Members, kinds: Kinds): Rolling {
  const turns = members.hosts.flatMap((member): Turn[] => {
    const restart = restartIn(member.plan, kinds);
    return restart === undefined ? [] : [{ member, restart }];
  });
  const primary = turns.find(({ member }) => member.plan.host === members.primary);
  const standbys = turns.filter((turn) => turn !== primary);
  const held = new Map<string, Held>();
  const whyNot = primary && primaryWaits(primary, standbys, members);
  if (primary !== undefined && whyNot !== undefined) held.set(members.primary, whyNot);
  const first = standbys.filter(({ restart: { before } }) => before?.restarts === true);
  const last = standbys.filter(({ restart }) => restart.lowers && !first.some(is(restart)));
  const primaryStays = primary !== undefined && (whyNot !== undefined || !primary.member.available);
  if (primaryStays) {
    for (const { member, restart } of last) {
      held.set(member.plan.host, { what: restart.what, why: 'primary', hosts: [members.primary] });
    }
  }
  const order = [...first, ...(primary === undefined ? [] : [primary]), ...last]
    .filter(({ member }) => member.available && !held.has(member.plan.host))
    .map(({ member }) => member.plan.host);
  const plans = members.hosts.map(({ plan }): Plan => {
    const turn = turns.find(({ member }) => member.plan === plan);
    if (turn === undefined) return plan;
    if (turn === primary)
      return split(plan, kinds, primaryParts(turn.restart, held.has(plan.host)));
    return split(plan, kinds, standbyParts(turn.restart, held.has(plan.host)));
  });
  return { plans, order, held };
}

function is(restart: Restart): (turn: Turn) => boolean {
  return (turn) => turn.restart === restart;
}

function restartIn(plan: Plan, kinds: Kinds): Restart | undefined {
  const changes = plan.stages.flatMap(({ changes }) => changes);
  for (const change of changes) {
    const restart = restartsOf(change, kinds);
    if (restart !== undefined) return restart;
  }
  return undefined;
}

function restartsOf(change: Change, kinds: Kinds): Restart | undefined {
  return kindOf(kinds, change.resource).restarts?.(change);
}

/** Why the primary is not restarted in this run, if so. */
function primaryWaits(
  { restart }: Turn,
  standbys: readonly Turn[],
  { silent, consent }: Members,
): Held | undefined {
  const { what, raises } = restart;
  if (!consent) {
    const without = standbys.filter(({ member }) => !member.available);
    const names = without.map(({ member }) => member.plan.host);
    return { what, why: 'consent', hosts: [...names, ...(raises ? silent : [])] };
  }
  const heldUp = standbys.filter(({ member, restart }) => restart.heldUp && !member.available);
  if (heldUp.length > 0) {
    return { what, why: 'held-up', hosts: heldUp.map(({ member }) => member.plan.host) };
  }
  const left = standbys.filter(({ member, restart }) => restart.raises && !member.available);
  const without = [...left.map(({ member }) => member.plan.host), ...silent];
  return raises && without.length > 0 ? { what, why: 'standbys', hosts: without } : undefined;
}

/** What takes the place of a change: a part at once, a part in the stage `restart`. */
interface Parts {
  readonly now?: Change | undefined;
  /** `whole`: the change itself. */
  readonly later?: Change | 'whole';
}

function primaryParts(restart: Restart, held: boolean): Parts {
  return held ? { now: restart.calm } : { later: 'whole' };
}

function standbyParts({ before, calm, lowers }: Restart, held: boolean): Parts {
  if (before?.restarts === true) return { later: lowers ? before.change : 'whole' };
  return { now: calm, ...(held ? {} : { later: 'whole' }) };
}

/** Takes a plan apart at the change that restarts; what asks whether the server is well comes after it. */
function split(plan: Plan, kinds: Kinds, { now, later }: Parts): Plan {
  const stages = plan.stages.flatMap(({ stage, changes }): PlannedStage[] => {
    const at = changes.findIndex((change) => restartsOf(change, kinds) !== undefined);
    const whole = changes[at];
    if (whole === undefined) return [{ stage, changes }];
    const after = changes.slice(at + 1);
    const checks = after.filter(({ resource }) => kindOf(kinds, resource).confirms === true);
    const others = later === undefined ? after : after.filter((change) => !checks.includes(change));
    const own = [...changes.slice(0, at), ...(now === undefined ? [] : [now]), ...others];
    const restart = later === 'whole' ? whole : later;
    return [
      { stage, changes: withoutIdleChecks(own) },
      { stage: 'restart', changes: restart === undefined ? [] : [restart, ...checks] },
    ];
  });
  return { ...plan, stages: stages.filter(({ changes }) => changes.length > 0) };
}

/** Health checks that are only asked again have nothing to follow when nothing before them changes. */
function withoutIdleChecks(changes: readonly Change[]): readonly Change[] {
  const real = changes.findIndex((change) => change.confirm !== true);
  return real === -1 ? [] : changes;
}

/** Why a restart is not made, for those who wait for it. */
export function whyHeld({ why, hosts, what }: Held): string {
  switch (why) {
    case 'consent':
      return `the primary is not restarted without consent, for ${what}`;
    case 'primary':
      return `${hosts.join(', ')}, the primary, is restarted first, for ${what}`;
    case 'standbys':
      return `${hosts.join(', ')} must have it first: ${what}`;
    case 'held-up':
      return `${hosts.join(', ')} must replay again first`;
  }
}
