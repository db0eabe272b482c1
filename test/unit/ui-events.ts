import { Failure } from '../../src/failure/failure.js';
import type { Change } from '../../src/resource/kind.js';
import type { HostRecap, RunEvent, RunRecap } from '../../src/run/event.js';
import { Secret } from '../../src/shell/index.js';

const DIGEST = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** A changed file: its content and its mode. */
export const changedFile: Change = {
  resource: {
    kind: 'file',
    id: '/etc/odoo/app.conf',
    ...{ content: new Secret('admin_passwd = k33pThisHidden') },
  },
  have: { mode: '0640', content: DIGEST.replaceAll('9', '8') },
  want: { mode: '0644', content: DIGEST },
  differences: [
    { field: 'content', have: DIGEST.replaceAll('9', '8'), want: DIGEST },
    { field: 'mode', have: '0640', want: '0644' },
  ],
};

export const startedUnit: Change = {
  resource: { kind: 'unit', id: 'odoo-app.service' },
  have: { running: false },
  want: { running: true },
  differences: [{ field: 'running', have: false, want: true }],
};

/** A new host's many files. */
export const manyChanges: readonly Change[] = [
  ...Array.from({ length: 22 }, (_, i): Change => absent('file', `/etc/example/${String(i)}`)),
  ...Array.from({ length: 3 }, (_, i): Change => absent('package', `package-${String(i)}`)),
];

function absent(kind: string, id: string): Change {
  return {
    resource: { kind, id },
    have: 'absent',
    want: { mode: '0644' },
    differences: [{ field: 'state', have: 'absent', want: 'present' }],
  };
}

export function hostRecap(host: string, counts: Partial<HostRecap> = {}): HostRecap {
  return {
    host,
    ok: 45,
    changed: 0,
    failed: 0,
    skipped: 0,
    unreachable: false,
    interrupted: false,
    waiting: false,
    wire: { connections: 1, execs: 1, bytesSent: 8123, bytesReceived: 41_200 },
    milliseconds: { connect: 210, probe: 640, apply: 0 },
    ...counts,
  };
}

export function runRecap(hosts: readonly HostRecap[], milliseconds: number): RunRecap {
  return {
    hosts,
    changed: hosts.reduce((sum, host) => sum + host.changed, 0),
    failed: hosts.filter((host) => host.failed > 0).length,
    unreachable: hosts.filter((host) => host.unreachable).length,
    interrupted: hosts.filter((host) => host.interrupted).length,
    waiting: hosts.filter((host) => host.waiting).length,
    milliseconds,
    exitCode: 0,
  };
}

/** What comes before anything is changed on a host. */
export function looked(host: string, changes: readonly Change[]): readonly RunEvent[] {
  return [
    { type: 'host-connecting', host },
    { type: 'host-probed', host, pass: 1, resources: 45, milliseconds: 640 },
    {
      type: 'host-planned',
      host,
      pass: 1,
      changes,
      skipped: [
        { key: 'sysctl:vm.overcommit_memory', why: 'a container shares its kernel' },
        { key: 'sysctl:net.core.somaxconn', why: 'a container shares its kernel' },
      ],
      leftOver: [],
    },
  ];
}

export const nothingToDo: readonly RunEvent[] = [
  { type: 'run-started', cluster: 'acme', hosts: ['app1', 'db1'], check: false },
  ...looked('app1', []),
  ...looked('db1', []),
  { type: 'host-done', host: 'app1', recap: hostRecap('app1', { skipped: 2 }) },
  { type: 'host-done', host: 'db1', recap: hostRecap('db1', { skipped: 2 }) },
  {
    type: 'run-done',
    recap: runRecap([hostRecap('app1', { skipped: 2 }), hostRecap('db1', { skipped: 2 })], 912),
  },
];

