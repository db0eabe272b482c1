import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import {
  ARCHIVED_NOWHERE,
  ASYNCHRONOUS,
  FailoverSuite,
  WITH_NFT,
} from '../support/failover-suite.js';
import { testLabDown } from '../support/lab.js';
import { odooProv, printed } from '../support/program.js';
import { s3Server, type S3Server } from '../support/s3-server.js';

/*
 * What `failover-test` breaks of an archive in a bucket. The lab of the suites of an archive on a host would have to be
 * moved into the bucket and back: this one is its own.
 */

const NAME = 'ftb';

let store: S3Server;
let db: DatabaseLab;
let suite: FailoverSuite;

/** @param backup undefined while the lab's own address, and so the store's, is not known */
function inventory(backup?: object): object {
  const { web1, pool1, db1, db2 } = ASYNCHRONOUS.hosts;
  return {
    ...ASYNCHRONOUS,
    postgres: { replication: { synchronous: 'off' }, ...(backup === undefined ? {} : { backup }) },
    hosts: { web1, pool1, db1, db2 },
  };
}

beforeAll(async () => {
  const { lab } = await databaseLab(NAME, inventory());
  store = await s3Server(lab.gateway, join(lab.directory, 'store'));
  const ca = join(lab.directory, 'store.pem');
  writeFileSync(ca, store.authority);
  const { endpoint, bucket, region } = store;
  db = await databaseLab(
    NAME,
    inventory({ s3: { endpoint, bucket, region, ca }, filestore: 'off' }),
  );
  for (const [name, input] of [
    ['s3-key', store.key],
    ['s3-secret', store.secret],
  ] as const) {
    const end = await odooProv(['secrets', db.inventory, 'set', name], { input });
    expect(end.code, printed(end)).toBe(0);
  }
  const end = await db.apply();
  expect(end.code, printed(end)).toBe(0);
  await db.moveTo('db1');
  await db.must('db1', WITH_NFT);
  suite = new FailoverSuite(db, ['db1', 'db2']);
});
afterAll(async () => {
  await store.close();
  await testLabDown(NAME);
});

describe('an archive in a bucket', () => {
  it('that cannot be reached is survived, and has everything afterwards', async () => {
    const failed = 'select failed_count from pg_stat_archiver';
    const before = Number(await db.sql('db1', failed));
    const end = await suite.test('archive-unreachable');
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    const [one] = report.scenarios;
    expect(one?.verdict).toBe('survived');
    expect(one?.marks.find(({ kind }) => kind === 'fault')?.host).toBe('db1');
    // PostgreSQL's own word that it was broken.
    expect(Number(await db.sql('db1', failed))).toBeGreaterThan(before);
    expect((await db.on('db1')('nft list table inet odoo_prov_failover_test')).code).toBe(1);
    await suite.nothingLeft();
    await suite.unchanged();
  });

  it('that is written nowhere is found, although PostgreSQL does not know', async () => {
    const end = await suite.testWith(ARCHIVED_NOWHERE, 'archive-unreachable');
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toEqual(['archive-unreachable archive.catches-up']);
    expect(end.stderr).toContain(`in the bucket ${store.bucket} does not have it`);
    // As its report says: any backup is enough, the next one lies behind the gap.
    const saved = await db.run('backup');
    expect(saved.code, printed(saved)).toBe(0);
    await suite.unchanged();
  });

  it('gives the rows of moments before and after a switchover, on a host that is named', async () => {
    const scenario = ['--scenario', 'point-in-time-recovery', '--yes', '--json'];
    const nowhere = await db.run('failover-test', ...scenario);
    expect(reportOf(nowhere).skipped[0]?.why).toContain('--on HOST');
    const end = await db.run('failover-test', ...scenario, '--on', 'web1');
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    expect(report.scenarios[0]?.checks.filter(({ id }) => id.startsWith('copy.'))).toHaveLength(6);
    expect((await db.on('web1')('ls -d /var/lib/postgresql/.odoo-prov-scratch')).code).toBe(2);
    await suite.unchanged();
  });
});
