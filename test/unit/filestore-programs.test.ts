import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/template/package-files.js';

/*
 * What the programs of the filestore's backup do when a repository is locked, or cannot be looked at: with a restic that
 * answers what a test says. GNU date is the hosts'.
 */

const LIBRARY = join(PACKAGE_ROOT, 'templates/filestore-backup/restic.sh');
let folder: string;

/** Runs a script with the library; what it printed, and restic's calls without the options. */
function run(script: string, restic: string): { readonly out: string; readonly calls: string[] } {
  for (const [name, text] of [
    ['restic', `echo "$*" >>"$CALLS"\n${restic}`],
    // Nobody waits.
    ['sleep', ':'],
  ] as const) {
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  const end = spawnSync('sh', ['-euc', `FOLDER=${folder}; . ${LIBRARY}; ${script}`], {
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
      CALLS: calls,
    },
  });
  return {
    out: `${end.stdout}${end.stderr}code ${String(end.status)}`,
    calls: readFileSync(calls, 'utf8').trim().split('\n'),
  };
}

/** As restic 0.14 and 0.18 print a lock of this age. */
function lock(minutes: number): string {
  const time = new Date(Date.now() - minutes * 60_000).toISOString();
  return `{\\n  "time": "${time.replace('Z', '123+00:00')}",\\n  "exclusive": true,\\n  "pid": 7\\n}`;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odoo-prov-restic-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'access'), `OPTIONS='-o s3.region=here'\n`);
  writeFileSync(join(folder, 'environment'), '');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe.runIf(process.platform === 'linux')('a repository that somebody has to himself', () => {
  const locked = `case "$*" in
  *'list locks') echo aa; echo bb ;;
  *'cat lock aa') printf '%b' 'OLD' ;;
  *'cat lock bb') printf '%b' 'NEW' ;;
  *unlock) touch "$CALLS.unlocked" ;;
  *backup*)
    [ -e "$CALLS.unlocked" ] && { echo saved; exit 0; }
    echo 'unable to create lock in backend: repository is already locked exclusively by PID 7 on db1 by root' >&2
    exit 11 ;;
esac`;
  const withLocks = (aa: number, bb: number): string =>
    locked.replace('OLD', lock(aa)).replace('NEW', lock(bb));

  it('is waited for; who died is not, half an hour after his last sign of life', () => {
    const { out, calls } = run('patient backup x; echo "$code $said"', withLocks(31, 300));
    expect(out).toContain('somebody else has the snapshots to himself: waiting');
    expect(out).toContain('0 saved');
    expect(calls).toEqual([
      '-o s3.region=here backup x',
      '-o s3.region=here --no-lock --quiet list locks',
      '-o s3.region=here --no-lock cat lock aa',
      '-o s3.region=here --no-lock cat lock bb',
      '-o s3.region=here unlock',
      '-o s3.region=here backup x',
    ]);
  });

  it('is left alone while one of those who have locked it is alive, for an hour at most', () => {
    const { out, calls } = run('patient backup x; echo "end $code"', withLocks(300, 29));
    expect(calls.filter((call) => call.endsWith('unlock'))).toEqual([]);
    expect(calls.filter((call) => call.endsWith('backup x'))).toHaveLength(121);
    expect(out).toContain('end 11');
  });

  it('is left alone where its locks cannot be read', () => {
    const { calls } = run('unlock', `case "$*" in *list*) exit 1 ;; esac`);
    expect(calls).toEqual(['-o s3.region=here --no-lock --quiet list locks']);
    const gone = run('unlock', `case "$*" in *list*) echo aa ;; *cat*) exit 1 ;; esac`);
    expect(gone.calls.some((call) => call.endsWith('unlock'))).toBe(false);
  });

  it('is not taken for locked when something else is wrong', () => {
    const { out, calls } = run('patient backup x; echo "end $code $said"', 'echo no; exit 3');
    expect(out).toContain('end 3 no');
    expect(calls).toHaveLength(1);
  });
});

describe.runIf(process.platform === 'linux')('a repository that is not there', () => {
  const answer = (restic: string): string =>
    run('if missing; then echo none; else echo there; fi', restic).out;
  const first = 'Fatal: unable to open config file: Stat:';

  it('is told from one that cannot be looked at', () => {
    expect(answer('echo config')).toContain('there\n');
    // 0.18, and 0.14 on a bucket.
    expect(answer('exit 10')).toContain('none\n');
    expect(answer(`echo '${first} The specified key does not exist.'; exit 1`)).toContain('none\n');
    for (const why of ['Access Denied.', '503 Service Unavailable']) {
      const out = answer(`echo '${first} ${why}'; exit 1`);
      expect(out).toBe(`${first} ${why}\ncode 1`);
    }
  });
});
