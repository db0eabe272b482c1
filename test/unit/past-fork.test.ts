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
 * Whether a standby's WAL goes on where another one took over; what pg_waldump finds there is what a test says. With PostgreSQL's own:
 * test/e2e/database-past-fork.test.ts.
 */

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odoo-prov-fork-'));
  mkdirSync(join(folder, '15/bin'), { recursive: true });
  mkdirSync(join(folder, 'pg_wal'));
  const program = readFileSync(join(PACKAGE_ROOT, 'templates/postgres/past-fork.sh'), 'utf8');
  executable('past-fork', program.replaceAll('/usr/lib/postgresql', folder));
  writeFileSync(join(folder, 'PG_VERSION'), '15\n');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function executable(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), 0o755);
}

/**
 * Asks with data that has these WAL files.
 * @param found what pg_waldump prints
 * @returns with what it was called, if it was
 */
function ask(
  files: readonly string[],
  history: string,
  found: string,
): { readonly past: boolean; readonly asked: string | undefined } {
  for (const name of files) writeFileSync(join(folder, 'pg_wal', name), '');
  writeFileSync(join(folder, 'history'), history);
  const called = join(folder, 'called');
  executable('15/bin/pg_waldump', `#!/bin/sh\necho "$*" >${called}\n${found}\n`);
  const { status } = spawnSync(join(folder, 'past-fork'), [folder, join(folder, 'history')]);
  const asked = spawnSync('cat', [called], { encoding: 'utf8' }).stdout.trim();
  return { past: status === 0, asked: asked === '' ? undefined : asked };
}

const RECORD = "echo 'rmgr: Heap len (rec/tot): 59/59'";
const NONE = "echo 'pg_waldump: error: could not find a valid record after 1/7000060' >&2; exit 1";
const HISTORY = '1\t0/3000000\tno recovery target specified\n\n26\t1/7000060\tno recovery\n';
const OWN = ['00000001000000000000000A', '0000001A0000000100000007', '0000001A.history'];

describe('the WAL of a standby', () => {
  it('is past the fork where a record begins there, on the newest timeline that it has WAL of', () => {
    expect(ask(OWN, HISTORY, RECORD)).toEqual({
      past: true,
      asked: `-p ${folder}/pg_wal -t 26 -s 1/7000060 -n 1`,
    });
    expect(readFileSync(join(folder, 'odoo-prov-past-fork'), 'utf8')).toBe('26\n');
    rmSync(join(folder, 'odoo-prov-past-fork'));
    // Where the mark cannot be written it is so all the same.
    mkdirSync(join(folder, 'odoo-prov-past-fork'));
    expect(ask(OWN, HISTORY, RECORD).past).toBe(true);
    rmSync(join(folder, 'odoo-prov-past-fork'), { recursive: true });
    expect(ask(OWN, HISTORY, NONE).past).toBe(false);
    expect(existsSync(join(folder, 'odoo-prov-past-fork'))).toBe(false);
  });

  it('is not where it is of the new timeline already, or of one that it does not come from', () => {
    const none = { past: false, asked: undefined };
    expect(ask([...OWN, '0000001B0000000100000007'], HISTORY, RECORD)).toEqual(none);
    rmSync(join(folder, 'pg_wal'), { recursive: true });
    mkdirSync(join(folder, 'pg_wal'));
    expect(ask([], HISTORY, RECORD)).toEqual(none);
  });
});
