import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  parseTimelineHistory,
  sortableLsn,
  lsnText,
  walFileName,
  walFileStart,
} from '../../src/postgres/timeline-history.js';
import { parseWalChanges, SCAN, SELECT, type WalChanges } from '../../src/postgres/wal-changes.js';

/** As pg_waldump of PostgreSQL 15 wrote it; records that do not matter are left out. */
const WAL_15 = `rmgr: Standby     len (rec/tot):     50/    50, tx:          0, lsn: 0/0152A6B8, prev 0/0152A600, desc: RUNNING_XACTS nextXid 728 latestCompletedXid 727 oldestRunningXid 728
rmgr: Heap        len (rec/tot):     54/   334, tx:        728, lsn: 0/0152A730, prev 0/0152A6B8, desc: INSERT off 6 flags 0x00, blkref #0: rel 1663/5/16384 blk 0 FPW
rmgr: Btree       len (rec/tot):     53/   213, tx:        728, lsn: 0/0152A880, prev 0/0152A730, desc: INSERT_LEAF off 6, blkref #0: rel 1663/5/16385 blk 1 FPW
rmgr: Transaction len (rec/tot):     34/    34, tx:        728, lsn: 0/0152A958, prev 0/0152A880, desc: COMMIT 2026-11-22 03:57:22.364911 UTC
rmgr: Heap        len (rec/tot):     76/    76, tx:        729, lsn: 0/0152A980, prev 0/0152A958, desc: HOT_UPDATE off 2 xmax 729 flags 0x20 ; new off 7 xmax 0, blkref #0: rel 1663/5/16384 blk 0
rmgr: Transaction len (rec/tot):     34/    34, tx:        729, lsn: 0/0152A9D0, prev 0/0152A980, desc: COMMIT 2026-11-22 03:57:22.369145 UTC
rmgr: Heap        len (rec/tot):     54/    54, tx:        730, lsn: 0/0152A9F8, prev 0/0152A9D0, desc: DELETE off 3 flags 0x00 KEYS_UPDATED , blkref #0: rel 1663/5/16384 blk 0
rmgr: Transaction len (rec/tot):     34/    34, tx:        730, lsn: 0/0152AA30, prev 0/0152A9F8, desc: COMMIT 2026-11-22 03:57:22.372034 UTC
rmgr: Heap        len (rec/tot):     69/    69, tx:        731, lsn: 0/0152AA58, prev 0/0152AA30, desc: UPDATE off 4 xmax 731 flags 0x40 KEYS_UPDATED ; new off 8 xmax 0, blkref #0: rel 1663/5/16384 blk 0
rmgr: Transaction len (rec/tot):     34/    34, tx:        731, lsn: 0/0152AAE0, prev 0/0152AAA0, desc: COMMIT 2026-11-22 03:57:22.380619 UTC
rmgr: Heap        len (rec/tot):     65/    65, tx:        733, lsn: 0/0152AB08, prev 0/0152AAE0, desc: INSERT off 9 flags 0x00, blkref #0: rel 1663/5/16384 blk 0
rmgr: Heap        len (rec/tot):     65/    65, tx:        734, lsn: 0/0152AB90, prev 0/0152AB08, desc: INSERT off 6 flags 0x00, blkref #0: rel 1663/5/16390 blk 0
rmgr: Transaction len (rec/tot):     50/    50, tx:        732, lsn: 0/0152ACE8, prev 0/0152AB90, desc: COMMIT 2026-11-22 03:57:22.382326 UTC; subxacts: 733 734
rmgr: Heap        len (rec/tot):     61/    61, tx:        735, lsn: 0/0152AD20, prev 0/0152ACE8, desc: INSERT off 10 flags 0x00, blkref #0: rel 1663/5/16384 blk 0
rmgr: Transaction len (rec/tot):     34/    34, tx:        735, lsn: 0/0152ADA0, prev 0/0152AD60, desc: ABORT 2026-11-22 03:57:22.383247 UTC
rmgr: Heap2       len (rec/tot):     88/    88, tx:        736, lsn: 0/0152ADC8, prev 0/0152ADA0, desc: MULTI_INSERT 2 tuples flags 0x02, blkref #0: rel 1663/5/16399 blk 0
rmgr: Heap2       len (rec/tot):     56/    56, tx:        736, lsn: 0/0152AE60, prev 0/0152ADC8, desc: PRUNE latestRemovedXid 737 nredirected 0 ndead 1, blkref #0: rel 1663/5/1249 blk 55
rmgr: Transaction len (rec/tot):     34/    34, tx:        736, lsn: 0/0152AEA0, prev 0/0152AE60, desc: COMMIT 2026-11-22 03:57:22.383332 UTC
`;