/** One host is mended, one fails, one does not answer; then checks. */
export const mixedRun: readonly RunEvent[] = [
  { type: 'run-started', cluster: 'acme', hosts: ['app1', 'db1', 'edge1'], check: false },
  ...looked('app1', [changedFile, startedUnit]),
  {
    type: 'host-failed',
    host: 'edge1',
    failure: new Failure({
      reason: 'unreachable',
      host: 'edge1',
      message: 'no answer within 15 s',
      expected: 'SSH at 198.51.100.11 port 22',
      remedy: 'check the address and that the host is up',
    }),
  },
  { type: 'host-done', host: 'edge1', recap: hostRecap('edge1', { ok: 0, unreachable: true }) },
  ...looked('db1', manyChanges),
  {
    type: 'file-diff',
    host: 'app1',
    key: 'file:/etc/odoo/app.conf',
    diff: '--- now\n+++ wanted\n@@ -1,2 +1,2 @@\n [options]\n-workers = 2\n+workers = 4\n',
  },
  { type: 'stage-waiting', host: 'app1', stage: 'app', for: ['pg-primary on db1'] },
  { type: 'stage-started', host: 'db1', stage: 'install', resources: 3 },
  { type: 'resource-started', host: 'db1', stage: 'install', key: 'package:package-0' },
  { type: 'resource-output', host: 'db1', key: 'package:package-0', line: 'Reading lists' },
  { type: 'resource-output', host: 'db1', key: 'package:package-0', line: 'progress 3% Fetching' },
  {
    type: 'resource-output',
    host: 'db1',
    key: 'package:package-0',
    line: 'progress 43% Unpacking odoo with k33pThisHidden',
  },
  {
    type: 'resource-changed',
    host: 'db1',
    stage: 'install',
    key: 'package:package-0',
    milliseconds: 61_000,
  },
  {
    type: 'resource-changed',
    host: 'db1',
    stage: 'install',
    key: 'package:package-1',
    milliseconds: 20,
  },
  {
    type: 'resource-changed',
    host: 'db1',
    stage: 'install',
    key: 'package:package-2',
    milliseconds: 20,
  },
  { type: 'stage-started', host: 'db1', stage: 'pg-primary', resources: 22 },
  { type: 'resource-started', host: 'db1', stage: 'pg-primary', key: 'file:/etc/example/0' },
  {
    type: 'host-failed',
    host: 'db1',
    failure: new Failure({
      reason: 'command-failed',
      host: 'db1',
      resource: 'file:/etc/example/0',
      message: 'the step failed with code 1',
      output: 'mv: cannot move: password k33pThisHidden',
      remedy: 'read what it said, mend it, run apply again: it goes on from there',
    }),
  },
  {
    type: 'host-done',
    host: 'db1',
    recap: hostRecap('db1', { changed: 3, failed: 1, skipped: 2 }),
  },
  { type: 'stage-started', host: 'app1', stage: 'app', resources: 2 },
  { type: 'resource-started', host: 'app1', stage: 'app', key: 'file:/etc/odoo/app.conf' },
  {
    type: 'resource-changed',
    host: 'app1',
    stage: 'app',
    key: 'file:/etc/odoo/app.conf',
    milliseconds: 90,
  },
  {
    type: 'resource-changed',
    host: 'app1',
    stage: 'app',
    key: 'unit:odoo-app.service',
    milliseconds: 4200,
  },
  { type: 'host-done', host: 'app1', recap: hostRecap('app1', { changed: 2, skipped: 2 }) },
  { type: 'verify-started', checks: 2 },
  { type: 'verify-checked', check: '/web/health', host: 'app1', ok: true, detail: '200 in 0.1 s' },
  { type: 'verify-checked', check: 'login page', host: 'edge1', ok: false, detail: 'no answer' },
  {
    type: 'run-done',
    recap: runRecap(
      [
        hostRecap('app1', {
          changed: 2,
          skipped: 2,
          milliseconds: { connect: 210, probe: 640, apply: 4290 },
        }),
        hostRecap('db1', {
          changed: 3,
          failed: 1,
          skipped: 2,
          milliseconds: { connect: 190, probe: 700, apply: 61_040 },
        }),
        hostRecap('edge1', {
          ok: 0,
          unreachable: true,
          milliseconds: { connect: 15_000, probe: 0, apply: 0 },
        }),
      ],
      67_300,
    ),
  },
];
