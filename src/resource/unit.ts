import { sh } from '../shell/index.js';
import type { Key, Kind, Observed } from './kind.js';
import { lookAtPaths, readPaths } from './path-probe.js';
import { applyUnit } from './unit-apply.js';
import type { UnitResource } from './unit-resource.js';
import {
  firstStale,
  nameOf,
  parseStamps,
  readStamps,
  type Run,
  watchedPaths,
  type Work,
} from './unit-stamp.js';

export interface UnitOptions {
  /** `nginx` means `nginx.service`. */
  readonly name: string;
  /** Runs now; true if not given. `any`: not looked at. */
  readonly running?: boolean | 'any';
  /** Starts at boot; the same as `running` if not given. `any`: not looked at. */
  readonly enabled?: boolean | 'any';
  /** Cannot be started at all, not even by its own package when it is installed later. */
  readonly masked?: boolean;
  /** It must be restarted after a change of these: `file:`, `symlink:` and `package:` keys are observed. */
  readonly restartFor?: readonly Key[];
  /** The same for a reload, where the service can do that. */
  readonly reloadFor?: readonly Key[];
  /** PostgreSQL's folder of logs, where the unit is one: why it ended is told from there. */
  readonly logs?: string;
}

const SUFFIX = /\.(service|socket|timer|target|mount|automount|path|slice|swap)$/;

/** A systemd unit. Restarts and reloads are state: see docs/architecture.md. */
export function unit(options: UnitOptions): UnitResource {
  const name = SUFFIX.test(options.name) ? options.name : `${options.name}.service`;
  const masked = options.masked ?? false;
  const running = options.running ?? !masked;
  return {
    kind: 'unit',
    id: name,
    name,
    running,
    enabled: options.enabled ?? running,
    masked,
    restartFor: options.restartFor ?? [],
    reloadFor: options.reloadFor ?? [],
    ...(options.logs === undefined ? {} : { logs: options.logs }),
  };
}

const PROPERTIES = [
  'Names',
  'LoadState',
  'ActiveState',
  'UnitFileState',
  'NeedDaemonReload',
  'InvocationID',
  'InactiveExitTimestamp',
  'NRestarts',
  'ActiveEnterTimestampMonotonic',
].join(',');

/** Seconds for which a service that systemd had to restart must be up before it counts as running. */
const STEADY_SECONDS = 2;

/** systemd units: running, enabled, masked, and restarts and reloads as state. */
export const unitKind: Kind<UnitResource> = {
  name: 'unit',
  summary: 'a systemd unit: running, enabled, masked; restarted or reloaded for its files',
  // A database's crash recovery may take minutes before it says that it is up.
  limit: 600,

  probe(wanted) {
    const watched = watchedPaths(wanted.flatMap((w) => [...w.restartFor, ...w.reloadFor]));
    return sh`(
systemctl show --timestamp=us+utc -p ${PROPERTIES} -- ${wanted.map((w) => w.name)}
printf '\0'
cut -d ' ' -f 1 /proc/uptime
printf '\0'
set -- ${watched}
if [ $# -gt 0 ]; then ${lookAtPaths({ follow: false })}; fi
${readStamps()}
)`;
  },

  parse(output, wanted) {
    const [shown = '', uptime = '', ...words] = output.split('\0');
    const blocks = shown.split('\n\n').map(properties);
    const { paths, rest } = readPaths(words.join('\0'));
    const stamps = parseStamps(rest);
    return new Map(
      wanted.map((w) => {
        const facts = blocks.find((b) => (b.get('Names') ?? '').split(' ').includes(w.name));
        if (facts === undefined) return [w.id, { unknown: 'systemd did not say' }];
        return [
          w.id,
          observed(w, facts, Number(uptime), (work, keys, run) =>
            firstStale(keys, paths, run, stamps.get(`${w.name} ${work}`)),
          ),
        ];
      }),
    );
  },

  want(resource) {
    if (resource.masked) return { active: 'inactive', enabled: 'masked' };
    const { running, enabled, restartFor, reloadFor } = resource;
    return {
      ...(running !== 'any' && { active: running ? 'active' : 'inactive' }),
      ...(enabled !== 'any' && { enabled: enabled ? 'enabled' : 'disabled' }),
      ...(running !== false && {
        daemonReload: 'no',
        ...(restartFor.length > 0 && { restart: 'done' }),
        ...(reloadFor.length > 0 && { reload: 'done' }),
      }),
    };
  },

  apply: applyUnit,

  dependsOn: ({ restartFor, reloadFor }) => [...restartFor, ...reloadFor],

  staleBecause(resource, changed) {
    if (resource.masked || resource.running === false) return undefined;
    const restart = resource.restartFor.find((key) => changed.includes(key));
    if (restart !== undefined)
      return { field: 'restart', have: 'done', want: `for ${nameOf(restart)}` };
    const reload = resource.reloadFor.find((key) => changed.includes(key));
    if (reload !== undefined)
      return { field: 'reload', have: 'done', want: `for ${nameOf(reload)}` };
    return undefined;
  },
};

function properties(block: string): ReadonlyMap<string, string> {
  return new Map(
    block.split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

function observed(
  wanted: UnitResource,
  facts: ReadonlyMap<string, string>,
  uptime: number,
  stale: (work: Work, keys: readonly Key[], run: Run) => string | undefined,
): Observed {
  const get = (name: string) => facts.get(name) ?? '';
  if (get('LoadState') === 'not-found' && (wanted.running === true || wanted.enabled === true)) {
    return 'absent';
  }
  const run = { invocation: get('InvocationID'), started: seconds(get('InactiveExitTimestamp')) };
  const runs = get('ActiveState') === 'active' || get('ActiveState') === 'reloading';
  const due = (work: Work, keys: readonly Key[]) => {
    const path = runs ? stale(work, keys, run) : undefined;
    return path === undefined ? 'done' : `due for ${path}`;
  };
  return {
    active: !runs ? get('ActiveState') : isSteady(facts, uptime) ? 'active' : 'unsteady',
    enabled: enablement(get('UnitFileState'), wanted),
    daemonReload: get('NeedDaemonReload'),
    restart: due('restart', wanted.restartFor),
    reload: due('reload', wanted.reloadFor),
  };
}

/** A service that dies again and again is active for a moment each time. */
function isSteady(facts: ReadonlyMap<string, string>, uptime: number): boolean {
  const since = Number(facts.get('ActiveEnterTimestampMonotonic') ?? 0) / 1e6;
  return Number(facts.get('NRestarts') ?? 0) === 0 || uptime - since > STEADY_SECONDS;
}

/** systemd's words for what comes to the same, see systemctl(1) is-enabled. */
function enablement(state: string, wanted: UnitResource): string {
  if (['enabled', 'alias', 'generated'].includes(state)) return 'enabled';
  if (state.startsWith('masked')) {
    return wanted.masked || wanted.enabled === true || wanted.running === true
      ? 'masked'
      : 'disabled';
  }
  if (['', 'static', 'indirect', 'disabled'].includes(state)) {
    return wanted.enabled === true && state !== '' ? state : 'disabled';
  }
  return state;
}

/** `Sat 2026-11-21 20:43:38.041472 UTC` as seconds since 1970 with microseconds; 0 for never. */
function seconds(timestamp: string): number {
  const [, date, time = ''] = timestamp.split(' ');
  if (date === undefined) return 0;
  const [whole = '', fraction = '0'] = time.split('.');
  return Date.parse(`${date}T${whole}Z`) / 1000 + Number(`0.${fraction}`);
}
