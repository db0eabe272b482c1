import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import { FailoverSuite, WITH_NFT } from '../support/failover-suite.js';
import { printed } from '../support/program.js';

const HOSTS = ['db1', 'db2', 'db3', 'db4'];

let db: DatabaseLab;
let suite: FailoverSuite;

beforeAll(async () => {
  db = await databaseLab();
  const end = await db.apply();
  expect(end.code, printed(end)).toBe(0);
  suite = new FailoverSuite(db, HOSTS);
});

describe('a cluster that is well', () => {
  it('passes every scenario of the default set, and is as before', async () => {
    const before = await suite.primary();
    const end = await suite.test();
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    expect(report.verdict).toBe('passed');
    expect(report.scenarios.map(({ scenario, verdict }) => [scenario, verdict])).toEqual([
      ['replica-down', 'survived'],
      ['standby-down', 'survived'],
      ['pgbouncer-down', 'recovered'],
      ['primary-killed', 'recovered'],
      ['primary-frozen', 'recovered'],
      ['switchover', 'recovered'],
    ]);
    // The scenarios of Odoo, since web1 is bare.
    expect(report.withoutOdoo).toBe('Odoo is not installed on web1');
    const own = report.skipped.filter(({ why }) => why !== report.withoutOdoo);
    expect(own).toEqual([{ scenario: 'archive-unreachable', why: 'postgres.backup is not set' }]);
    expect(report.skipped.map(({ scenario }) => scenario)).toContain('app-down');
    for (const { figures } of report.scenarios) {
      expect(figures?.acknowledged).toBeGreaterThan(50);
      expect(figures?.lost.rows).toBe(0);
    }
    expect(await suite.primary()).toBe(before);
    await suite.unchanged();
  });

  it('passes a partition of the primary, with failover, rejoin and the way back', async () => {
    const before = await suite.primary();
    await db.must(before, WITH_NFT);
    const end = await suite.test('primary-cut-off');
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    expect(report.scenarios[0]?.marks.map(({ kind }) => kind)).toContain('heal');
    expect(await suite.primary()).toBe(before);
    await suite.unchanged();
  });

  it('is only healed by Ctrl-C where the failover has not begun: nobody is promoted', async () => {
    const before = await suite.primary();
    const end = await suite.interruptedAt('primary-cut-off', /is cut off from the network/);
    expect(end.code, end.text).toBe(130);
    expect(end.text).toContain(`${before} is primary, as before.`);
    expect(end.text).not.toContain('holds all clients back');
    expect(await suite.primary()).toBe(before);
    await suite.nothingLeft();
    await suite.unchanged();
  });
});

describe('it fails when it should', () => {
  it('because PgBouncer leads to the old primary after a switchover', async () => {
    const before = await suite.primary();
    // Something that insists on the old file, as a forgotten configuration management does.
    const end = await suite.testWith(
      {
        host: 'pool1',
        plant: `cp -p /etc/pgbouncer/databases.ini /run/planted.ini
systemd-run --quiet --unit=planted sh -c 'while sleep 0.2; do cmp -s /run/planted.ini /etc/pgbouncer/databases.ini || { cp -p /run/planted.ini /etc/pgbouncer/databases.ini; systemctl reload pgbouncer; }; done'`,
        remove: 'systemctl stop planted',
      },
      'switchover',
    );
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toContain('switchover writes.read-only');
    expect(end.stderr).toMatch(/writes through pool1 were answered with SQLSTATE 25006/);
    // As its report says: apply, and back.
    await suite.mend(before);
  });

  it('because sessions are told that their writes are saved while the only standby is away', async () => {
    const before = await suite.primary();
    const written = readFileSync(db.inventory, 'utf8');
    const inventory = parseDocument(written);
    inventory.setIn(['hosts', 'db3', 'roles'], ['pg-replica']);
    writeFileSync(db.inventory, inventory.toString());
    const converged = await db.apply();
    expect(converged.code, printed(converged)).toBe(0);
    const well = await suite.test('standby-down');
    expect(failures(reportOf(well))).toEqual([]);
    expect(reportOf(well).scenarios[0]?.verdict).toBe('recovered');

    const running = suite.test('standby-down');
    await suite.untilWriting(before);
    const file = '/etc/pgbouncer/databases.ini';
    await db.must(
      'pool1',
      `cp -p ${file} /run/planted.ini
sed -i "s/^acme = .*/& connect_query='set synchronous_commit = off'/" ${file}
systemctl reload pgbouncer`,
    );
    const others = `select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'odoo'`;
    await db.sql(before, others);
    const end = await running;
    await db.must('pool1', `cp -p /run/planted.ini ${file} && systemctl reload pgbouncer`);
    await db.sql(before, others);
    writeFileSync(db.inventory, written);
    const back = await db.apply();
    expect(back.code, printed(back)).toBe(0);
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toContain('standby-down writes.held');
    expect(end.stderr).toMatch(/\d+ writes that began after the fault were confirmed before/);
    await suite.unchanged();
  });

  it('because a replica stays on the old timeline after a switchover, and names it', async () => {
    const before = await suite.primary();
    // It goes on with the present primary; whoever is promoted does not let it in.
    const others = HOSTS.filter((host) => host !== before && host !== 'db4');
    for (const host of others) {
      await db.must(
        host,
        `${WITH_NFT}
nft -f - <<'RULES'
table inet planted {
  chain incoming {
    type filter hook input priority 0
    ip saddr ${db.address('db4')} tcp dport 5432 tcp flags syn drop
  }
}
RULES`,
      );
    }
    const end = await suite.test('switchover');
    for (const host of others) await db.must(host, 'nft delete table inet planted');
    expect(end.code, printed(end)).toBe(3);
    const wrong = reportOf(end).scenarios[0]?.checks.find(
      ({ id, ok, text }) => !ok && id === 'standby.streams' && text.startsWith('db4 '),
    );
    const timeline = Number(/on timeline (\d+)/.exec(wrong?.text ?? '')?.[1]);
    expect(wrong?.found).toContain(`timeline ${String(timeline - 1)},`);
    await suite.untilStreaming('db4');
    await suite.mend(before);
  });
});
