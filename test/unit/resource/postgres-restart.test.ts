import { describe, expect, it } from 'vitest';
import { diff } from '../../../src/plan/diff.js';
import type { Settings } from '../../../src/inventory/cluster.js';
import { keyOf, type Change, type Restart } from '../../../src/resource/kind.js';
import { postgresSettingsKind } from '../../../src/resource/postgres-settings.js';
import {
  contentOf,
  postgresSettings,
  type PostgresSettings,
} from '../../../src/resource/postgres-settings-resource.js';
import { settingsFile } from '../../../src/resource/postgres-values.js';

const NOW: Settings = {
  max_connections: 100,
  max_worker_processes: 8,
  shared_buffers: '128MB',
  work_mem: '4MB',
};
const CONTEXT: Readonly<Record<string, string>> = { work_mem: 'user' };

/** What the look says of a server that runs with `live`, and has `file` (the same, if not given). */
function look(
  wanted: Settings,
  live: Settings,
  file: Settings = live,
  needs: Settings = {},
): Change<PostgresSettings> | undefined {
  const resource = postgresSettings({ version: 17, settings: wanted });
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(file)])];
  const rows = names.map((name) => {
    const value = String(live[name] ?? '');
    const context = CONTEXT[name] ?? 'postmaster';
    const pending = context === 'postmaster' && file[name] !== live[name] ? 't' : 'f';
    return ['s', name, value, '', 'string', context, pending, value, value].join('\x1f');
  });
  const output = [
    'include 17/main',
    `file 17/main ${contentOf(file)} postgres:postgres 644`,
    ...Object.entries(needs).map(([name, value]) => `needs 17/main ${name} ${String(value)}`),
    ...['server', 'up', ...rows],
    ...Object.entries(live).map(([name, value]) => ['h', name, String(value)].join('\x1f')),
  ].join('\n');
  const have = postgresSettingsKind.parse(output, [resource]).get('17/main') ?? 'absent';
  const plan = diff(
    { host: 'h', stages: [{ stage: 'pg-primary', resources: [resource] }] },
    new Map([[keyOf(resource), have]]),
    { postgresSettings: postgresSettingsKind },
    'salt',
  );
  return plan.stages[0]?.changes[0] as Change<PostgresSettings> | undefined;
}

function restart(...args: Parameters<typeof look>): Restart | undefined {
  const change = look(...args);
  return change && postgresSettingsKind.restarts?.(change);
}

const settingsOf = (change: Change | undefined): Settings | undefined =>
  (change?.resource as PostgresSettings | undefined)?.settings;
const fields = (change: Change | undefined): readonly string[] | undefined =>
  change?.differences.map(({ field }) => field);

describe('settings that need a restart', () => {
  it('are none where a reload is enough', () => {
    expect(fields(look({ ...NOW, work_mem: '8MB' }, NOW))).toEqual(['work_mem', 'file']);
    expect(restart({ ...NOW, work_mem: '8MB' }, NOW)).toBeUndefined();
    expect(look(NOW, NOW)).toBeUndefined();
  });

  it('are named with both values, and so is the restart', () => {
    const change = look({ ...NOW, max_connections: 200 }, NOW);
    expect(change?.differences).toContainEqual({
      field: 'max_connections',
      have: '100',
      want: '200',
    });
    expect(change?.differences).toContainEqual({
      field: 'restart',
      have: 'due for max_connections',
      want: 'done',
    });
    expect(restart({ ...NOW, max_connections: 200 }, NOW)?.what).toBe('max_connections 100 → 200');
  });

  it('are still due when a run was killed between writing and restarting', () => {
    const wanted = { ...NOW, max_connections: 200 };
    const due = restart(wanted, NOW, wanted);
    expect(due).toMatchObject({ raises: true, lowers: false });
    expect(due?.calm).toBeUndefined();
  });

  it('are not due for a value in the file that is going to be taken back', () => {
    const change = look(NOW, NOW, { ...NOW, max_connections: 300 });
    expect(fields(change)).toEqual(['file', 'pending_restart']);
    expect(restart(NOW, NOW, { ...NOW, max_connections: 300 })).toBeUndefined();
  });
});

