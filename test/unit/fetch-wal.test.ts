import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/template/package-files.js';

/*
 * PostgreSQL's restore_command, with an archive that answers what a test says. GNU timeout, and /proc, are the hosts'.
 */

const SEGMENT = '000000010000000000000007';
const HISTORY = '00000002.history';
const ANSWERS = 'exit 0';
/** It takes the connection, and says nothing. */
const FROZEN = 'sleep 60';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odoo-prov-fetch-'));
  mkdirSync(join(folder, 'bin'));
  const program = readFileSync(join(PACKAGE_ROOT, 'templates/postgres/fetch-wal.sh'), 'utf8');
  executable(
    join(folder, 'fetch-wal'),
    program
      .replaceAll('/run/postgresql', folder)
      .replaceAll('/usr/lib/odoo-prov', folder)
      .replaceAll('/usr/lib/postgresql', folder),
  );
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function executable(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** Fetches a file into the data folder; its exit code, and with what pgBackRest was called. */
function fetch(
  file: string,
  knock: string,
  get: string,
  from = ['198.51.100.61', '8432'],
): { code: number | null; called: string } {
  const called = join(folder, 'called');
  writeFileSync(called, '');
  executable(join(folder, 'bin/openssl'), `#!/bin/sh\n${knock}\n`);
  executable(join(folder, 'bin/pgbackrest'), `#!/bin/sh\necho "$*" >>"${called}"\n${get}\n`);
  const words = [file, join(folder, 'to'), 'acme', ...from];
  const { status } = spawnSync(join(folder, 'fetch-wal'), words, {
    cwd: folder,
    env: { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` },
  });
  return { code: status, called: readFileSync(called, 'utf8').trim() };
}

const said = (): boolean => existsSync(join(folder, 'odoo-prov-archive-silent'));

describe('what a standby fetches WAL with', () => {
  it('says whether the archive has the file', () => {
    const found = fetch(SEGMENT, ANSWERS, 'exit 0');
    expect(found.code).toBe(0);
    expect(found.called).toMatch(
      new RegExp(`^--stanza=acme .* archive-get ${SEGMENT} ${folder}/to$`),
    );
    expect(fetch(SEGMENT, ANSWERS, 'exit 1').code).toBe(1);
    expect(said()).toBe(false);
  });

  it('waits 3 s for an archive that says nothing, and for the next file not at all', () => {
    expect(fetch(HISTORY, FROZEN, 'exit 0')).toEqual({ code: 1, called: '' });
    expect(said()).toBe(true);
    expect(fetch(SEGMENT, ANSWERS, 'exit 0')).toEqual({ code: 1, called: '' });
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split('.')[0]);
    for (const long of [String(uptime - 11), String(uptime + 100), 'what nobody wrote', '']) {
      writeFileSync(join(folder, 'odoo-prov-archive-silent'), `${long}\n`);
      expect(fetch(SEGMENT, ANSWERS, 'exit 0').code, long).toBe(0);
    }
  });

  it.each([
    ['no connection in the middle', 'exit 103'],
    ['killed for want of memory', 'kill -KILL $$'],
    ['ended with its host', 'kill -TERM $$'],
  ])('never tells PostgreSQL to give up: %s', (_, get) => {
    expect(fetch(SEGMENT, ANSWERS, get).code).toBe(1);
    expect(said()).toBe(true);
  });

  it('asks again at once for what is still on its way', () => {
    expect(fetch(SEGMENT, ANSWERS, 'exit 82').code).toBe(1);
    expect(said()).toBe(false);
    expect(fetch(SEGMENT, ANSWERS, 'exit 0').code).toBe(0);
  });
});

describe('what a standby is not given', () => {
  const HISTORIES = '1\t0/3000000\tno recovery target specified\n\n2\t1/7000060\tno recovery';
  /** Data of a standby on timeline 2 that knows of timeline 3, which began in segment 7 of the second four gigabytes. */
  function knowsOfTheNext(): void {
    mkdirSync(join(folder, '17/bin'), { recursive: true });
    mkdirSync(join(folder, 'pg_wal'));
    writeFileSync(join(folder, 'PG_VERSION'), '17\n');
    writeFileSync(
      join(folder, 'pg_wal/00000002.history'),
      HISTORIES.split('\n').slice(0, 1).join(),
    );
    writeFileSync(join(folder, 'pg_wal/00000003.history'), HISTORIES);
    executable(
      join(folder, '17/bin/pg_controldata'),
      "#!/bin/sh\necho 'Bytes per WAL segment:                16777216'\n",
    );
    writeFileSync(join(folder, 'standby.signal'), '');
  }

  it.each([
    ['000000020000000100000006', true],
    ['000000020000000100000007', false],
    ['000000020000000100000008', false],
    ['000000020000000200000000', false],
    ['000000030000000100000007', true],
    ['000000010000000000000002', true],
    ['000000010000000000000003', false],
    ['000000040000000100000009', true],
    ['00000004.history', true],
  ])('%s of a timeline that was left before its end: %s', (file, given) => {
    knowsOfTheNext();
    expect(fetch(file, ANSWERS, 'exit 0').called !== '').toBe(given);
    // pg_rewind compares what was left.
    rmSync(join(folder, 'standby.signal'));
    expect(fetch(file, ANSWERS, 'exit 0').code).toBe(0);
  });

  it.each([
    ['ends where it began', '7000000', '000000020000000100000006', true],
    ['goes on from there', '7000000', '000000020000000100000007', false],
  ])('at the border of two segments: the one that %s', (_, fork, file, given) => {
    knowsOfTheNext();
    writeFileSync(join(folder, 'pg_wal/00000003.history'), `2\t1/${fork}\tno recovery`);
    expect(fetch(file, ANSWERS, 'exit 0').code).toBe(given ? 0 : 1);
  });

  it('the history of a timeline that its own WAL has left', () => {
    writeFileSync(join(folder, 'standby.signal'), '');
    const pid = (state: string): void => {
      writeFileSync(join(folder, 'postmaster.pid'), `1\n2\n3\n5432\n5\n*\n7 8\n${state}\n`);
    };
    pid('starting');
    executable(join(folder, 'past-fork'), `#!/bin/sh\necho "$*" >past-fork-asked\nexit 0\n`);
    const get = `echo there >"${join(folder, 'to')}"`;
    expect(fetch(HISTORY, ANSWERS, get).code).toBe(1);
    expect(existsSync(join(folder, 'to'))).toBe(false);
    expect(readFileSync(join(folder, 'past-fork-asked'), 'utf8')).toBe(`. ${join(folder, 'to')}\n`);
    // One that runs compares by itself, and is promoted beyond every timeline that there is.
    pid('standby ');
    expect(fetch(HISTORY, ANSWERS, get).code).toBe(0);
    pid('starting');
    executable(join(folder, 'past-fork'), '#!/bin/sh\nexit 1\n');
    expect(fetch(HISTORY, ANSWERS, get).code).toBe(0);
    expect(existsSync(join(folder, 'to'))).toBe(true);
  });
});

it('knocks nowhere on the host that keeps the archive', () => {
  expect(fetch(SEGMENT, 'exit 1', 'exit 0', []).code).toBe(0);
});
