import type { Setting } from '../inventory/cluster.js';
import type { Change, Restart, State } from './kind.js';
import { HOT_STANDBY, needsIn, wantedOf } from './postgres-hot-standby.js';
import { contentOf, wantedState, type PostgresSettings } from './postgres-settings-resource.js';
import { settingText } from './postgres-values.js';

const DUE = 'due for ';

/** The state's word for the settings that a running server takes in by a restart only. */
export function restartState(due: readonly string[]): string {
  return due.length === 0 ? 'done' : `${DUE}${due.join(', ')}`;
}

/** The settings that {@link restartState} named. */
function dueIn(have: State): readonly string[] {
  const text = have['restart'];
  return typeof text === 'string' && text.startsWith(DUE) ? text.slice(DUE.length).split(', ') : [];
}

/**
 * What of a change can be had without restarting the primary, and what before it; undefined where nothing
 * that runs is to be restarted.
 */
export function restartOf(change: Change<PostgresSettings>): Restart | undefined {
  const { have, resource } = change;
  // Not there yet, stopped, or silent: then the file is taken in by its start.
  if (typeof have !== 'object' || !('content' in have)) return undefined;
  const state: State = have;
  const needs = needsIn(state);
  const due = dueIn(state);
  if (due.length === 0) return undefined;
  const five = due.filter((name) => name.toLowerCase() in HOT_STANDBY);
  const needed = five.filter((name) => needs.has(name.toLowerCase()));
  const lowered = five.filter(
    (name) => !needed.includes(name) && wantedOf(resource.settings, name) < Number(state[name]),
  );
  const raised = five.filter((name) => wantedOf(resource.settings, name) > Number(state[name]));
  const rest = due.filter((name) => !lowered.includes(name));
  const before = part(change, state, { keep: lowered, restartFor: rest, leave: lowered });
  // What it needs to replay is put over what is wanted by the script that writes the file.
  const calm = part(change, state, { keep: lowered, restartFor: [], leave: due });
  return {
    what: due.map((name) => toldNeed(state, name) ?? told(change, name)).join(', '),
    raises: raised.length > 0,
    lowers: lowered.length > 0,
    ...(needed.length === 0 ? {} : { heldUp: true }),
    ...(before === undefined ? {} : { before: { change: before, restarts: rest.length > 0 } }),
    ...(calm === undefined ? {} : { calm }),
  };
}

/** `max_connections 100 → 200`, or the name alone where only the server knows more. */
function told({ differences }: Change, name: string): string {
  const difference = differences.find(({ field }) => field === name);
  if (difference === undefined) return name;
  return `${name} ${String(difference.have)} → ${String(difference.want)}`;
}

/** `max_connections 100 → 140, to replay again`; undefined where the server goes on without. */
function toldNeed(state: State, name: string): string | undefined {
  const least = needsIn(state).get(name.toLowerCase());
  if (least === undefined) return undefined;
  const have = state[name];
  return `${have === undefined ? name : `${name} ${String(have)}`} → ${String(least)}, to replay again`;
}

interface Part {
  /** Settings that stay what they are in the running server. */
  readonly keep: readonly string[];
  /** What the server is restarted for; nothing: it is not. */
  readonly restartFor: readonly string[];
  /** Settings that differ and are left so. */
  readonly leave: readonly string[];
}

/** A part of a change as a change of its own; undefined where nothing differs in it. */
function part(
  { resource, differences }: Change<PostgresSettings>,
  state: State,
  { keep, restartFor, leave }: Part,
): Change<PostgresSettings> | undefined {
  const kept = keep.map((name): [string, Setting] => [name, settingText(state[name] ?? '')]);
  const limited = { ...resource, settings: { ...resource.settings, ...Object.fromEntries(kept) } };
  const sameFile = state['content'] === contentOf(limited.settings);
  const restarts = restartFor.length > 0;
  const differs = differences.filter(({ field }) => {
    if (['restart', 'pending_restart', 'replay'].includes(field)) return restarts;
    return !leave.includes(field) && (field !== 'file' || !sameFile);
  });
  // The file may be as is wanted in the end, and hold a value that must not be taken in yet.
  if (!sameFile && !differs.some(({ field }) => field === 'file')) {
    differs.push({ field: 'file', have: 'other content', want: 'as wanted' });
  }
  if (differs.length === 0) return undefined;
  return {
    resource: limited,
    have: { ...state, restart: restartState(restartFor) },
    want: wantedState(limited),
    differences: differs,
  };
}
