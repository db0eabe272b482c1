import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastWords, markLastStart, markLogs } from '../../../src/resource/postgres-log.js';
import { raw } from '../../../src/shell/index.js';

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

  const tooLow =
    'max_connections = 12 is a lower setting than on the primary server, where its value was 100.';
  it.each([
    [
      'a.log',
      `2026 [1] FATAL:  recovery aborted\n2026 [1] DETAIL:  ${tooLow}\n2026 [2] FATAL:  it came\n2026 [2] DETAIL:  Key (password)=(secret)\n2026 [1] FATAL:  recovery aborted\n2026 [1] DETAIL:  ${tooLow}\n2026 [3] a@b FATAL:  the database system is in recovery mode\n`,
    ],
    [
      'a.json',
      `{"error_severity":"FATAL","message":"recovery aborted","detail":"${tooLow}"}\n{"error_severity":"FATAL","message":"the database system is starting up"}\n`,
    ],
    [
      'a.csv',
      `1,,x,,0,FATAL,1,"recovery aborted","${tooLow}",,,,,""\n1,,x,,0,FATAL,57P03,"the database system is not yet accepting connections","Consistent",,,,,""\n`,
    ],
  ])(
    'is told from %s with the setting that is too low, whatever clients were told',
    (name, text) => {
      const path = join(folder, name);
      writeFileSync(path, '');
      const { stdout } = spawnSync('sh', ['-eus'], {
        input: `${markLogs(folder).render()}\ncat >>${path} <<'end-of-file'\n${text}end-of-file\n${lastWords(folder).render()}`,
        encoding: 'utf8',
      });
      expect(stdout).toBe(`PostgreSQL's own log, ${path}: FATAL: recovery aborted (${tooLow})\n`);
    },
  );

  it('is not what another one said before, as a standby whose receiver was stopped', () => {
    writeFileSync(join(folder, 'a.log'), '2026 [1] FATAL:  terminating walreceiver process\n');
    const { stdout } = spawnSync('sh', ['-eus'], {
      input: `${markLogs(folder).render()}\n${lastWords(folder).render()}`,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });

  it('is not what its processes say when it is asked to stop', () => {
    const log = join(folder, 'a.log');
    const stopped =
      '2026 [2] FATAL:  terminating walreceiver process due to administrator command\n2026 [3] a@b FATAL:  terminating connection due to administrator command\n';
    writeFileSync(log, '');
    const { stdout } = spawnSync('sh', ['-eus'], {
      input: `${markLogs(folder).render()}\ncat >>${log} <<'end-of-file'\n${stopped}end-of-file\n${lastWords(folder).render()}`,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });

  it('is of the newest file, whatever the name of its weekday', () => {
    const wednesday = join(folder, 'postgresql-Wed.log');
    writeFileSync(wednesday, '2026 [1] LOG:  nothing\n');
    utimesSync(wednesday, 1_796_000_000, 1_796_000_000);
    const monday = join(folder, 'postgresql-Mon.log');
    const { stdout } = spawnSync('sh', ['-eus'], {
      input: `${markLogs(folder).render()}\necho '2026 [1] FATAL:  it is full' >${monday}\n${lastWords(folder).render()}`,
      encoding: 'utf8',
    });
    expect(stdout).toBe(`PostgreSQL's own log, ${monday}: FATAL: it is full\n`);
  });

  it('is of the last start alone, where that wrote a log', () => {
    const log = join(folder, 'a.log');
    const since = 1_796_000_000;
    const wordsOf = (text: string, written: number, starts = raw('1')): string => {
      writeFileSync(log, text);
      utimesSync(log, written, written);
      return spawnSync('sh', ['-eus'], {
        input: `${markLastStart(folder, raw(String(since)), starts).render()}\n${lastWords(folder).render()}`,
        encoding: 'utf8',
      }).stdout;
    };
    const start = '2026 [1] LOG:  starting PostgreSQL 17.6\n';
    const before = `${start}2026 [1] FATAL:  of before\n`;
    const fatal = '2026 [1] FATAL:  it is full\n';
    expect(wordsOf(before + start + fatal, since)).toContain('FATAL: it is full');
    expect(wordsOf(before + start, since)).toBe('');
    expect(wordsOf(before + start + fatal, since - 1)).toBe('');
    expect(wordsOf(before + start, since, raw('2'))).toContain('FATAL: of before');
  });
});
