import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOG_FOLDER } from '../../src/postgres/settings.js';
import { streamingOrGone, walGone } from '../../src/postgres/wal-gone.js';
import { fakeProgram, runShell } from '../support/fake-programs.js';
import { testCluster, testHost } from '../support/site.js';

const SEGMENT = '000000020000000000000016';
const db = testHost('db2', 71, ['pg-standby']);
const alone = testCluster([db]);
const backup = {
  host: 'backup1',
  full: 'Sun *-*-* 01:00:00',
  diff: 'Mon..Sat *-*-* 01:00:00',
  keep: 2,
  path: '/var/lib/pgbackrest',
};
const archived = testCluster([db, testHost('backup1', 61, [])], {
  postgres: { ...alone.postgres, backup },
});

describe('WAL that a standby lacks for good', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wal-gone-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function log(secondsAgo: number, text: string): void {
    const time = new Date(Date.now() - secondsAgo * 1000);
    const at = time.toISOString().replace('T', ' ').replace('Z', ' GMT');
    writeFileSync(join(folder, 'postgresql-Mon.log'), `${at} [7] FATAL:  ${text}\n`);
  }

  /** Runs shell text over the test's own logs, with a pgBackRest that ends so, and so much room. */
  function run(text: string, archive = 1, kilobytes = 900_000): string {
    fakeProgram(folder, 'pgbackrest', `exit ${String(archive)}`);
    fakeProgram(folder, 'setpriv', 'shift 3; exec "$@"');
    fakeProgram(folder, 'df', `echo head; echo disk 0 0 ${String(kilobytes)} 99% "$2"`);
    const { stdout, stderr } = runShell(folder, text.replaceAll(LOG_FOLDER, folder));
    expect(stderr).toBe('');
    return stdout.trim();
  }

  const removed = `could not receive data from WAL stream: ERROR:  requested WAL segment ${SEGMENT} has already been removed`;

  it('is what its log has asked for in vain, and the archive has not', () => {
    log(2, removed);
    expect(run(walGone(alone).render())).toBe(SEGMENT);
    expect(run(walGone(archived).render(), 1)).toBe(SEGMENT);
  });

  it('is not known where the archive has it, or does not answer', () => {
    log(2, removed);
    expect(run(walGone(archived).render(), 0)).toBe('');
    expect(run(walGone(archived).render(), 82)).toBe('');
  });

  it('is not known by what was long ago, or of another matter, or without a log', () => {
    log(90, removed);
    expect(run(walGone(alone).render())).toBe('');
    log(2, 'could not start WAL streaming: ERROR:  replication slot "db2" does not exist');
    expect(run(walGone(alone).render())).toBe('');
    rmSync(join(folder, 'postgresql-Mon.log'));
    expect(run(walGone(alone).render())).toBe('');
  });

  it('is told in place of the state of a receiver, and not looked for while that streams', () => {
    log(2, removed);
    expect(run(streamingOrGone('echo', 'db2', '/data', alone))).toBe(
      `it cannot follow: it lacks WAL (${SEGMENT}) that neither its primary nor the archive has; next: odoo-prov rejoin FILE --host db2 copies everything anew`,
    );
    expect(run(streamingOrGone('echo streaming', 'db2', '/data', alone))).toBe('streaming');
    log(90, removed);
    expect(run(streamingOrGone('echo waiting', 'db2', '/data', alone))).toBe('waiting');
  });

  const full = 'could not write to file "pg_wal/xlogtemp.77": No space left on device';
  const look = streamingOrGone('echo', 'db2', '/data', alone);

  it('is not all that keeps one from following: a full disk is told, and to make room', () => {
    log(4, full);
    expect(run(look, 1, 3100)).toBe(
      'it cannot follow: the disk is full (/data/pg_wal: 3 MB left); next: make room there, then odoo-prov apply FILE: it follows by itself as soon as there is room',
    );
  });

  it('is told of no full disk once there is room, or where its log has not said so of late', () => {
    log(4, full);
    expect(run(look)).toBe('');
    log(30, full);
    expect(run(look, 1, 3100)).toBe('');
    log(4, "unable to write '/srv/repo/x': [28] No space left on device");
    expect(run(look, 1, 3100)).toBe('');
  });
});
