import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { describeChange } from '../../src/ui/change.js';
import { JsonOutput } from '../../src/ui/json-output.js';
import { ListOutput } from '../../src/ui/list.js';
import type { OutputOptions } from '../../src/ui/output.js';
import { PlainOutput } from '../../src/ui/plain.js';
import { styleOf, wantsColour } from '../../src/ui/style.js';
import { bytes, cut, duration, printable } from '../../src/ui/text.js';
import type { RunEvent } from '../../src/run/event.js';
import {
  changedFile,
  hostRecap,
  looked,
  manyChanges,
  mixedRun,
  nothingToDo,
  runRecap,
  startedUnit,
} from './ui-events.js';

const HIDDEN = 'k33pThisHidden';

function options(more: Partial<OutputOptions> = {}): OutputOptions {
  return {
    diff: false,
    profile: false,
    prune: false,
    width: 80,
    style: styleOf(false),
    redact: (text) => text.replaceAll(HIDDEN, '•••'),
    ...more,
  };
}

function plain(events: readonly RunEvent[], more: Partial<OutputOptions> = {}): string {
  const lines: string[] = [];
  const output = new PlainOutput(options(more), (line) => lines.push(line));
  for (const event of events) output.emit(event);
  return `\n${lines.join('\n')}\n`;
}

/** A look without doing: one host with few changes, one with many. */
const check: readonly RunEvent[] = [
  { type: 'run-started', cluster: 'acme', hosts: ['app1', 'db1'], check: true },
  ...looked('app1', [changedFile, startedUnit]),
  ...looked('db1', manyChanges),
  {
    type: 'run-done',
    recap: runRecap([hostRecap('app1', { changed: 2 }), hostRecap('db1', { changed: 25 })], 1200),
  },
];

