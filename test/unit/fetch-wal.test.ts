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
  executable(join(folder, 'fetch-wal'), program.replaceAll('/run/postgresql', folder));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function executable(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** Fetches a file; its exit code, and with what pgBackRest was called. */
function fetch(file: string, knock: string, get: string): { code: number | null; called: string } {
  const called = join(folder, 'called');
  writeFileSync(called, '');
  executable(join(folder, 'bin/openssl'), `#!/bin/sh\n${knock}\n`);
  executable(join(folder, 'bin/pgbackrest'), `#!/bin/sh\necho "$*" >>"${called}"\n${get}\n`);
  const words = [file, join(folder, 'to'), 'acme', '198.51.100.61', '8432'];
  const { status } = spawnSync(join(folder, 'fetch-wal'), words, {
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
