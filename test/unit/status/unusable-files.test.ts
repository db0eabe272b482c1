import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judge } from '../../../src/status/rules.js';
import { parseUnusable, unusableProbe } from '../../../src/status/unusable-files.js';
import type { Cluster } from '../../../src/inventory/cluster.js';
import { testCluster, testHost } from '../../support/site.js';
import { RECORDED, STOPPED_DATABASES } from './recorded.js';
import { db1, front, seen } from './statuses.js';

const first = testHost('db1', 71, ['pg-primary']);
const keeper = testHost('backup1', 61, []);
const lone = testCluster([first, keeper]);
const two = testCluster([first, testHost('db2', 72, ['pg-standby']), keeper]);
const backup = {
  host: 'backup1',
  full: 'Sun *-*-* 01:00:00',
  diff: 'Mon..Sat *-*-* 01:00:00',
  keep: 2,
  path: '/var/lib/pgbackrest',
};
const archiving = (cluster: Cluster): Cluster => ({
  ...cluster,
  postgres: { ...cluster.postgres, backup },
});

describe('files that PostgreSQL will need', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unusable-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const put = (name: string, mode: number): void => {
    const path = join(folder, name);
    writeFileSync(path, 'x');
    chmodSync(path, mode);
  };

  /** What a host whose files are those of the folder tells of a cluster's. */
  function found(cluster: Cluster): readonly string[] {
    const programs = join(folder, 'bin');
    mkdirSync(programs, { recursive: true });
    writeFileSync(join(programs, 'setpriv'), '#!/bin/sh\nshift 3; exec "$@"\n');
    chmodSync(join(programs, 'setpriv'), 0o755);
    const { stdout, stderr } = spawnSync('sh', ['-us'], {
      input: unusableProbe(cluster)
        .render()
        .replaceAll('/usr/lib/odoo-prov', folder)
        .replaceAll('/var/lib/postgresql', folder),
      encoding: 'utf8',
      env: { ...process.env, PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}` },
    });
    expect(stderr).toBe('');
    return parseUnusable(stdout).map(({ path, why }) => `${path.slice(folder.length + 1)}: ${why}`);
  }

  it('are asked for where the cluster has a use for them', () => {
    expect(found(lone)).toEqual([]);
    expect(found(archiving(lone))).toEqual(['fetch-wal: missing']);
    const replicating = ['past-fork', 'postgres-guard', '.odoo-prov-pgpass'];
    expect(found(two)).toEqual(replicating.map((name) => `${name}: missing`));
    expect(found(archiving(two))).toEqual(
      ['fetch-wal', ...replicating].map((name) => `${name}: missing`),
    );
  });
  it('are of use with the modes that apply gives them, and not with others', () => {
    const programs = ['fetch-wal', 'past-fork', 'postgres-guard'];
    for (const name of programs) put(name, 0o755);
    put('.odoo-prov-pgpass', 0o600);
    expect(found(archiving(two))).toEqual([]);
    for (const name of programs) put(name, 0o644);
    put('.odoo-prov-pgpass', 0o640);
    expect(found(archiving(two))).toEqual([
      ...programs.map((name) => `${name}: not executable`),
      '.odoo-prov-pgpass: open to others, so PostgreSQL does not read it',
    ]);
  });
  it('are a warning, of a server that runs and of one that is down, and no word where there is no database', () => {
    const unusable =
      '/usr/lib/odoo-prov/fetch-wal\tmissing\n/var/lib/postgresql/.odoo-prov-pgpass\tnot readable by postgres\n';
    const alert = {
      severity: 'warning',
      id: 'postgres.unusable',
      host: 'front',
      message:
        'PostgreSQL on front cannot use /usr/lib/odoo-prov/fetch-wal (missing) and /var/lib/postgresql/.odoo-prov-pgpass (not readable by postgres): its next start, log-in at a primary or fetch of WAL may fail',
      next: 'odoo-prov apply FILE --limit front',
    };
    const well = judge(seen(db1(), front(RECORDED.streaming.standby, { unusable })));
    expect(well).toEqual({ alerts: [alert], exitCode: 0 });
    const down = front('down', { databases: STOPPED_DATABASES, unusable });
    expect(judge(seen(db1(), down)).alerts).toContainEqual(alert);
    const empty = front('absent', { unusable });
    expect(judge(seen(db1(), empty)).alerts).not.toContainEqual(alert);
  });
  it('in another form are not guessed', () => {
    expect(() => parseUnusable('/usr/lib/odoo-prov/fetch-wal\n')).toThrow(/not "path, why"/);
  });
});