/** Of PostgreSQL 15: rows, `vacuum full`, `truncate` and a row, `create database` of both strategies. */
const WAL_ANEW = `rmgr: Standby     len (rec/tot):     50/    50, tx:          0, lsn: 0/01528C28, prev 0/01528BF0, desc: RUNNING_XACTS nextXid 725 latestCompletedXid 724 oldestRunningXid 725
rmgr: Heap        len (rec/tot):     54/   302, tx:        725, lsn: 0/01528CA0, prev 0/01528C28, desc: INSERT off 6 flags 0x00, blkref #0: rel 1663/5/16384 blk 0 FPW
rmgr: Heap        len (rec/tot):     69/    69, tx:        725, lsn: 0/01528EA8, prev 0/01528DD0, desc: HOT_UPDATE off 1 xmax 725 flags 0x20 ; new off 7 xmax 0, blkref #0: rel 1663/5/16384 blk 0
rmgr: Heap        len (rec/tot):     54/    54, tx:        725, lsn: 0/01528EF0, prev 0/01528EA8, desc: DELETE off 3 flags 0x00 KEYS_UPDATED , blkref #0: rel 1663/5/16384 blk 0
rmgr: Transaction len (rec/tot):     34/    34, tx:        725, lsn: 0/01528F28, prev 0/01528EF0, desc: COMMIT 2026-11-29 21:58:09.254701 UTC
rmgr: Storage     len (rec/tot):     42/    42, tx:        726, lsn: 0/01528FB0, prev 0/01528F80, desc: CREATE base/5/16396
rmgr: XLOG        len (rec/tot):     49/   209, tx:        726, lsn: 0/0153E538, prev 0/0153E4F8, desc: FPI , blkref #0: rel 1663/5/16396 blk 0 FPW
rmgr: Transaction len (rec/tot):   2561/  2561, tx:        726, lsn: 0/015461F8, prev 0/015461C0, desc: COMMIT 2026-11-29 21:58:09.274940 UTC; rels: base/5/16384 base/5/16387; dropped stats: 2/5/16396
rmgr: Storage     len (rec/tot):     42/    42, tx:        727, lsn: 0/01546C68, prev 0/01546C38, desc: CREATE base/5/16402
rmgr: Heap        len (rec/tot):     59/    59, tx:        727, lsn: 0/01546F60, prev 0/01546D98, desc: INSERT+INIT off 1 flags 0x00, blkref #0: rel 1663/5/16402 blk 0
rmgr: Transaction len (rec/tot):    206/   206, tx:        727, lsn: 0/01546FF0, prev 0/01546F60, desc: COMMIT 2026-11-29 21:58:09.285675 UTC; rels: base/5/16391
rmgr: Database    len (rec/tot):     34/    34, tx:        728, lsn: 0/01547540, prev 0/01547490, desc: CREATE_WAL_LOG create dir 1663/16404
rmgr: Storage     len (rec/tot):     42/    42, tx:        728, lsn: 0/01547C30, prev 0/01547BA0, desc: CREATE base/16404/2619
rmgr: Storage     len (rec/tot):     42/    42, tx:        728, lsn: 0/0156C960, prev 0/0156B888, desc: CREATE base/16404/2619_fsm
rmgr: Storage     len (rec/tot):     42/    42, tx:        728, lsn: 0/0156C990, prev 0/0156C960, desc: CREATE pg_tblspc/16385/PG_15_202209061/5/16406
rmgr: Database    len (rec/tot):     42/    42, tx:        729, lsn: 0/016C7540, prev 0/016C7490, desc: CREATE_FILE_COPY copy dir 1663/5 to 1663/16405
`;

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

interface Found extends WalChanges {
  readonly gone: readonly string[];
  readonly before: readonly string[];
}

/** Runs both programs as a host does. */
function changes(wal: string, fork: string): Found {
  const dir = mkdtempSync(join(tmpdir(), 'odoo-prov-wal-'));
  folders.push(dir);
  const scan = spawnSync('awk', ['-v', `fork=${fork}`, SCAN], { input: wal, encoding: 'utf8' });
  expect(scan.stderr).toBe('');
  const file = join(dir, 'scan');
  writeFileSync(file, scan.stdout);
  const args = ['-v', `dir=${dir}`, SELECT, file, file, file];
  const selected = spawnSync('awk', args, { encoding: 'utf8' });
  expect(selected.stderr).toBe('');
  const lines = (name: string): string[] =>
    existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8').trim().split('\n') : [];
  return { ...parseWalChanges(selected.stdout), gone: lines('gone'), before: lines('before') };
}

function files(found: WalChanges): readonly number[] {
  return found.touched.map(({ file }) => file).sort();
}

