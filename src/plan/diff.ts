import {
  isNotApplicable,
  isUnknown,
  keyOf,
  type Change,
  type Difference,
  type Key,
  type Kind,
  type Observed,
  type Resource,
  type Wanted,
} from '../resource/kind.js';
import type { Stage } from '../role/role.js';
import type { Declaration } from './collect.js';

export type Kinds = Readonly<Record<string, Kind>>;
export type Observations = ReadonlyMap<Key, Observed>;

/** The changes of one stage, in the order in which they are made. */
export interface PlannedStage {
  readonly stage: Stage;
  readonly changes: readonly Change[];
}

/** What has to be done on a host. Stages without changes are left out. */
export interface Plan {
  readonly host: string;
  readonly stages: readonly PlannedStage[];
  readonly skipped: readonly { readonly key: Key; readonly why: string }[];
  /** How many resources are as they should be. */
  readonly ok: number;
}

/** The kind of a resource. */
export function kindOf(kinds: Kinds, resource: Resource): Kind {
  const kind = kinds[resource.kind];
  if (kind === undefined) throw new Error(`there is no kind "${resource.kind}"`);
  return kind;
}

/**
 * Compares what is with what should be.
 * @param observed what the probe saw, by key
 * @param salt the run's salt, the same that the probe used
 */
export function diff(
  declaration: Declaration,
  observed: Observations,
  kinds: Kinds,
  salt: string,
): Plan {
  const changed = new Set<Key>();
  const skipped: { key: Key; why: string }[] = [];
  let ok = 0;
  const stages = declaration.stages.map(({ stage, resources }) => {
    const changes: Change[] = [];
    for (const resource of resources) {
      const key = keyOf(resource);
      const kind = kindOf(kinds, resource);
      const have = observed.get(key) ?? { unknown: 'it was not looked at' };
      if (isNotApplicable(have)) {
        skipped.push({ key, why: have.notApplicable });
        continue;
      }
      const want = kind.want(resource, salt);
      const differences = compare(have, want, staleness(kind, resource, changed));
      if (differences.length > 0) {
        changed.add(key);
        changes.push({ resource, have, want, differences });
      } else if (kind.confirms === true && changes.some((c) => c.confirm !== true)) {
        ok += 1;
        changes.push({ resource, have, want, differences: [], confirm: true });
      } else {
        ok += 1;
      }
    }
    return { stage, changes };
  });
  return {
    host: declaration.host,
    stages: stages.filter((s) => s.changes.length > 0),
    skipped,
    ok,
  };
}

/** All real changes of a plan (health checks that are only asked again are none). */
export function changesOf(plan: Plan): readonly Change[] {
  return plan.stages.flatMap((s) => s.changes).filter((c) => c.confirm !== true);
}

function staleness(
  kind: Kind,
  resource: Resource,
  changed: ReadonlySet<Key>,
): Difference | undefined {
  const because = (kind.dependsOn?.(resource) ?? []).filter((key) => changed.has(key));
  return because.length === 0 ? undefined : kind.staleBecause?.(resource, because);
}

function compare(have: Observed, want: Wanted, stale: Difference | undefined): Difference[] {
  if (want === 'absent') {
    return have === 'absent' ? [] : [{ field: 'state', have: summary(have), want: 'absent' }];
  }
  if (have === 'absent') return [{ field: 'state', have: 'absent', want: 'present' }];
  if (isUnknown(have)) return [{ field: 'state', have: `unknown: ${have.unknown}`, want: 'known' }];
  const state: Readonly<Record<string, unknown>> = have;
  const fields = Object.entries(want).flatMap(([field, value]): Difference[] => {
    const found = state[field];
    if (found === value) return [];
    return [{ field, have: isValue(found) ? found : 'absent', want: value }];
  });
  return stale === undefined || fields.some((f) => f.field === stale.field)
    ? fields
    : [...fields, stale];
}

function summary(have: Observed): string {
  return isUnknown(have) ? 'unknown' : 'present';
}

function isValue(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
