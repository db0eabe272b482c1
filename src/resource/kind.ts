import type { Script } from '../shell/index.js';

/** One thing that a host should have. Kinds add their own fields; all of it is plain data. */
export interface Resource {
  /** The name of its kind, e.g. `file`. */
  readonly kind: string;
  /** What it is called among its kind on one host: a path, a unit name, a database name. */
  readonly id: string;
}

/** `kind:id`, unique on a host. */
export type Key = `${string}:${string}`;

export function keyOf(resource: Resource): Key {
  return `${resource.kind}:${resource.id}`;
}

export type Value = string | number | boolean;
/** A flat record: the comparison of two states is the same for every kind. */
export type State = Readonly<Record<string, Value>>;
export type Wanted = State | 'absent';
/** `unknown` is what a probe could not tell (a database that is down); apply is then tried anyway. */
export type Observed =
  | State
  | 'absent'
  | { readonly unknown: string }
  /** It cannot be had on this host (a sysctl in a container): never a difference, shown in the recap. */
  | { readonly notApplicable: string };

export function isUnknown(observed: Observed): observed is { readonly unknown: string } {
  return (
    typeof observed === 'object' &&
    'unknown' in observed &&
    typeof observed['unknown'] === 'string' &&
    Object.keys(observed).length === 1
  );
}

export function isNotApplicable(
  observed: Observed,
): observed is { readonly notApplicable: string } {
  return (
    typeof observed === 'object' &&
    'notApplicable' in observed &&
    typeof observed['notApplicable'] === 'string'
  );
}

export interface Difference {
  readonly field: string;
  /** A value, or the word `absent` or `unknown`. */
  readonly have: Value;
  readonly want: Value;
}

/**
 * A resource that is not as wanted, and in what. `differences` is empty only where `confirm` is set:
 * a health check that was fine and is asked again because something before it in its stage changes.
 */
export interface Change<R extends Resource = Resource> {
  readonly resource: R;
  readonly have: Observed;
  readonly want: Wanted;
  readonly differences: readonly Difference[];
  readonly confirm?: true;
}

/** What a change would do that must not happen unasked. */
export interface Hazard {
  readonly type: 'creates-database' | 'destroys-data';
  /** What is created or destroyed, for the message. */
  readonly what: string;
  /** What tells on the host that there was one before. */
  readonly trace?: string;
}

/**
 * A change that restarts a running server of which there are copies: what of it can be had when. The run sees
 * to the order of the hosts, and to the consent for the primary.
 */
export interface Restart {
  /** What it is for, for messages: `max_connections 100 → 200`. */
  readonly what: string;
  /** Something in it must be on every standby before the primary has it. */
  readonly raises: boolean;
  /** Something in it must be on the primary before a standby has it. */
  readonly lowers: boolean;
  /** The standby replays nothing until it is restarted with this: it has less than its primary had. */
  readonly heldUp?: true;
  /** All of it that a standby may have before the primary; undefined where nothing of that differs. */
  readonly before?: { readonly change: Change; readonly restarts: boolean };
  /** All of it that needs no restart and may be had in any order; undefined where nothing of that differs. */
  readonly calm?: Change;
}

/**
 * How one kind of resource is looked at and changed. Everything here is pure: text in, text out.
 * No kind talks to a host.
 */
export interface Kind<R extends Resource = Resource> {
  readonly name: R['kind'];

  /** One line: what it keeps, for the documentation. */
  readonly summary: string;

  /**
   * One snippet that prints the state of ALL the given resources, run as root by dash with
   * `LC_ALL=C` and no stdin. It changes nothing, holds no secret, and exits 0 unless the look itself failed.
   * @param salt random text of this run; secret contents are compared as sha256(salt + content)
   */
  probe(wanted: readonly R[], salt: string): Script;

  /** Reads what {@link Kind.probe} printed. Every given resource gets an entry, by its id. */
  parse(output: string, wanted: readonly R[]): ReadonlyMap<string, Observed>;

  /** The state that the resource describes. Fields that it leaves out are not compared. */
  want(resource: R, salt: string): Wanted;

  /**
   * The script that makes it so, from ANY start state, killed at any moment and run again.
   * Run as root by `sh -eu` with no stdin; what it prints is shown when it fails.
   */
  apply(change: Change<R>): Script;

  /** For kinds where many at once are much cheaper than one by one (packages). Used for neighbours in a stage. */
  applyTogether?(changes: readonly Change<R>[]): Script;

  /** Keys of the resources whose change makes this one differ too (a unit and its files). */
  dependsOn?(resource: R): readonly Key[];
  /** The difference that a change of one of {@link Kind.dependsOn} makes; none when it does not matter now. */
  staleBecause?(resource: R, changed: readonly Key[]): Difference | undefined;

  /** Applied again, as `confirm`, after any change before it in its stage (health checks). */
  readonly confirms?: true;

  /** What must be refused or confirmed before the change is made. */
  hazard?(change: Change<R>): Hazard | undefined;

  /** How a change that restarts a running server is taken apart; undefined where it restarts none. */
  restarts?(change: Change<R>): Restart | undefined;

  /** What the operator must do, where nothing in the change is ours to make; undefined where something is. */
  remedy?(change: Change<R>): string | undefined;

  /** Seconds that one apply may take; 120 if not given. */
  readonly limit?: number;
}