describe('what can be had when', () => {
  it('raised: all of it first on a standby; without a restart all but the restart', () => {
    const wanted = { ...NOW, max_connections: 200, work_mem: '8MB' };
    const { before, calm } = restart(wanted, NOW) ?? {};
    expect(before?.restarts).toBe(true);
    expect(settingsOf(before?.change)).toEqual(wanted);
    expect(settingsOf(calm)).toEqual(wanted);
    expect(fields(calm)).toEqual(['work_mem', 'file']);
  });

  it('lowered: nothing of it before the primary, not even in the file', () => {
    const lowered = restart({ ...NOW, max_connections: 50 }, NOW);
    expect(lowered).toEqual({ what: 'max_connections 100 → 50', raises: false, lowers: true });
    const { before, calm } = restart({ ...NOW, max_connections: 50, work_mem: '8MB' }, NOW) ?? {};
    expect(before?.restarts).toBe(false);
    expect(settingsOf(calm)).toEqual({ ...NOW, max_connections: '100', work_mem: '8MB' });
    expect(fields(calm)).toEqual(['work_mem', 'file']);
  });

  it('lowered, and already in the file of a standby: taken out of it until the primary has it', () => {
    const wanted = { ...NOW, max_connections: 50 };
    const { calm } = restart(wanted, NOW, wanted) ?? {};
    expect(fields(calm)).toEqual(['file']);
    expect(settingsOf(calm)).toEqual({ ...NOW, max_connections: '100' });
  });

  it('both: the raised one first, with the lowered one as it is', () => {
    const wanted = { ...NOW, max_connections: 50, max_worker_processes: 16 };
    const both = restart(wanted, NOW);
    expect(both).toMatchObject({ raises: true, lowers: true, before: { restarts: true } });
    expect(settingsOf(both?.before?.change)).toEqual({ ...wanted, max_connections: '100' });
    expect(both?.before?.change.have).toMatchObject({ restart: 'due for max_worker_processes' });
  });

  it('one that is wanted no more goes back to its default, which may be less', () => {
    const { max_connections: removed, ...wanted } = { ...NOW, max_connections: 300 };
    const back = restart(wanted, { ...NOW, max_connections: removed });
    expect(back).toMatchObject({ raises: false, lowers: true, what: 'max_connections' });
    expect(settingsOf(back?.calm)).toEqual({ ...wanted, max_connections: '300' });
  });
});

describe('a standby that has paused for it has less than its primary', () => {
  const PAUSED = { max_connections: 140, max_worker_processes: 8 };
  const text = (change: Change | undefined): string =>
    postgresSettingsKind.apply(change as Change<PostgresSettings>).render();
  const holds = (change: Change | undefined, settings: Settings): boolean =>
    text(change).includes(Buffer.from(settingsFile(settings)).toString('base64'));

  it('differs though it has what is wanted, and is restarted with as much before the primary', () => {
    expect(look(NOW, NOW, NOW, PAUSED)?.differences).toEqual([
      { field: 'restart', have: 'due for max_connections', want: 'done' },
      { field: 'replay', have: 'needs max_connections 140', want: 'not held up' },
    ]);
    const due = restart(NOW, NOW, NOW, PAUSED);
    expect(due).toMatchObject({ heldUp: true, lowers: false, before: { restarts: true } });
    expect(due?.what).toBe('max_connections 100 → 140, to replay again');
    const change = look(NOW, NOW, NOW, PAUSED);
    expect(holds(change, { ...NOW, max_connections: 140 })).toBe(true);
    expect(text(change)).toContain('systemctl restart');
  });

  it('gets as much where more than it has is wanted, and less than that', () => {
    const wanted = { ...NOW, max_connections: 120 };
    expect(holds(look(wanted, NOW, NOW, PAUSED), { ...NOW, max_connections: 140 })).toBe(true);
    expect(restart(wanted, NOW, NOW, PAUSED)).toMatchObject({ heldUp: true, lowers: false });
  });

  it('gets what is wanted where that is enough', () => {
    const wanted = { ...NOW, max_connections: 150 };
    expect(holds(look(wanted, NOW, NOW, PAUSED), wanted)).toBe(true);
  });

  it('gets as much as well where it is stopped, in a file that says so or not', () => {
    const resource = postgresSettings({ version: 17, settings: NOW });
    const down = `include 17/main\nfile 17/main ${contentOf(NOW)} postgres:postgres 644\nneeds 17/main max_connections 140\nserver\ndown\n`;
    const have = postgresSettingsKind.parse(down, [resource]).get('17/main') ?? 'absent';
    expect(have).toMatchObject({ replay: 'needs max_connections 140', restart: 'done' });
    const want = postgresSettingsKind.want(resource, '');
    const change: Change<PostgresSettings> = { resource, have, want, differences: [] };
    expect(holds(change, { ...NOW, max_connections: 140 })).toBe(true);
    // Its start takes it in: that is no restart to wait for.
    expect(postgresSettingsKind.restarts?.(change)).toBeUndefined();
  });

  it('is none once it has enough: then nothing differs', () => {
    const enough = { ...PAUSED, max_connections: 100 };
    expect(look(NOW, NOW, NOW, enough)).toBeUndefined();
  });
});

describe('the script', () => {
  const text = (change: Change | undefined): string => {
    if (change === undefined) throw new Error('nothing to do');
    return postgresSettingsKind.apply(change as Change<PostgresSettings>).render();
  };

  it('restarts only what the look said is due', () => {
    const change = look({ ...NOW, max_connections: 200, work_mem: '8MB' }, NOW);
    expect(text(change)).toContain('systemctl restart');
    expect(
      text(restart({ ...NOW, max_connections: 200, work_mem: '8MB' }, NOW)?.calm),
    ).not.toContain('systemctl restart');
    expect(text(look({ ...NOW, work_mem: '8MB' }, NOW))).not.toContain('systemctl restart');
  });
});
