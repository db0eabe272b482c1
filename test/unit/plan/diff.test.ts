import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesOf, diff } from '../../../src/plan/diff.js';
import type { Key, Kind, Observed, Resource, State } from '../../../src/resource/kind.js';
import { raw } from '../../../src/shell/index.js';

interface Thing extends Resource {
  readonly want: State | 'absent';
  readonly needs?: readonly Key[];
}

const kind = (extra: Partial<Kind<Thing>> = {}): Kind => {
  const thing: Kind<Thing> = {
    name: 'thing',
    summary: 'a kind for this test',
    probe: () => raw(''),
    parse: () => new Map(),
    want: (resource) => resource.want,
    apply: () => raw(''),
    dependsOn: (resource) => resource.needs ?? [],
    staleBecause: (_, [key]) => ({ field: 'restart', have: 'done', want: `for ${String(key)}` }),
    ...extra,
  };
  return thing;
};
const thing = (id: string, want: State | 'absent', needs: readonly Key[] = []): Thing => ({
  kind: 'thing',
  id,
  want,
  needs,
});
const plan = (
  things: readonly Thing[],
  seen: Record<string, Observed>,
  extra: Partial<Kind<Thing>> = {},
) =>
  diff(
    { host: 'h', stages: [{ stage: 'base', resources: things }] },
    new Map(Object.entries(seen).map(([id, state]): [Key, Observed] => [`thing:${id}`, state])),
    { thing: kind(extra) },
    'salt',
  );
const differences = (things: readonly Thing[], seen: Record<string, Observed>) =>
  changesOf(plan(things, seen)).map((c) => [c.resource.id, c.differences]);

describe('diff', () => {
  it('names each field that differs, and only those', () => {
    const state: Observed = { mode: '0640', owner: 'root', more: 'not compared' };
    expect(differences([thing('a', { mode: '0644', owner: 'root' })], { a: state })).toEqual([
      ['a', [{ field: 'mode', have: '0640', want: '0644' }]],
    ]);
  });

  it('finds nothing to do for any state that is as wanted', () => {
    const states = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()));
    fc.assert(
      fc.property(states, (state) => {
        // A field named like the two special answers would be read as one: kinds do not use these names.
        fc.pre(!('unknown' in state) && !('notApplicable' in state));
        expect(differences([thing('a', state)], { a: state })).toEqual([]);
      }),
    );
  });

  it('tells absent, unwanted and unknown apart', () => {
    const wanted = { mode: '0644' };
    expect(differences([thing('a', wanted)], { a: 'absent' })).toEqual([
      ['a', [{ field: 'state', have: 'absent', want: 'present' }]],
    ]);
    expect(differences([thing('a', 'absent')], { a: wanted })).toEqual([
      ['a', [{ field: 'state', have: 'present', want: 'absent' }]],
    ]);
    expect(differences([thing('a', wanted)], { a: { unknown: 'it is down' } })).toEqual([
      ['a', [{ field: 'state', have: 'unknown: it is down', want: 'known' }]],
    ]);
    expect(differences([thing('a', wanted)], {})).toEqual([
      ['a', [{ field: 'state', have: 'unknown: it was not looked at', want: 'known' }]],
    ]);
  });

  it('makes what depends on a changed resource stale, and nothing else', () => {
    const things = [thing('file', { sum: 'new' }), thing('unit', { active: true }, ['thing:file'])];
    const unit: Observed = { active: true };
    expect(differences(things, { file: { sum: 'old' }, unit })).toEqual([
      ['file', [{ field: 'sum', have: 'old', want: 'new' }]],
      ['unit', [{ field: 'restart', have: 'done', want: 'for thing:file' }]],
    ]);
    expect(differences(things, { file: { sum: 'new' }, unit })).toEqual([]);
  });

  it('skips what is not applicable and says why', () => {
    const found = plan([thing('a', { value: 1 })], { a: { notApplicable: 'in a container' } });
    expect(found).toEqual({
      host: 'h',
      stages: [],
      skipped: [{ key: 'thing:a', why: 'in a container' }],
      ok: 0,
    });
  });

  it('asks health again after a change before it, which counts as no change', () => {
    const things = [thing('file', { sum: 'new' }), thing('health', { result: 'ok' })];
    const found = plan(
      things,
      { file: { sum: 'old' }, health: { result: 'ok' } },
      { confirms: true },
    );
    expect(found.stages[0]?.changes.map((c) => [c.resource.id, c.confirm])).toEqual([
      ['file', undefined],
      ['health', true],
    ]);
    expect(changesOf(found)).toHaveLength(1);
    expect(
      plan(things, { file: { sum: 'new' }, health: { result: 'ok' } }, { confirms: true }).stages,
    ).toEqual([]);
  });
});
