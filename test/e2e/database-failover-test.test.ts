import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import { printed, recapOf, type ProgramEnd } from '../support/program.js';
import { repositoryRoot } from '../support/repository.js';

const TABLE = 'odoo_prov_failover_test.writes';

let db: DatabaseLab;

beforeAll(async () => {
  db = await databaseLab();
  const end = await db.apply();
  expect(end.code, printed(end)).toBe(0);
});

function test(...words: readonly string[]): Promise<ProgramEnd> {
  return db.run('failover-test', '--yes', '--json', ...words);
}

async function primary(): Promise<string> {
  for (const host of ['db1', 'db2', 'db3', 'db4']) {
    const answer = await db.on(host)(
      `cd / && runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()'`,
    );
    if (answer.stdout.trim() === 'f') return host;
  }
  throw new Error('no host takes writes');
}

async function unchanged(): Promise<void> {
  const end = await db.apply('--check');
  expect(end.code, printed(end)).toBe(0);
  expect(recapOf(end).changed, printed(end)).toBe(0);
}

/** Waits for a command to succeed on a host. */
async function until(host: string, script: string, seconds: number): Promise<void> {
  await db.must(
    host,
    `for i in $(seq ${String(seconds * 2)}); do if ${script}; then exit 0; fi; sleep 0.5; done; exit 1`,
  );
}

/** A query of the writers' table on a host, as a shell command that prints its answer. */
function ask(query: string): string {
  return `cd / && runuser -u postgres -- psql -XAtq -d acme -c "${query}"`;
}

describe('a cluster that is well', () => {
  it('passes every scenario of the default set, and is as before', async () => {
    const before = await primary();
    const end = await test();
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
    expect(await primary()).toBe(before);
    await unchanged();
  });

  it('passes a partition of the primary, with failover, rejoin and the way back', async () => {
    const before = await primary();
    await db.must(
      before,
      'command -v nft >/dev/null || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends nftables >/dev/null; }',
    );
    const end = await test('--scenario', 'primary-cut-off');
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    expect(report.scenarios[0]?.marks.map(({ kind }) => kind)).toContain('heal');
    expect(await primary()).toBe(before);
    await unchanged();
  });
});

describe('it fails when it should', () => {
  it('is refused, without touching anything, where a replica is down before', async () => {
    await db.must('db4', "systemctl stop 'postgresql@*'");
    const end = await test('--scenario', 'replica-down');
    expect(end.code, printed(end)).toBe(5);
    expect(end.stderr).toContain('nothing was touched');
    expect(end.stderr).toContain('db4');
    expect((await db.on('db4')("systemctl is-active 'postgresql@17-main'")).stdout).toBe(
      'inactive\n',
    );
    await db.must('db4', "systemctl start 'postgresql@17-main'");
    await until(
      'db4',
      `[ "$(${ask('select status from pg_stat_wal_receiver')})" = streaming ]`,
      60,
    );
  });

  it('because rows were removed, doubled and invented behind its back', async () => {
    const running = test('--scenario', 'replica-down');
    const host = await primary();
    await until(host, `[ "$(${ask(`select count(*) > 60 from ${TABLE}`)} 2>/dev/null)" = t ]`, 120);
    await db.must(
      host,
      ask(
        `delete from ${TABLE} where client = 1 and sequence = 2; insert into ${TABLE} (client, sequence) values (2, 3), (99, 1)`,
      ),
    );
    const end = await running;
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toEqual([
      'replica-down writes.lost',
      'replica-down writes.lost-in-between',
      'replica-down writes.duplicated',
      'replica-down writes.invented',
    ]);
  });

  it('because a replica does not follow any more when it is back', async () => {
    const host = await primary();
    // Its present connection goes on; a new one does not come through.
    await db.must(
      host,
      `command -v nft >/dev/null || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends nftables >/dev/null; }
nft -f - <<'EOF'
table inet planted {
  chain incoming {
    type filter hook input priority 0
    ip saddr ${db.address('db4')} tcp dport 5432 tcp flags syn drop
  }
}
EOF`,
    );
    const end = await test('--scenario', 'replica-down');
    await db.must(host, 'nft delete table inet planted');
    expect(end.code, printed(end)).toBe(3);
    const found = failures(reportOf(end));
    expect(found).toContain('replica-down standby.streams');
    expect(end.stderr).toContain('db4 follows on timeline');
    await until(
      'db4',
      `[ "$(${ask('select status from pg_stat_wal_receiver')})" = streaming ]`,
      60,
    );
  });

  it('because PgBouncer leads to the old primary after a switchover', async () => {
    const before = await primary();
    // Something that insists on the old file, as a forgotten configuration management does.
    await db.must(
      'pool1',
      `cp -p /etc/pgbouncer/databases.ini /run/planted.ini
systemd-run --quiet --unit=planted sh -c 'while sleep 0.2; do cmp -s /run/planted.ini /etc/pgbouncer/databases.ini || { cp -p /run/planted.ini /etc/pgbouncer/databases.ini; systemctl reload pgbouncer; }; done'`,
    );
    const end = await test('--scenario', 'switchover');
    await db.must('pool1', 'systemctl stop planted');
    expect(end.code, printed(end)).toBe(3);
    const found = failures(reportOf(end));
    expect(found).toContain('switchover writes.read-only');
    // As its report says: apply, and back.
    const mended = await db.apply();
    expect(mended.code, printed(mended)).toBe(0);
    if ((await primary()) !== before) {
      const back = await db.run('switchover', '--to', before, '--yes');
      expect(back.code, printed(back)).toBe(0);
    }
    await unchanged();
  });
});

describe('killed in the middle of a fault', () => {
  it('leaves a host that heals by itself, and refuses another run until then', async () => {
    const child = spawn(
      process.execPath,
      [
        ...[join(repositoryRoot, 'bin/odoo-prov'), 'failover-test', db.inventory, '--yes'],
        ...['--scenario', 'pgbouncer-down'],
      ],
      { stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => child.on('close', resolve));
    await until('pool1', '! systemctl is-active --quiet pgbouncer', 120);
    child.kill('SIGKILL');
    await ended;
    const second = await test('--scenario', 'pgbouncer-down');
    expect(second.code, printed(second)).toBe(5);
    expect(second.stderr).toContain('heals by itself within');
    expect((await db.on('pool1')('systemctl is-active pgbouncer')).stdout).not.toBe('active\n');
    await until('pool1', 'systemctl is-active --quiet pgbouncer', 200);
    await sleep(1000);
    await unchanged();
    const third = await test('--scenario', 'pgbouncer-down');
    expect(third.code, printed(third)).toBe(0);
    expect(
      await db.sql(
        await primary(),
        "select count(*) from pg_namespace where nspname like 'odoo_prov%'",
      ),
    ).toBe('0');
  });
});
