import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseLab } from '../support/database-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import {
  asynchronousLab,
  type FailoverSuite,
  psql,
  TABLE,
  WITH_NFT,
} from '../support/failover-suite.js';
import { printed, type ProgramEnd } from '../support/program.js';

let db: DatabaseLab;
let suite: FailoverSuite;

beforeAll(async () => {
  ({ db, suite } = await asynchronousLab());
  await db.must('db1', WITH_NFT);
  await db.must('db2', WITH_NFT);
});

/** Sequence numbers of a client's rows, by client. */
type Rows = ReadonlyMap<number, readonly number[]>;

function rowsOf(pairs: readonly (readonly [number, number])[]): Rows {
  const rows = new Map<number, number[]>();
  for (const [client, sequence] of pairs) {
    rows.set(client, [...(rows.get(client) ?? []), sequence]);
  }
  return rows;
}

/** How much may be lost, in the inventory. @param rpo seconds */
function allow(rpo: number): void {
  const text = readFileSync(db.inventory, 'utf8');
  const changed = text.replace(/\brpo: \d+/, `rpo: ${String(rpo)}`);
  expect(changed).toContain(`rpo: ${String(rpo)}`);
  writeFileSync(db.inventory, changed);
}

/**
 * From when clients have written some rows until it is promoted, the standby gets nothing from the primary, which does
 * not notice. The standby's host does this by itself, so that a slow machine does not change how much is lost.
 */
async function holdBack(): Promise<void> {
  await db.must(
    'db2',
    `cat >/run/planted.sh <<'END'
until [ "$(${psql(`select count(*) > 6 from ${TABLE}`, 'acme')} 2>/dev/null)" = t ]; do sleep 0.1; done
nft -f - <<'RULES'
table inet planted {
  chain incoming {
    type filter hook input priority 0
    ip saddr ${db.address('db1')} tcp sport 5432 drop
  }
}
RULES
until [ "$(${psql('select pg_is_in_recovery()')} 2>/dev/null)" = f ]; do sleep 0.1; done
nft delete table inet planted
END
systemd-run --quiet --collect --unit=planted sh /run/planted.sh`,
  );
}

/** What a run that moves the primary away from db1 and back leaves to be seen. */
interface LastRows {
  /** The new primary's, as they were seen last. */
  readonly kept: Rows;
  /** Those that db1 had when it was last seen on its first timeline, cut off, and that are not among them. */
  readonly lost: Rows;
}

/** Looks at the rows again and again until the run has ended and they are gone. */
async function lastRows(running: Promise<ProgramEnd>): Promise<LastRows> {
  const rows = `select client || ' ' || sequence from ${TABLE}`;
  const timeline = 'substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)';
  const first = await db.sql('db1', `select ${timeline}`);
  const ended = new AbortController();
  void running.finally(() => {
    ended.abort();
  });
  let [kept, old] = ['', ''];
  let promoted = false;
  while (!ended.signal.aborted) {
    promoted ||= (await db.on('db2')(psql('select pg_is_in_recovery()'))).stdout === 'f\n';
    const [here, there] = await Promise.all([
      db.on('db2')(psql(rows, 'acme')),
      db.on('db1')(psql(`${rows} where ${timeline} = '${first}'`, 'acme')),
    ]);
    if (promoted && here.code === 0 && here.stdout !== '') kept = here.stdout;
    if (there.code === 0 && there.stdout !== '') old = there.stdout;
    await sleep(500);
  }
  const known = new Set(kept.trim().split('\n'));
  const lost = old.trim().split('\n');
  return { kept: readRows([...known]), lost: readRows(lost.filter((row) => !known.has(row))) };
}

function readRows(lines: readonly string[]): Rows {
  return rowsOf(
    lines.map((line) => {
      const [client = NaN, sequence = NaN] = line.split(' ').map(Number);
      return [client, sequence] as const;
    }),
  );
}

function count(rows: Rows): number {
  return [...rows.values()].reduce((sum, { length }) => sum + length, 0);
}

