import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOG_FOLDER } from '../../src/postgres/settings.js';
import { streamingOrGone, walGone } from '../../src/postgres/wal-gone.js';
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

  /** Runs shell text over the test's own logs, with a pgBackRest that ends so. */
  function run(text: string, archive = 1): string {
    const program = (name: string, lines: string): void => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    program('pgbackrest', `exit ${String(archive)}`);
    program('setpriv', 'shift 3; exec "$@"');
    const { stdout, stderr } = spawnSync('sh', ['-eus'], {
      input: text.replaceAll(LOG_FOLDER, folder),
      encoding: 'utf8',
      env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
    });
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
    expect(run(streamingOrGone('echo', 'db2', alone))).toBe(
      `it cannot follow: it lacks WAL (${SEGMENT}) that neither its primary nor the archive has; next: odoo-prov rejoin FILE --host db2 copies everything anew`,
    );
    expect(run(streamingOrGone('echo streaming', 'db2', alone))).toBe('streaming');
    log(90, removed);
    expect(run(streamingOrGone('echo waiting', 'db2', alone))).toBe('waiting');
  });
});
