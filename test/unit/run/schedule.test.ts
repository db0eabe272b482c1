import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../src/inventory/cluster.js';
import type { Plan } from '../../../src/plan/diff.js';
import type { Change, Kind, Resource } from '../../../src/resource/kind.js';
import type { RoleDefinition, StageName } from '../../../src/role/role.js';
import type { RunContext } from '../../../src/run/context.js';
import type { RunEvent } from '../../../src/run/event.js';
import { applyPlans, type Restarts } from '../../../src/run/schedule.js';
import { raw, Secret, sh, type Script } from '../../../src/shell/index.js';
import { LocalSession } from '../../support/local-session.js';
import { testCluster, testHost } from '../../support/site.js';

interface Shell extends Resource {
  readonly text: string | Script;
}

const shell: Kind<Shell> = {
  name: 'shell',
  summary: 'text to run, for this test',
  probe: () => raw(''),
  parse: () => new Map(),
  want: () => 'absent',
  apply: ({ resource: { text } }) => (typeof text === 'string' ? raw(text) : text),
};

const change = (id: string, text: string | Script, field = 'state'): Change<Shell> => ({
  resource: { kind: field === 'restart' ? 'unit' : 'shell', id, text },
  have: 'absent',
  want: {},
  differences: [{ field, have: 'absent', want: 'present' }],
});
const plan = (
  host: string,
  stages: Partial<Record<StageName | 'install' | 'restart', readonly Change[]>>,
): Plan => ({
  host,
  stages: Object.entries(stages).map(([stage, changes]) => ({
    stage: stage as StageName,
    changes,
  })),
  skipped: [],
  ok: 0,
});
const role = (
  name: StageName,
  on: readonly string[],
  after: RoleDefinition['after'] = [],
  serial?: number,
): RoleDefinition => ({
  name,
  summary: name,
  after,
  ...(serial === undefined ? {} : { serial }),
  on: (host: Host) => on.includes(host.name),
  install: () => [],
  configure: () => [],
});

function start(
  roles: readonly RoleDefinition[],
  plans: readonly Plan[],
  lost = new Map<string, string>(),
  restarts: Restarts = { order: [], held: new Map() },
) {
  const events: RunEvent[] = [];
  const stop = new AbortController();
  const hosts = ['a', 'b', 'c'].map((name, i) => testHost(name, i + 1, ['app']));
  const context: RunContext = {
    cluster: testCluster(hosts),
    roles,
    kinds: { shell: shell, unit: { ...shell, name: 'unit' } },
    connector: { connect: () => Promise.reject(new Error('no')), close: () => Promise.resolve() },
    templates: new Map(),
    given: new Map(),
    secret: (name) => new Secret(name),
    secretsAreNew: false,
    saveSecrets: () => Promise.resolve(),
    state: { facts: {} },
    saveState: () => undefined,
    runner: { who: 'ann@laptop', version: '1.2.3', started: '2026-01-02T03:04:05Z' },
    emit: (event) => events.push(event),
    options: {
      check: false,
      diff: false,
      prune: false,
      restartPrimary: false,
      concurrency: 10,
      hosts,
      connect: {},
      stop: stop.signal,
    },
  };
  const works = plans.map((p) => ({ plan: p, session: new LocalSession(p.host) }));
  return { done: applyPlans(context, works, lost, restarts), events, works, stop };
}

const told = (events: readonly RunEvent[]) =>
  events.flatMap((e) => {
    if (e.type === 'resource-changed') return [`${e.host} ${e.key}`];
    if (e.type === 'stage-skipped') return [`${e.host} ${e.stage} skipped: ${e.why}`];
    if (e.type === 'stage-waiting') return [`${e.host} ${e.stage} waits for ${e.for.join(', ')}`];
    return e.type === 'host-failed'
      ? [`${e.host} failed: ${e.failure.details.resource ?? ''}`]
      : [];
  });