describe('a primary that is lost with WAL that it could not archive', () => {
  /** What can be restored, by the program's own word. */
  const spans = async (): Promise<readonly string[]> => {
    const end = await db.run('backup', '--list');
    expect(end.code, printed(end)).toBe(0);
    return end.stdout.split('\n').filter((line) => line.startsWith('any moment since'));
  };
  const server = 'odoo-prov-pgbackrest';
  /** db1 is killed once db2 has received all that it wrote. */
  const losePrimary = async (): Promise<void> => {
    const end = await db.sql('db1', 'select pg_current_wal_lsn()');
    await suite.until(
      'db2',
      `[ "$(${psql(`select pg_last_wal_receive_lsn() >= '${end}'`)})" = t ]`,
      30,
    );
    await db.must('db1', "systemctl kill -s KILL 'postgresql@*'; systemctl stop 'postgresql@*'");
  };

  /** Nobody gets to the archive, and no apply mends that. */
  const cutOff = `${WITH_NFT}
nft -f - <<'RULES'
table inet planted {
  chain incoming {
    type filter hook input priority 0
    tcp dport 8432 drop
  }
}
RULES`;
  const healed = 'systemd-run --quiet --collect --on-active=20 nft delete table inet planted';
  const stop = `systemctl stop ${server}`;

  it.each([
    // What is known already is not waited for: the operator is told what does it later.
    [
      'answers again',
      stop,
      `systemctl start ${server}`,
      0,
      /archived \d+ segments that the old primary had/,
    ],
    [
      'is started by the apply at its end',
      stop,
      ':',
      0,
      /the archive answers by now, and has all its WAL/,
    ],
    ['is away still', cutOff, healed, 3, /hands over what waits by itself/],
  ])(
    'leaves no hole in the archive: the promoted standby hands over what it received; the archive %s',
    async (_, away, meanwhile, code, told) => {
      await db.must('pool2', away);
      const sent: string[] = [];
      for (let segment = 0; segment < 3; segment += 1) {
        await db.sql('db1', 'create table planted (); drop table planted');
        sent.push(await db.sql('db1', 'select pg_walfile_name(pg_switch_wal())'));
      }
      await losePrimary();
      await db.must('pool2', meanwhile);
      const moved = await db.run('failover', '--yes');
      expect(moved.code, printed(moved)).toBe(code);
      expect(printed(moved)).toMatch(told);
      const kept = 'find /var/lib/pgbackrest/archive -name';
      for (const segment of sent) {
        await suite.until('pool2', `[ -n "$(${kept} '${segment}-*')" ]`, 120);
      }
      const rejoined = await db.run('rejoin', '--host', 'db1', '--yes');
      expect(rejoined.code, printed(rejoined)).toBe(0);
      await suite.mend('db1');
      for (const span of await spans()) expect(span).toContain('up to segment');
    },
  );

  it('leaves none either where somebody promoted by hand: rejoin hands it over', async () => {
    await db.must('pool2', `systemctl stop ${server}`);
    await db.sql('db1', 'create table planted (); drop table planted');
    const segment = await db.sql('db1', 'select pg_walfile_name(pg_switch_wal())');
    await losePrimary();
    await db.sql('db2', 'select pg_promote()');
    await db.must('pool2', `systemctl start ${server}`);
    const rejoined = await db.run('rejoin', '--host', 'db1', '--yes');
    expect(rejoined.code, printed(rejoined)).toBe(0);
    expect(rejoined.stdout).toMatch(
      /db2: archived \d+ segments? that the old primary had not archived/,
    );
    await suite.until(
      'pool2',
      `[ -n "$(find /var/lib/pgbackrest/archive -name '${segment}-*')" ]`,
      5,
    );
    await suite.mend('db1');
    for (const span of await spans()) expect(span).toContain('up to segment');
  });
});

