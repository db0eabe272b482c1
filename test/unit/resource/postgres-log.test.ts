import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastWords, markLogs } from '../../../src/resource/postgres-log.js';

describe('what a server died of', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postgres-log-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    [
      'a.log',
      "2026-11-30 05:00:29.280 GMT [1] FATAL:  it is full\n2026-11-30 GMT [2] STATEMENT:  select 'FATAL:  secret'\n\tPANIC:  secret\n2026-11-30 GMT [1] LOG:  down\n",
    ],
    [
      'a.json',
      '{"error_severity":"FATAL","message":"it is full","statement":"secret"}\n{"error_severity":"LOG","message":"down"}\n',
    ],
    ['a.csv', '2026-11-30,,,1,,x,1,,2026,,0,FATAL,53100,"it is full",,,,,,"secret"\n'],
  ])('is read from %s, without any statement', (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text.replaceAll('it is full', 'of before'));
    const { stdout, stderr } = spawnSync('sh', ['-eus'], {
      input: `${markLogs(folder).render()}\ncat >>${path} <<'end-of-file'\n${text}end-of-file\n${lastWords(folder).render()}`,
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({
      stdout: `PostgreSQL's own log, ${path}: FATAL: it is full\n`,
      stderr: '',
    });
  });

  it('is not what another one said before, as a standby whose receiver was stopped', () => {
    writeFileSync(join(folder, 'a.log'), '2026 [1] FATAL:  terminating walreceiver process\n');
    const { stdout } = spawnSync('sh', ['-eus'], {
      input: `${markLogs(folder).render()}\n${lastWords(folder).render()}`,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });
});