describe('what a timeline changed after a position', () => {
  it('is the tables that were written to, and where rows went away', () => {
    const found = changes(WAL_15, '000000000152A980');
    expect(found).toMatchObject({ next: 729, first: 729, anchored: true });
    expect(files(found)).toEqual([16384, 16390, 16399]);
    expect(found.touched[0]).toEqual({
      ...{ tablespace: 1663, database: 5, file: 16384 },
      ...{ made: false, written: true },
    });
    expect(found.gone).toEqual(['1663/5/16384 (0,2)', '1663/5/16384 (0,3)', '1663/5/16384 (0,4)']);
  });

  it('includes what was written before by a transaction that committed afterwards', () => {
    const found = changes(WAL_15, '000000000152ACE8');
    expect(found).toMatchObject({ next: 735, first: 732, anchored: true });
    expect(files(found)).toEqual([16384, 16390, 16399]);
    expect(found.gone).toEqual([]);
    // Without an earlier record of running transactions nobody knows what it wrote before.
    const short = WAL_15.split('\n').slice(1).join('\n');
    expect(changes(short, '000000000152ACE8')).toMatchObject({ first: 732, anchored: false });
  });

  it('leaves out what others wrote and committed meanwhile', () => {
    const meanwhile = WAL_15.replaceAll('tx:        730', 'tx:        733').replace(
      'subxacts: 733 734',
      'subxacts: 734',
    );
    const found = changes(meanwhile, '000000000152ACE8');
    expect(found.before).toEqual(['733']);
    expect(found.gone).toEqual([]);
  });

  it('is nothing where nothing was committed', () => {
    const found = changes(WAL_15, '000000000152AF00');
    expect(found).toMatchObject({ next: 737, first: undefined, touched: [], gone: [] });
    expect(changes('', '0000000000000000').next).toBeUndefined();
  });

  it('knows that numbers of transactions go round', () => {
    const wrapped = WAL_15.replaceAll(/\b73([0-9])\b/g, (_, digit: string) =>
      String((4294967293 + Number(digit)) % 4294967296),
    );
    const found = changes(wrapped.replaceAll(/\b72([789])\b/g, '429496728$1'), '000000000152ADC8');
    // 736 is 3 now, after 2^32: the oldest that committed, and the next is one more than the aborted 735, now 2.
    expect(found).toMatchObject({ next: 3, first: 3, touched: [{ file: 16399 }] });
  });

  it('is also the new file of a table that was written anew, which no record of a row names', () => {
    const found = changes(WAL_ANEW, '0000000001528CA0');
    const at = { tablespace: 1663, database: 5 };
    expect(found.touched).toEqual([
      { ...at, file: 16384, made: false, written: true },
      { ...at, file: 16402, made: true, written: true },
      { ...at, file: 16396, made: true, written: false },
      // A whole database, and one in a tablespace; not what pg_waldump names of its free space.
      { ...at, database: 16404, file: 0, made: true, written: false },
      { ...at, database: 16404, file: 2619, made: true, written: false },
      { tablespace: 16385, database: 5, file: 16406, made: true, written: false },
      { tablespace: 1663, database: 16405, file: 0, made: true, written: false },
    ]);
    expect(found.gone).toEqual(['1663/5/16384 (0,1)', '1663/5/16384 (0,3)']);
  });

  it('is no file that was made by what had committed before', () => {
    const found = changes(WAL_ANEW, '0000000001546C68');
    expect(found.touched.map(({ file }) => file)).not.toContain(16396);
    expect(found.touched).toContainEqual(expect.objectContaining({ file: 16402, made: true }));
  });

  it('finds the old page of a row that moved, in the words of PostgreSQL 17 too', () => {
    const moved = (words: string) =>
      `rmgr: Heap        len (rec/tot):     69/    69, tx:        731, lsn: 0/0152AA58, prev 0/0152AA30, desc: ${words}, blkref #0: rel 1663/5/16384 blk 9, blkref #1: rel 1663/5/16384 blk 4
rmgr: Heap        len (rec/tot):     54/    54, tx:        731, lsn: 0/0152AA90, prev 0/0152AA58, desc: DELETE xmax: 731, off: 12, infobits: [KEYS_UPDATED], flags: 0x00, blkref #0: rel 1663/5/16384 blk 7
rmgr: Transaction len (rec/tot):     34/    34, tx:        731, lsn: 0/0152AAE0, prev 0/0152AAA0, desc: COMMIT 2026-11-22 03:57:22.380619 UTC`;
    for (const words of [
      'UPDATE off 3 xmax 731 flags 0x40 KEYS_UPDATED ; new off 8 xmax 0',
      'UPDATE old_xmax: 731, old_off: 3, old_infobits: [], flags: 0x01, new_xmax: 0, new_off: 8',
    ]) {
      const { gone } = changes(moved(words), '0000000000000000');
      expect(gone).toEqual(['1663/5/16384 (4,3)', '1663/5/16384 (7,12)']);
    }
  });
});

describe('a timeline', () => {
  it('has in its history where the earlier ones were left', () => {
    const text = "1\t0/5000060\tno recovery target specified\n\n2\t1A/6000000\tbefore '2026'\n";
    expect(parseTimelineHistory(text)).toEqual([
      { timeline: 1, lsn: 0x5000060n },
      { timeline: 2, lsn: 0x1a06000000n },
    ]);
  });

  it('has its WAL in files that are named after it', () => {
    const segment = 16 * 1024 * 1024;
    expect(walFileName(1, 0x5000060n, segment)).toBe('000000010000000000000005');
    expect(walFileName(18, 0x1aff000001n, segment)).toBe('000000120000001A000000FF');
    expect(walFileName(1, 0x1a40000001n, 0x40000000)).toBe('000000010000001A00000001');
    expect(walFileStart('000000120000001A000000FF', segment)).toBe(0x1aff000000n);
    expect(lsnText(0x1a06000000n)).toBe('1A/6000000');
    expect(sortableLsn(0x1a06000000n)).toBe('0000001A06000000');
  });
});