describe('applying plans', () => {
  it('makes a stage wait for what it needs elsewhere, and for nothing else', async () => {
    const roles = [
      role('pg-primary', ['a']),
      role('app', ['b'], ['pg-primary']),
      role('redis', ['c']),
    ];
    const { done, events } = start(roles, [
      plan('a', { 'pg-primary': [change('db', 'sleep 0.5')] }),
      plan('b', { app: [change('odoo', 'true')] }),
      plan('c', { redis: [change('redis', 'true')] }),
    ]);
    expect([...(await done).values()]).toEqual([{ skipped: 0 }, { skipped: 0 }, { skipped: 0 }]);
    expect(told(events)).toEqual([
      'b app waits for pg-primary on a',
      'c shell:redis',
      'a shell:db',
      'b shell:odoo',
    ]);
  });

  it('stops a host at its first failure, skips what needs it, and lets the others go on', async () => {
    const roles = [
      role('pg-primary', ['a']),
      role('app', ['b'], ['pg-primary']),
      role('redis', ['c']),
    ];
    const { done, events } = start(roles, [
      plan('a', {
        'pg-primary': [change('db', 'echo no room >&2; exit 3'), change('never', 'true')],
      }),
      plan('b', { app: [change('odoo', 'true')] }),
      plan('c', { redis: [change('redis', 'true')] }),
    ]);
    const outcomes = await done;
    expect(outcomes.get('a')?.failure?.details).toMatchObject({
      host: 'a',
      resource: 'shell:db',
      output: expect.stringContaining('no room') as string,
    });
    expect(outcomes.get('b')).toEqual({ skipped: 1 });
    // Whether b is heard to wait depends on how soon a failed.
    const rest = told(events).filter((line) => line !== 'b app waits for pg-primary on a');
    expect(rest.sort()).toEqual([
      'a failed: shell:db',
      'b app skipped: it needs pg-primary on a: a failed',
      'c shell:redis',
    ]);
  });

  it('skips what needs a host that could not be reached', async () => {
    const roles = [role('pg-primary', ['a']), role('app', ['b'], ['pg-primary'])];
    const plans = [plan('b', { app: [change('odoo', 'true')] })];
    const { done, events } = start(roles, plans, new Map([['a', 'failed: no answer']]));
    expect((await done).get('b')).toEqual({ skipped: 1 });
    expect(told(events)).toEqual([
      'b app skipped: it needs pg-primary on a, which failed: no answer',
    ]);
  });

  it('needs a role that its own host has of no other host', async () => {
    const roles = [role('base', ['a', 'b']), role('app', ['b'], ['base'])];
    const plans = [plan('b', { app: [change('odoo', 'true')] })];
    const { done, events } = start(roles, plans, new Map([['a', 'failed: no answer']]));
    expect((await done).get('b')).toEqual({ skipped: 0 });
    expect(told(events)).toEqual(['b shell:odoo']);
  });

  it('goes on with what is left of a pool', async () => {
    const roles = [role('app', ['a', 'b']), role('edge', ['c'], ['app'])];
    const plans = [plan('c', { edge: [change('nginx', 'true')] })];
    const { done, events } = start(roles, plans, new Map([['a', 'failed: no answer']]));
    expect((await done).get('c')).toEqual({ skipped: 0 });
    expect(told(events)).toEqual(['c shell:nginx']);
  });

  it('restarts a pool one host after the other, and not at all after one that did not come back', async () => {
    const roles = [role('app', ['a', 'b', 'c'], [], 1)];
    const broken = [change('odoo', 'sleep 0.2; exit 1', 'restart')];
    const { done } = start(
      roles,
      ['a', 'b', 'c'].map((host) => plan(host, { app: broken })),
    );
    const messages = [...(await done).values()].map((o) => o.failure?.message ?? '');
    expect(
      messages.filter((m) => m.includes('did not come back from the same change')),
    ).toHaveLength(2);
    expect(messages.filter((m) => m.includes('exit code 1'))).toHaveLength(1);
  });

  it('restarts database servers in their order, and what needs them comes after the last', async () => {
    const roles = [
      role('pg-primary', ['a']),
      role('pg-standby', ['b'], ['pg-primary']),
      role('backup', ['c'], ['pg-primary', 'restart']),
    ];
    const plans = [
      plan('a', { 'pg-primary': [change('file', 'true')], restart: [change('last', 'true')] }),
      plan('b', { restart: [change('first', 'sleep 0.5')] }),
      plan('c', { backup: [change('stanza', 'true')] }),
    ];
    const { done, events } = start(roles, plans, new Map(), { order: ['b', 'a'], held: new Map() });
    await done;
    expect(told(events).filter((line) => !line.includes('waits'))).toEqual([
      'a shell:file',
      'b shell:first',
      'a shell:last',
      'c shell:stanza',
    ]);
  });

  it('restarts no database server after one that did not come back', async () => {
    const roles = [role('pg-primary', ['a']), role('backup', ['c'], ['restart'])];
    const plans = [
      plan('a', { restart: [change('last', 'true')] }),
      plan('b', { restart: [change('first', 'exit 1')] }),
      plan('c', { backup: [change('stanza', 'true')] }),
    ];
    const { done, events } = start(roles, plans, new Map(), { order: ['b', 'a'], held: new Map() });
    await done;
    expect(told(events).filter((line) => !line.includes('waits'))).toEqual([
      'b failed: shell:first',
      'a restart skipped: it needs restart on b: b failed',
      'c backup skipped: it needs restart on b: b failed',
    ]);
  });

  it('skips what needs a restart that is not made', async () => {
    const held = new Map([['a', { what: 'archive_mode', why: 'consent', hosts: [] } as const]]);
    const { done, events } = start(
      [role('backup', ['c'], ['restart'])],
      [plan('c', { backup: [change('stanza', 'true')] })],
      new Map(),
      { order: [], held },
    );
    expect((await done).get('c')).toEqual({ skipped: 1 });
    expect(told(events)).toEqual([
      'c backup skipped: it needs restart on a: the primary is not restarted without consent, for archive_mode',
    ]);
  });

  it('shows a secret to the step that uses it, and to no process list', async () => {
    const use = sh`
secret=${new Secret('hush-hush')}
printf '%s' "$secret" | wc -c
ps -eo args | grep -c '[h]ush-hush' || :`;
    const { done, works } = start(
      [role('app', ['a'])],
      [plan('a', { app: [change('secret', use)] })],
    );
    await done;
    const log = readFileSync(
      join(works[0]?.session.folder ?? '', 'var/log/last-apply.log'),
      'utf8',
    );
    expect(log).toBe('9\n0\n');
  });

  it('stops after the running step when it is asked to', async () => {
    const changes = [change('one', 'sleep 1'), change('two', 'true')];
    const { done, events, stop } = start([role('app', ['a'])], [plan('a', { app: changes })]);
    await waitFor(() => events.some((e) => e.type === 'resource-started'));
    stop.abort();
    expect((await done).get('a')?.failure?.reason).toBe('interrupted');
    expect(told(events)).toEqual(['a shell:one', 'a failed: ']);
  });

  it('leaves a line of who did what in the audit log', async () => {
    const { done, works } = start(
      [role('app', ['a'])],
      [plan('a', { app: [change('one', 'true')] })],
    );
    await done;
    const path = join(works[0]?.session.folder ?? '', 'var/log/audit.log');
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path, 'utf8')).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ann@laptop since 2026-01-02T03:04:05Z, odoo-prov 1.2.3 app shell:one exit 0\n$/,
    );
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 2000) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
