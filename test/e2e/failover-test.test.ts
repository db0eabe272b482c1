import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseLab } from '../support/database-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import {
  ARCHIVED_NOWHERE,
  asynchronousLab,
  type FailoverSuite,
  psql,
  TABLE,
} from '../support/failover-suite.js';
import { testLabDown } from '../support/lab.js';
import { printed, recapOf } from '../support/program.js';

/*
 * The database half of `failover-test`, as far as `npm test` goes: one small lab, one replication mode, five scenarios,
 * three planted defects. The rest is `npm run soak`.
 */

let db: DatabaseLab;
let suite: FailoverSuite;

beforeAll(async () => {
  ({ db, suite } = await asynchronousLab());
});
afterAll(() => testLabDown('ft'));

/** What systemd and the servers themselves tell of what was broken. */
async function traces(): Promise<Readonly<Record<string, string>>> {
  return {
    pooler: await db.must('pool1', 'systemctl show -P InvocationID pgbouncer'),
    archive: await db.must('pool2', 'systemctl show -P InvocationID odoo-prov-pgbackrest'),
    standby: await db.sql('db2', 'select pg_postmaster_start_time()'),
    restarts: await db.must(
      'db1',
      "journalctl -q -o cat -u 'postgresql@*' | grep -c 'Scheduled restart job' || :",
    ),
    timeline: await db.sql(
      'db1',
      "checkpoint; select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int",
    ),
  };
}

describe('a cluster that is well', () => {
  it('passes five scenarios, and is as before', async () => {
    const before = await traces();
    const end = await suite.test(
      'standby-down,archive-unreachable,pgbouncer-down,primary-killed,switchover',
    );
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    expect(report.verdict).toBe('passed');
    expect(report.scenarios.map(({ scenario, verdict }) => [scenario, verdict])).toEqual([
      ['standby-down', 'survived'],
      ['archive-unreachable', 'survived'],
      ['pgbouncer-down', 'survived'],
      ['primary-killed', 'recovered'],
      ['switchover', 'recovered'],
    ]);
    expect(report.withoutOdoo).toBe('Odoo is not installed on web1');
    expect(report.afterwards.map(({ id }) => id)).toEqual([
      ...['after.primary', 'after.rows', 'after.apply'],
    ]);
    for (const { scenario, figures, marks, checks } of report.scenarios) {
      expect(figures?.acknowledged, scenario).toBeGreaterThan(50);
      expect(figures?.lost.rows, scenario).toBe(0);
      expect(marks.map(({ kind }) => kind)).toContain('fault');
      expect(checks.length, scenario).toBeGreaterThan(10);
    }
    // Not the tool's own word: all five were really broken.
    const after = await traces();
    for (const what of ['pooler', 'archive', 'standby'] as const) {
      expect(after[what], what).not.toBe(before[what]);
    }
    expect(Number(after['restarts'])).toBeGreaterThan(Number(before['restarts']));
    expect(Number(after['timeline'])).toBe(Number(before['timeline']) + 2);
  });

  it('has one primary, a standby that streams, an archive that works, and nothing of the test', async () => {
    expect(await suite.primary()).toBe('db1');
    expect(
      await db.sql('db1', "select application_name || ' ' || state from pg_stat_replication"),
    ).toBe('db2 streaming');
    expect(await db.sql('db2', 'select pg_is_in_recovery()')).toBe('t');
    // Writes a segment and waits until it is in the repository.
    const stanza =
      '--stanza=$(sed -n "s/^\\[\\([^]:]*\\)\\]$/\\1/p" /etc/pgbackrest/pgbackrest.conf | grep -vx global)';
    await db.must('db1', `cd / && runuser -u postgres -- pgbackrest ${stanza} check`);
    await suite.nothingLeft();
    await suite.unchanged();
  });
});

