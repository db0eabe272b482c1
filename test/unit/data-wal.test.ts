import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { strandedStandbys } from '../../src/facts/stranded.js';
import { parseDatabases } from '../../src/facts/database-facts.js';
import { parseDataWal, WAL_OF, type DataWal } from '../../src/postgres/data-wal.js';
import { isPastFork, newestHistory } from '../../src/postgres/past-fork.js';
import { testCluster, testHost } from '../support/site.js';

/** Of pg_controldata 17, what counts here and what looks like it. */
const CONTROL = `Database cluster state:               shut down in recovery
Latest checkpoint location:           0/50000D8
Latest checkpoint's REDO location:    0/5000080
Latest checkpoint's TimeLineID:       2
Latest checkpoint's PrevTimeLineID:   2
Minimum recovery ending location:     0/6000148
Min recovery ending loc's timeline:   3`;

/** What `wal_of` prints of a data folder with these history files. */
function walOf(histories: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'odoo-prov-data-wal-'));
  try {
    mkdirSync(join(folder, 'pg_wal'));
    const program = join(folder, 'pg_controldata');
    writeFileSync(program, `#!/bin/sh\ncat <<'END'\n${CONTROL}\nEND\n`);
    chmodSync(program, 0o755);
    for (const [name, text] of Object.entries(histories)) {
      writeFileSync(join(folder, 'pg_wal', name), text);
    }
    const script = `${WAL_OF}\nwal_of "$1" "$1"`;
    return spawnSync('sh', ['-c', script, 'sh', folder], { encoding: 'utf8' }).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('what data says of its WAL without a server', () => {
  it('is its last checkpoint, what it has replayed, and the newest history that it has', () => {
    const first = '1\t0/3000000\tno recovery target specified\n';
    const printed = walOf({
      '00000002.history': first,
      '0000000A.history': `${first}\n3\t1/6000000\tno recovery target specified\n`,
      '0000000B.history.done': '',
      '0000000A0000000000000006': '',
    });
    expect(parseDataWal(printed)).toEqual({
      checkpoint: { timeline: 2, lsn: '0/50000D8' },
      replayed: { timeline: 3, lsn: '0/6000148' },
      marked: undefined,
      history: {
        timeline: 10,
        ends: [
          { timeline: 1, lsn: '0/3000000' },
          { timeline: 3, lsn: '1/6000000' },
        ],
      },
    });
    const marked = parseDataWal(
      walOf({ '0000000A.history': first, '../odoo-prov-past-fork': '26\n' }),
    );
    expect([marked?.marked, marked?.history.ends]).toEqual([
      26,
      [{ timeline: 1, lsn: '0/3000000' }],
    ]);
    expect(parseDataWal(walOf({}))?.history).toEqual({ timeline: 0, ends: [] });
  });

  it('is unknown where nothing was said', () => {
    expect(parseDataWal(undefined)).toBeUndefined();
    expect(parseDataWal('@ @ 0')).toBeUndefined();
  });
});

const wal = (checkpoint: string, replayed = '0@0/0', history = '0'): DataWal => {
  const known = parseDataWal(`${checkpoint} ${replayed} ${history}`);
  if (known === undefined) throw new Error('not as wal_of prints it');
  return known;
};

describe('a standby that is stopped', () => {
  const ends = [{ timeline: 1, lsn: '0/10000000' }];

  it('is past the fork by its last checkpoint, or by what it replayed', () => {
    // Shut down as a primary, before another one took over without that checkpoint.
    expect(isPastFork(wal('1@0/10000028'), ends)).toBe(true);
    // Its record begins there, so the other one does not have it.
    expect(isPastFork(wal('1@0/10000000'), ends)).toBe(true);
    expect(isPastFork(wal('1@0/F000028', '1@0/10000001'), ends)).toBe(true);
    // Its WAL goes on, and it has not replayed it.
    expect(isPastFork(wal('1@0/F000028', '1@0/F000028', '0 past:1'), [])).toBe(true);
  });

  it('is not where it ends at the fork, before it, or on the new timeline', () => {
    expect(isPastFork(wal('1@0/FFFFF88'), ends)).toBe(false);
    expect(isPastFork(wal('1@0/F000028', '1@0/10000000'), ends)).toBe(false);
    expect(isPastFork(wal('2@0/20000028', '2@0/30000000'), ends)).toBe(false);
    expect(isPastFork(wal('1@0/20000028'), [])).toBe(false);
  });

  it('is judged by the newest history that any host has', () => {
    const all = [wal('1@0/10000028'), wal('2@0/10000100', '0@0/0', '2 1@0/10000000')];
    expect(newestHistory(all)).toEqual({ timeline: 2, ends });
  });

  it('is taken back by rejoin only, where it is past the fork or was left being compared', () => {
    const cluster = testCluster([
      testHost('db1', 1, ['pg-primary']),
      testHost('db2', 2, ['pg-standby']),
    ]);
    const stranded = (server: string, old: string, standby = 'yes') => {
      const line = `/var/lib/postgresql/17/main\t7\t1\t${standby}\tshut down\t${server}\t${old}\n`;
      const seen: Readonly<Record<string, string>> = {
        db1: line,
        db2: '/var/lib/postgresql/17/main\t7\t2\tno\tin production\truns\t2@0/10000100 0@0/0 2 1@0/10000000\n',
      };
      const found = strandedStandbys(cluster, ({ name }) => parseDatabases(seen[name] ?? ''));
      return [...found].join();
    };
    const [past, well] = ['1@0/10000028 0@0/0 0', '1@0/F000028 0@0/0 0'];
    expect(stranded('stopped', past)).toBe('db1,past fork');
    expect(stranded('compared', well)).toBe('db1,compared');
    expect(stranded('stopped', well)).toBe('');
    // One that runs says itself what is wrong; an old primary is told as such.
    expect(stranded('runs', past)).toBe('');
    expect(stranded('compared', past, 'no')).toBe('');
  });
});