describe('plain lines', () => {
  it('say nothing but the recap when there is nothing to do', () => {
    expect(plain(nothingToDo)).toMatchInlineSnapshot(`
      "
      acme: 2 hosts
      not applicable (a container shares its kernel): 2 sysctl on app1, db1

      host  unchanged  changed  failed  skipped
      app1         45        0       0        2
      db1          45        0       0        2
      acme: nothing changed, in 0.9 s
      "
    `);
  });
  it('show changes, waiting, progress, failures, checks and the recap', () => {
    expect(plain(mixedRun)).toMatchInlineSnapshot(`
      "
      acme: 3 hosts
      edge1: no answer within 15 s
        expected  SSH at 198.51.100.11 port 22
        next      check the address and that the host is up
      db1: changes 25 resources: 22 file, 3 package
      app1: file:/etc/odoo/app.conf
      --- now
      +++ wanted
      @@ -1,2 +1,2 @@
       [options]
      -workers = 2
      +workers = 4
      app1: app: waits for pg-primary on db1
      db1: install: 3 changes
      db1: install: 43 % Unpacking odoo with •••
      db1: install: package:package-0 absent → present (1 min 01 s)
      db1: install: done in 1 min 01 s
      db1: pg-primary: 22 changes
      db1 file:/etc/example/0: the step failed with code 1
        it said
          mv: cannot move: password •••
        next      read what it said, mend it, run apply again: it goes on from there
      app1: app: file:/etc/odoo/app.conf content, mode 0640 → 0644 (0.1 s)
      app1: app: unit:odoo-app.service running false → true (4.2 s)
      checking that the cluster serves: 2 checks
      app1: /web/health: ok, 200 in 0.1 s
      edge1: login page: FAILED, no answer
      not applicable (a container shares its kernel): 2 sysctl on app1, db1

      host   unchanged  changed  failed  skipped
      app1          43        2       0        2
      db1           42        3       1        2
      edge1          -        -       -        -  unreachable
      acme: 5 changes made, 1 host failed, 1 host unreachable, 1 check failed, in 1 min 07 s
      "
    `);
  });
  it('do not say that nothing changed where a step was begun and failed: it may have restarted something', () => {
    const recap = runRecap([hostRecap('db1', { failed: 1 })], 1200);
    const begun: RunEvent = {
      ...{ type: 'resource-started', host: 'db1', stage: 'restart', key: 'postgresSettings:main' },
    };
    const last = (...events: readonly RunEvent[]) =>
      plain([...events, { type: 'run-done', recap }])
        .split('\n')
        .at(-2);
    const started: RunEvent = {
      ...{ type: 'run-started', cluster: 'acme', hosts: ['db1'], check: false },
    };
    expect(last(started, begun)).toBe('acme: no change was completed, 1 host failed, in 1.2 s');
    expect(last(started)).toBe('acme: nothing changed, 1 host failed, in 1.2 s');
  });
  it('say what would change in a dry run, by counts where it is much', () => {
    expect(plain(check)).toMatchInlineSnapshot(`
      "
      acme: 2 hosts, nothing is changed (--check)
      app1: would change file:/etc/odoo/app.conf content, mode 0640 → 0644
      app1: would change unit:odoo-app.service running false → true
      db1: would change 25 resources: 22 file, 3 package; --diff names them
      not applicable (a container shares its kernel): 2 sysctl on app1, db1

      host  as it should be  would change  failed  skipped
      app1               45             2       0        0
      db1                45            25       0        0
      acme: 27 changes to make, in 1.2 s
      "
    `);
  });
  it('name every change with --diff', () => {
    const lines = plain(check, { diff: true }).split('\n');
    expect(lines.filter((line) => line.startsWith('db1: would change '))).toHaveLength(25);
  });
  it('show with --profile where the time went', () => {
    const text = plain(mixedRun, { profile: true });
    expect(text.slice(text.indexOf('Where the time went'))).toMatchInlineSnapshot(`
      "Where the time went
      host   connect  probe       apply  connections  execs    sent  received
      app1     0.2 s  0.6 s       4.3 s            1      1  8.1 kB   41.2 kB
      db1      0.2 s  0.7 s  1 min 01 s            1      1  8.1 kB   41.2 kB
      edge1     15 s  0.0 s       0.0 s            1      1  8.1 kB   41.2 kB

      Slowest
      1 min 01 s  db1   package:package-0
           4.2 s  app1  unit:odoo-app.service
           0.1 s  app1  file:/etc/odoo/app.conf
           0.0 s  db1   package:package-1
           0.0 s  db1   package:package-2
      "
    `);
  });
  it('stay within 80 columns where they are tables', () => {
    const text = plain(mixedRun, { profile: true });
    const tables = text.slice(text.indexOf('\nhost ')).split('\n');
    // The sentence between the tables names the cluster and wraps as any text does.
    for (const line of tables.filter((l) => !l.startsWith('acme: '))) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
  });
  it('mention what a removed role left, unless it is being pruned', () => {
    const planned: RunEvent = {
      type: 'host-planned',
      host: 'app1',
      pass: 1,
      changes: [],
      skipped: [],
      leftOver: ['redis'],
    };
    const events: readonly RunEvent[] = [
      { type: 'run-started', cluster: 'acme', hosts: ['app1'], check: false },
      planned,
      { type: 'run-done', recap: runRecap([hostRecap('app1')], 500) },
    ];
    const hint =
      'left over from the role redis on app1: apply --prune stops it and keeps its data\n';
    expect(plain(events)).toContain(hint);
    expect(plain(events, { prune: true })).not.toContain('left over');
  });
});

describe('a step that is silent', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is told to be still running, and for how long, until it ends', () => {
    vi.useFakeTimers();
    const lines: string[] = [];
    const output = new PlainOutput(options(), (line) => lines.push(line), 30_000);
    const key = 'package:odoo';
    const step = { host: 'app1', key, stage: 'install' } as const;
    for (const event of looked('app1', [changedFile])) output.emit(event);
    output.emit({ type: 'stage-started', host: 'app1', stage: 'install', resources: 1 });
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual([]);
    output.emit({ type: 'resource-started', ...step });
    vi.advanceTimersByTime(30_000);
    expect(lines.splice(0)).toEqual(['app1: still at package:odoo (30 s)']);
    vi.advanceTimersByTime(20_000);
    const line = `progress 75% Configuring ${HIDDEN}`;
    output.emit({ type: 'resource-output', host: 'app1', key, line });
    expect(lines.splice(0)).toEqual(['app1: install: 75 % Configuring •••']);
    vi.advanceTimersByTime(29_000);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(31_000);
    expect(lines.splice(0)).toEqual([
      'app1: still at 75 % Configuring ••• (1 min 20 s)',
      'app1: still at 75 % Configuring ••• (1 min 50 s)',
    ]);
    const waiting = `waiting: it answers; so far: ${HIDDEN}`;
    output.emit({ type: 'resource-output', host: 'app1', key, line: waiting });
    expect(lines.splice(0)).toEqual(['app1: waiting: it answers; so far: •••']);
    output.emit({ type: 'resource-changed', ...step, milliseconds: 110_000 });
    lines.splice(0);
    vi.advanceTimersByTime(120_000);
    expect(lines).toEqual([]);
  });
});