describe('a switchover while the archive takes connections and says nothing', () => {
  it('is refused before any client is held back, says what waits, and is made once it answers', async () => {
    const server = 'odoo-prov-pgbackrest';
    const dry = await db.run('switchover', '--to', 'db2', '--dry-run');
    expect(dry.stdout).toContain("see that the archive takes db1's WAL now");
    await db.must('pool2', `systemctl kill -s STOP ${server}`);
    try {
      const end = await db.run('switchover', '--to', 'db2', '--yes');
      expect(end.code, printed(end)).toBe(5);
      expect(end.stderr).toContain('the archive on pool2 does not take its WAL');
      expect(end.stderr).toMatch(/\d+ segments? waits?, the oldest since [\d: -]+ UTC/);
      expect(end.stderr).toContain('--force');
      expect(printed(end)).not.toContain('holds all clients back');
      expect(await suite.primary()).toBe('db1');
    } finally {
      await db.must('pool2', `systemctl kill -s CONT ${server}`);
    }
    await suite.until(
      'db1',
      '! ls /var/lib/postgresql/*/main/pg_wal/archive_status | grep -q ready',
      120,
    );
    const moved = await db.run('switchover', '--to', 'db2', '--yes');
    expect(moved.code, printed(moved)).toBe(0);
    expect(moved.stdout).toContain('db1: the archive takes its WAL');
    await suite.mend('db1');
  });
});

describe('asynchronous replication, the primary cut off while its standby is behind', () => {
  it('passes within the RPO: what is lost is said, and is the last that each client wrote', async () => {
    allow(30);
    await holdBack();
    const running = suite.test('primary-cut-off');
    const { kept, lost } = await lastRows(running);
    const end = await running;
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    const [one] = report.scenarios;
    expect(one?.verdict).toBe('recovered');
    const { rows = 0, seconds = 0, bytes = 0 } = one?.figures?.lost ?? {};
    process.stderr.write(`  lost: ${String(rows)} rows of ${String(seconds)} s\n`);
    expect(rows).toBeGreaterThan(20);
    expect(seconds).toBeGreaterThan(1);
    expect(bytes).toBeGreaterThan(0);

    // By another way than the ledger's: rows that the old primary had alone, and rows that the new one has.
    // A write whose answer was cut off may be among them, and was promised to nobody.
    expect(count(lost)).toBeGreaterThanOrEqual(rows);
    expect(count(lost) - rows).toBeLessThanOrEqual(one?.figures?.unknown ?? 0);
    expect([...lost.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    for (const [client, gone] of lost) {
      const there = kept.get(client) ?? [];
      const [first, last] = [Math.min(...gone), Math.max(...gone)];
      expect(there.filter((sequence) => sequence >= first && sequence <= last)).toEqual([]);
      // Rows of the timeline before the failover, all of them, and rows of the one after it.
      expect(there.filter((sequence) => sequence < first)).toHaveLength(first - 1);
      expect(there.filter((sequence) => sequence > last).length).toBeGreaterThan(10);
    }
    // They are of use to nobody, and the schema is gone.
    expect(JSON.stringify(one?.marks)).toContain('has no row that the new primary lacks');
    expect(await db.must('db1', 'ls /var/lib/odoo-prov/lost-rows')).toBe('');
    await suite.nothingLeft();
    await suite.unchanged();
  });

  it('fails when more is lost than the RPO allows, and says how much', async () => {
    allow(1);
    await holdBack();
    const end = await suite.test('primary-cut-off');
    allow(30);
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toEqual(['primary-cut-off writes.lost']);
    expect(end.stderr).toMatch(/\d+ acknowledged rows of [\d.]+ s are gone \(\d+ bytes of WAL\)/);
    expect(end.stderr).toContain('synchronous: on');
    await suite.nothingLeft();
    await suite.unchanged();
  });

  it('fails when the old primary still takes writes afterwards, and names it', async () => {
    const running = suite.test('primary-cut-off');
    await suite.untilWriting('db1');
    await db.must('db1', 'systemctl stop odoo-prov-postgres-guard');
    const end = await running;
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toEqual(['primary-cut-off primary.old-is-fenced']);
    expect(end.stderr).toContain('odoo-prov-postgres-guard');
    await suite.nothingLeft();
    await suite.unchanged();
  });
});