describe('while it runs', () => {
  /** What the inventory wants on every host and no scenario looks at. */
  const file = '/etc/apt/apt.conf.d/52odoo-prov';

  it('refuses another test, an apply with something to do, a move and a backup, by its name; not who only looks', async () => {
    const running = suite.test('standby-down,pgbouncer-down');
    await suite.untilWriting('db1');
    const second = await suite.test('pgbouncer-down');
    await db.must('pool2', `mv ${file} /var/tmp/moved`);
    const apply = await db.apply();
    const check = await db.apply('--check');
    await db.must('pool2', `mv /var/tmp/moved ${file}`);
    const move = await db.run('switchover', '--yes');
    const backup = await db.run('backup');
    const named = await db.run('backup', '--name', 'meanwhile');
    const status = await db.run('status');
    const list = await db.run('failover-test', '--list');
    const end = await running;

    for (const other of [second, apply, move, backup, named]) {
      expect(other.code, printed(other)).toBe(5);
      expect(printed(other)).toContain('a failover-test runs on this host');
      expect(printed(other)).toMatch(
        /\S+@\S+ since \d{4}-\d\d-\d\dT\S+, odoo-prov \S+, process \d+/,
      );
    }
    expect(printed(second)).not.toContain('standby-down');
    // More than that, where something is broken at that moment.
    expect(recapOf(check).changed, printed(check)).toBeGreaterThan(0);
    expect(printed(check)).not.toContain('a failover-test runs');
    expect(printed(status)).toMatch(
      /warning +a failover-test runs on pool1, pool2, db1 and db2 and breaks things\s+there on purpose: \S+@\S+\s+since/,
    );
    expect(list.code, printed(list)).toBe(0);
    expect(failures(reportOf(end))).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    await suite.unchanged();
  });
});

describe('Ctrl-C', () => {
  it('after a switchover ends soon, counts what it cut, and says how the primary is moved back', async () => {
    const promoted = `[ "$(${psql('select pg_is_in_recovery()')})" = f ]`;
    const end = await suite.interruptedAt('switchover,host-reset', {
      host: 'db2',
      script: promoted,
    });
    process.stderr.write(`  ended ${end.seconds.toFixed(0)} s after Ctrl-C\n`);
    expect(end.code, end.text).toBe(130);
    expect(end.text).toContain('1 interrupted (switchover), 1 skipped (host-reset)');
    expect(end.text).toContain('db2 is primary; db1 was, before. The way back, in this order:');
    expect(end.text).toContain(`  1  odoo-prov switchover ${db.inventory} --to db1`);
    // It was promoted once, and once is what is told.
    expect(end.text).not.toContain('cluster.timeline');
    expect(end.seconds).toBeLessThan(90);
    await suite.nothingLeft();
    await suite.mend('db1');
  });
});

describe('it fails when it should', () => {
  it('is refused, without touching anything, where a standby does not stream', async () => {
    const reload = psql('select pg_reload_conf()');
    const gone = `[ -z "$(${psql('select 1 from pg_stat_wal_receiver')})" ]`;
    const end = await suite.testWith(
      {
        host: 'db2',
        plant: `${psql("alter system set primary_conninfo = 'host=127.0.0.1 port=1'")} && ${reload}
for i in $(seq 60); do if ${gone}; then exit 0; fi; sleep 0.5; done; exit 1`,
        remove: `${psql('alter system reset primary_conninfo')} && ${reload}`,
      },
      'standby-down',
    );
    expect(end.code, printed(end)).toBe(5);
    expect(end.stderr).toContain('nothing was touched');
    expect(end.stderr).toContain('db2: not streaming');
    await suite.untilStreaming('db2');
    await suite.nothingLeft();
  });

  it('because WAL is archived nowhere, which PostgreSQL itself does not know', async () => {
    const end = await suite.testWith(ARCHIVED_NOWHERE, 'archive-unreachable');
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toEqual(['archive-unreachable archive.catches-up']);
    expect(end.stderr).toContain('the repository on pool2 does not have it');
    // As its report says: there is a hole now, behind which nothing can be restored without a newer backup.
    const saved = await db.run('backup');
    expect(saved.code, printed(saved)).toBe(0);
    await suite.unchanged();
  });

  it('because rows were removed, doubled and invented behind its back', async () => {
    const running = suite.test('pgbouncer-down');
    await suite.untilWriting('db1');
    await db.must(
      'db1',
      psql(
        `delete from ${TABLE} where client = 1 and sequence = 2; insert into ${TABLE} (client, sequence) values (2, 3), (99, 1)`,
        'acme',
      ),
    );
    const end = await running;
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toEqual([
      'pgbouncer-down writes.lost',
      'pgbouncer-down writes.lost-in-between',
      'pgbouncer-down writes.duplicated',
      'pgbouncer-down writes.invented',
    ]);
    await suite.nothingLeft();
  });
});