describe('the recap', () => {
  const started = { type: 'run-started', cluster: 'acme', hosts: ['app1'], check: false } as const;

  it('counts an interrupted host as interrupted, not as failed', () => {
    const recap = runRecap([hostRecap('app1', { changed: 5, interrupted: true })], 900);
    expect(plain([started, { type: 'run-done', recap }])).toMatchInlineSnapshot(`
      "
      acme: 1 host

      host  unchanged  changed  failed  skipped
      app1         40        5       0        0  interrupted
      acme: 5 changes made, 1 host interrupted, in 0.9 s
      "
    `);
  });

  it('says what the last look found not applicable', () => {
    const planned = (why?: string): RunEvent => ({
      type: 'host-planned',
      host: 'app1',
      pass: 1,
      changes: [],
      skipped: why === undefined ? [] : [{ key: 'check:x', why }],
      leftOver: [],
    });
    const done: RunEvent = { type: 'run-done', recap: runRecap([hostRecap('app1')], 900) };
    const why = 'PostgreSQL is not running';
    expect(plain([started, planned(why), planned(), done])).not.toContain(why);
    expect(plain([started, planned(), planned(why), done])).toContain(why);
  });
});

describe('JSON', () => {
  const lines: string[] = [];
  const output = new JsonOutput(options(), (line) => lines.push(line));
  for (const event of mixedRun) output.emit(event);
  const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);

  it('is one event a line, with all of them', () => {
    expect(objects.map((o) => o['type'])).toEqual(mixedRun.map((event) => event.type));
  });
  it('has only the named fields of a change: no contents, no secrets', () => {
    expect(objects[3]).toEqual({
      type: 'host-planned',
      host: 'app1',
      pass: 1,
      changes: [
        {
          key: 'file:/etc/odoo/app.conf',
          differences: changedFile.differences,
          confirm: false,
        },
        {
          key: 'unit:odoo-app.service',
          differences: [{ field: 'running', have: false, want: true }],
          confirm: false,
        },
      ],
      skipped: [
        { key: 'sysctl:vm.overcommit_memory', why: 'a container shares its kernel' },
        { key: 'sysctl:net.core.somaxconn', why: 'a container shares its kernel' },
      ],
      leftOver: [],
    });
    expect(lines.join('\n')).not.toContain(HIDDEN);
  });
  it('has failures with their reason and remedy', () => {
    expect(objects[4]).toEqual({
      type: 'host-failed',
      host: 'edge1',
      failure: {
        reason: 'unreachable',
        host: 'edge1',
        message: 'no answer within 15 s',
        expected: 'SSH at 198.51.100.11 port 22',
        remedy: 'check the address and that the host is up',
      },
    });
  });
});

/** A terminal of 80 columns that keeps what was written to it. */
function terminal(): { stream: NodeJS.WriteStream; text: () => string } {
  const chunks: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  Object.assign(stream, { isTTY: true, columns: 80, rows: 24 });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('') };
}

const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;

async function list(events: readonly RunEvent[]): Promise<string> {
  const { stream, text } = terminal();
  const clock = Array.from(events, (_, i) => i * 1000);
  const output = new ListOutput(
    options(),
    { stdout: stream, stderr: stream },
    () => clock.shift() ?? 0,
  );
  for (const event of events) output.emit(event);
  await output.finish();
  return text().replaceAll(ANSI, '');
}

