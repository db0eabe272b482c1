import type { Setting, Settings } from '../inventory/cluster.js';
import { sh, type Script } from '../shell/index.js';
import { literal } from './postgres-sql.js';
import { dataOf, REPLAYS, type PostgresSettings } from './postgres-settings-resource.js';

/**
 * Of these a standby must have at least as much as its primary, or it stops replaying, and does not start
 * (PostgreSQL's manual, "Hot Standby", "Administrator's Overview"). With their defaults, and as pg_controldata
 * calls what the primary had where the standby has replayed.
 */
export const HOT_STANDBY: Readonly<Record<string, { default: number; control: string }>> = {
  max_connections: { default: 100, control: 'max_connections' },
  max_worker_processes: { default: 8, control: 'max_worker_processes' },
  max_wal_senders: { default: 10, control: 'max_wal_senders' },
  max_prepared_transactions: { default: 0, control: 'max_prepared_xacts' },
  max_locks_per_transaction: { default: 64, control: 'max_locks_per_xact' },
};

/** Their names as SQL literals, comma between. */
export const HOT_STANDBY_NAMES = Object.keys(HOT_STANDBY).map(literal).join(', ');

/** What is wanted of one of {@link HOT_STANDBY}. */
export function wantedOf(settings: Settings, name: string): number {
  return Number(settings[name] ?? HOT_STANDBY[name.toLowerCase()]?.default);
}

const NEEDS = 'needs ';

/** Prints what the primary had where a standby has replayed; nothing on a primary. */
export function probeNeeds(resource: PostgresSettings): Script {
  const data = dataOf(resource);
  const bin = `/usr/lib/postgresql/${String(resource.version)}/bin`;
  return sh`if [ -e ${data}/standby.signal ] && [ -s ${data}/global/pg_control ]; then
  ${bin}/pg_controldata ${data} | sed -n ${`s|^\\(max_[a-z_]*\\) setting: *|needs ${resource.id} \\1 |p`}
fi`;
}

/**
 * The state's word for what a standby must have before it goes on. PostgreSQL notes what the primary has, and pauses
 * where it has less itself; from there it replays only after a restart with as much, also where the primary has less by now.
 * @param output what {@link probeNeeds} printed, among other lines
 * @param own what it runs with, or would start with
 */
export function replayState(
  resource: PostgresSettings,
  output: string,
  own: (name: string) => number,
): string {
  const found = output.split('\n').flatMap((line): readonly string[] => {
    const [word, id, control, value] = line.split(' ');
    if (word !== 'needs' || id !== resource.id) return [];
    const name = Object.keys(HOT_STANDBY).find((key) => HOT_STANDBY[key]?.control === control);
    return name !== undefined && own(name) < Number(value) ? [`${name} ${String(value)}`] : [];
  });
  return found.length === 0 ? REPLAYS : `${NEEDS}${found.join(', ')}`;
}

/** The settings that {@link replayState} named, with what they must be. */
export function needsIn(have: unknown): ReadonlyMap<string, number> {
  const { replay }: { readonly replay?: unknown } =
    typeof have === 'object' && have !== null ? have : {};
  if (typeof replay !== 'string' || !replay.startsWith(NEEDS)) return new Map();
  const words = replay.slice(NEEDS.length).split(', ');
  return new Map(words.map((text) => [text.split(' ')[0] ?? '', Number(text.split(' ')[1])]));
}

/** The settings with which a server that looks like this goes on: as wanted, where that is enough. */
export function withNeeds(settings: Settings, have: unknown): Settings {
  const raised = [...needsIn(have)].flatMap(([name, least]): readonly [string, Setting][] => {
    const key = Object.keys(settings).find((other) => other.toLowerCase() === name) ?? name;
    return wantedOf(settings, key) < least ? [[key, least]] : [];
  });
  return { ...settings, ...Object.fromEntries(raised) };
}