describe('the list on a terminal', () => {
  it('ends with a line per host, then what must stay readable', async () => {
    const text = await list(mixedRun);
    expect(text).toMatch(/✔ app1 +[0-9.]+ s {2}2 changes made\n/);
    expect(text).toMatch(
      /✖ db1 +[0-9.]+ s {2}file:\/etc\/example\/0: the step failed with code 1\n/,
    );
    expect(text).toMatch(/✖ edge1 +[0-9.]+ s {2}no answer within 15 s\n/);
    expect(text).toContain('checking that the cluster serves  2/2, 1 failed\n');
    expect(text).not.toContain(HIDDEN);
    expect(text.slice(text.indexOf('\nedge1: no answer'))).toMatchInlineSnapshot(`
      "
      edge1: no answer within 15 s
        expected  SSH at 198.51.100.11 port 22
        next      check the address and that the host is up
      db1: changes 25 resources: 22 file, 3 package
      app1: file:/etc/odoo/app.conf
      --- now
      +++ wanted
      @@ -1,2 +1,2 @@
       [options]
      -workers = 2
      +workers = 4
      db1 file:/etc/example/0: the step failed with code 1
        it said
          mv: cannot move: password •••
        next      read what it said, mend it, run apply again: it goes on from there
      edge1: login page: FAILED, no answer
      not applicable (a container shares its kernel): 2 sysctl on app1, db1

      host   unchanged  changed  failed  skipped
      app1          43        2       0        2
      db1           42        3       1        2
      edge1          -        -       -        -  unreachable
      acme: 5 changes made, 1 host failed, 1 host unreachable, 1 check failed, in 1 min 07 s
      "
    `);
  });

  it('leaves no line hanging when a run is cut short', async () => {
    const text = await list(mixedRun.slice(0, 5));
    expect(text).toMatch(/app1 +[0-9.]+ s {2}2 changes to make\n/);
  });

  it('waits with drawing while a question is asked', async () => {
    const { stream, text } = terminal();
    const output = new ListOutput(options(), { stdout: stream, stderr: stream });
    const release = output.hold();
    for (const event of nothingToDo) output.emit(event);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(text().replaceAll(ANSI, '')).toBe('acme: 2 hosts\n');
    release();
    await output.finish();
    expect(text().replaceAll(ANSI, '')).toContain('as it should be');
  });
});

describe('words', () => {
  it('describe a change by its fields, digests by name only', () => {
    expect(describeChange(changedFile)).toBe('file:/etc/odoo/app.conf content, mode 0640 → 0644');
    expect(describeChange({ ...startedUnit, differences: [], confirm: true })).toBe(
      'unit:odoo-app.service asked again',
    );
    const words = (field: string, have: string, want: string): string =>
      describeChange({ ...startedUnit, differences: [{ field, have, want }] });
    expect(words('restart', 'due for /etc/x', 'done')).toBe(
      'unit:odoo-app.service restart for /etc/x',
    );
    expect(words('reload', 'done', 'for /etc/x')).toBe('unit:odoo-app.service reload for /etc/x');
    expect(words('state', 'unknown: psql is not installed', 'known')).toBe(
      'unit:odoo-app.service cannot be looked at yet (psql is not installed)',
    );
    const long = { field: 'value', have: '', want: 'x'.repeat(60) };
    expect(describeChange({ ...startedUnit, differences: [long] })).toBe(
      `unit:odoo-app.service value (empty) → ${'x'.repeat(19)}…${'x'.repeat(19)}`,
    );
    // What a health check found is told whole.
    const full =
      'it cannot follow: the disk is full (/data/pg_wal: 3 MB left); next: make room there';
    expect(words('result', full, 'streaming')).toBe(
      `unit:odoo-app.service result ${full} → streaming`,
    );
  });
  it('give durations and sizes as people read them', () => {
    expect([0, 40, 9940, 9960, 59_400, 59_600, 125_000, 3_725_000].map(duration)).toEqual([
      '0.0 s',
      '0.0 s',
      '9.9 s',
      '10 s',
      '59 s',
      '1 min 00 s',
      '2 min 05 s',
      '1 h 02 min',
    ]);
    expect([999, 1000, 14_230, 3_100_000].map(bytes)).toEqual([
      '999 B',
      '1.0 kB',
      '14.2 kB',
      '3.1 MB',
    ]);
  });
  it('cut and clean what hosts print', () => {
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(printable('\u001b[31mred\u001b[0m\u0007\r')).toBe('red');
  });
  it('are coloured only where wanted', () => {
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(wantsColour({ isTTY: true }, {})).toBe(true);
    expect(wantsColour({}, {})).toBe(false);
    expect(wantsColour({}, { FORCE_COLOR: '1' })).toBe(true);
    expect(styleOf(true).bad('x')).toBe('\u001b[31mx\u001b[39m');
  });
});
