import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { networkCut, networkHeal, powerCut, powerOn } from '../../src/lab/index.js';
import { statePath, type ClusterState } from '../../src/state/cluster-state.js';
import { PGBOUNCER_CONSOLE } from '../../src/odoo/pgbouncer.js';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { WITH_NFT } from '../support/failover-suite.js';
import { changed } from '../support/host-state.js';
import {
  hostRecaps,
  odooProv,
  printed,
  recapOf,
  type JsonEvent,
  type ProgramEnd,
} from '../support/program.js';
import { repositoryRoot } from '../support/repository.js';
import { longestGap, missing, startWriters } from '../support/writers.js';

const DATABASES = ['db1', 'db2', 'db3', 'db4'];
const CLIENTS = 8;

let db: DatabaseLab;

beforeAll(async () => {
  db = await databaseLab();
});

/** Who takes writes, by the servers' own word. */
async function primaries(hosts: readonly string[] = DATABASES): Promise<readonly string[]> {
  const answers = await Promise.all(
    hosts.map(async (host) => {
      const { stdout } = await db.on(host)(
        `cd / && runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()'`,
      );
      return stdout.trim() === 'f' ? [host] : [];
    }),
  );
  return answers.flat();
}

async function unchanged(): Promise<void> {
  // What systemd is still starting is a difference until it runs.
  const started = '[ -z "$(systemctl list-jobs --no-legend)" ]';
  await Promise.all([...DATABASES, 'pool1'].map((host) => until(host, started, 120)));
  const end = await db.apply();
  expect(end.code, printed(end)).toBe(0);
  expect(recapOf(end).changed, printed(end)).toBe(0);
}

function refused(end: ProgramEnd, words: string): void {
  expect(end.code, printed(end)).toBe(5);
  expect(end.stderr).toContain(words);
}

/** Waits until a host says so. */
async function until(host: string, script: string, seconds: number): Promise<void> {
  await db.must(
    host,
    `for i in $(seq ${String(seconds * 2)}); do if ${script}; then exit 0; fi; sleep 0.5; done; exit 1`,
  );
}

/** A client gets through to a server; PgBouncer waits 15 s after a server did not answer. */
const POOL_ANSWERS = `PGPASSFILE=/etc/odoo-prov/pgbouncer.pgpass psql -XAtqw -h 127.0.0.1 -p 6432 -U odoo -d acme -c 'select 1' >/dev/null 2>&1`;

const standbys =
  "select string_agg(application_name, ' ' order by application_name) from pg_stat_replication";

/** Why a host failed in an apply. */
function failureOf(applied: ProgramEnd, host: string): JsonEvent['failure'] {
  return applied.events.find((event) => event.type === 'host-failed' && event.host === host)
    ?.failure;
}

/** Shell words: a query to the server there. */
function psql(query: string): string {
  return `(cd / && runuser -u postgres -- psql -XAtqc "${query}")`;
}

/** Kills a rejoin while a program of PostgreSQL's runs there, some seconds longer than it needs. @param seen what is done then */
async function killedIn(
  host: string,
  program: 'pg_rewind' | 'pg_basebackup',
  words: readonly string[],
  seen: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const path = `$(ls -d /usr/lib/postgresql/*/bin)/${program}`;
  await db.must(
    host,
    `program=${path}
mv "$program" "$program.real"
printf '#!/bin/sh\\nsleep 8\\nexec %s.real "$@"\\n' "$program" >"$program"
chmod 755 "$program"`,
  );
  const child = spawn(
    process.execPath,
    [join(repositoryRoot, 'bin/odoo-prov'), 'rejoin', db.inventory, ...words, '--yes'],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => child.on('close', resolve));
  await until(host, `pgrep -x ${program} >/dev/null`, 60);
  child.kill('SIGKILL');
  await ended;
  await seen();
  await until(host, '[ -e /var/lib/postgresql/*/main/standby.signal ]', 60);
  await db.must(host, `program=${path}; mv "$program.real" "$program"`);
}

describe('a primary, two standbys and a replica, from bare hosts', () => {
  it('converge, and stream', async () => {
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(
      await db.sql(
        'db1',
        "select string_agg(application_name, ' ' order by application_name) from pg_stat_replication where state = 'streaming'",
      ),
    ).toBe('db2 db3 db4');
    expect(await primaries()).toEqual(['db1']);
  });

  it('change nothing the second time, over one connection and one exec per host', async () => {
    const end = await db.apply();
    for (const host of [...DATABASES, 'pool1']) {
      expect(hostRecaps(end)[host]).toMatchObject({
        changed: 0,
        wire: { connections: 1, execs: 1 },
      });
    }
  });

  it('wait for a standby with each commit, never for the replica', async () => {
    const states =
      "select application_name || ' ' || sync_state from pg_stat_replication order by 1";
    expect(await db.sql('db1', states)).toBe('db2 quorum\ndb3 quorum\ndb4 async');
  });

  it('show a row on all of them', async () => {
    await db.sql('db1', 'create table seen (n int); insert into seen values (42)');
    for (const host of DATABASES) {
      await until(
        host,
        `[ "$(cd / && runuser -u postgres -- psql -XAtqc 'select n from seen')" = 42 ]`,
        20,
      );
    }
  });

  it('let a standby that was cut off catch up without a clone', async () => {
    const identity = 'stat -c %W:%i /var/lib/postgresql/*/main/PG_VERSION';
    const before = await db.must('db2', identity);
    await powerCut(db.lab, 'db2');
    await db.sql('db1', 'insert into seen select generate_series(1, 20000)');
    await powerOn(db.lab, 'db2');
    await until(
      'db2',
      `[ "$(cd / && runuser -u postgres -- psql -XAtqc 'select count(*) from seen')" = 20001 ]`,
      60,
    );
    expect(await db.must('db2', identity)).toBe(before);
    await unchanged();
  });
});

describe('a primary whose host loses its power, when nobody takes over', () => {
  const WRITABLE = `[ "$(cd / && runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()' 2>/dev/null)" = f ]`;
  const STANDBYS = ['db2', 'db3', 'db4'];

  it('takes writes again by itself: the others say that they are standbys still', async () => {
    await powerCut(db.lab, 'db1');
    const away = await db.apply();
    expect(away.code, printed(away)).toBe(4);
    expect(away.stderr).toContain(
      `db1, the primary, cannot be reached: odoo-prov status ${db.inventory} shows the state; if db1 is lost, odoo-prov failover ${db.inventory} promotes a standby`,
    );
    await powerOn(db.lab, 'db1');
    await until('db1', WRITABLE, 60);
    await until('db1', `${psql(standbys)} | grep -qx 'db2 db3 db4'`, 60);
    await until('pool1', POOL_ANSWERS, 60);
    await unchanged();
  });

  it('restarts alone, but after a power cut waits for the others, or for a word that counts once', async () => {
    await Promise.all(STANDBYS.map((host) => powerCut(db.lab, host)));
    await db.must('db1', "systemctl restart 'postgresql@*'");
    await until('db1', WRITABLE, 30);
    await powerCut(db.lab, 'db1');
    await powerOn(db.lab, 'db1');
    const waits = "journalctl -q -b -u 'postgresql@*' | sed -n 's/.*start it all the same: //p'";
    await until('db1', `[ -n "$(${waits})" ]`, 60);
    expect((await db.on('db1')('ss -Htln sport = :5432')).stdout).toBe('');
    const [command = ''] = (await db.must('db1', waits)).split('\n');
    await db.must('db1', command);
    await until('db1', WRITABLE, 60);
    expect((await db.on('db1')('ls /run/odoo-prov/postgres-lone-start')).code).toBe(2);
    await Promise.all(STANDBYS.map((host) => powerOn(db.lab, host)));
    await until('db1', `${psql(standbys)} | grep -qx 'db2 db3 db4'`, 90);
    await until('pool1', POOL_ANSWERS, 60);
    await unchanged();
  });
});

describe('clients that a broken move left held back', () => {
  it('are let through again by apply', async () => {
    await db.must('pool1', `${PGBOUNCER_CONSOLE} -c 'KILL "acme"'`);
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(changed(end).filter((key) => !key.includes('check:'))).toEqual([
      'pool1 pgbouncerDatabase:acme',
    ]);
    await unchanged();
  });
});

describe('a planned move of the primary', () => {
  it('shows its steps first, and does nothing', async () => {
    const end = await db.run('switchover', '--to', 'db2', '--dry-run');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('promote db2');
    expect(await primaries()).toEqual(['db1']);
  });

  it('is refused where standbys that stream could not log in anew, and changes nothing', async () => {
    const validUntil = (time: string): Promise<string> =>
      db.sql('db1', `alter role replicator valid until '${time}'`);
    await validUntil('2020-01-01');
    refused(
      await db.run('switchover', '--to', 'db2', '--yes'),
      'the role replicator lets nobody in',
    );
    expect(await primaries()).toEqual(['db1']);
    await validUntil('infinity');
    await unchanged();
  });

  it('loses nothing of what eight clients were told to be safe', async () => {
    const writers = await startWriters(db, CLIENTS);
    await sleep(2000);
    const end = await db.run('switchover', '--to', 'db2', '--yes');
    await sleep(2000);
    const acknowledged = await writers.stop();
    expect(end.code, printed(end)).toBe(0);
    expect(await primaries()).toEqual(['db2']);
    expect(new Set(acknowledged.map(({ client }) => client)).size).toBe(CLIENTS);
    expect(await missing(db, 'db2', acknowledged)).toEqual([]);
    console.log(
      `switchover: the longest time without a write was ${longestGap(acknowledged).toFixed(1)} s`,
    );
  });

  it('is what apply then finds: it changes nothing, and the old primary is a standby', async () => {
    await unchanged();
    expect(await db.sql('db1', 'select status from pg_stat_wal_receiver')).toBe('streaming');
    expect(await db.sql('db2', standbys)).toBe('db1 db3 db4');
  });
});

describe('a standby without the slots of the others, as a rejoin that was killed leaves it', () => {
  it('is promoted with them: writes go on, all follow, and apply changes nothing', async () => {
    await db.sql('db1', 'select pg_drop_replication_slot(slot_name) from pg_replication_slots');
    const writers = await startWriters(db, CLIENTS);
    await sleep(2000);
    const end = await db.run('switchover', '--to', 'db1', '--yes');
    await sleep(2000);
    const acknowledged = await writers.stop();
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('db1: made replication slots that it lacked: db2, db3, db4');
    expect(await missing(db, 'db1', acknowledged)).toEqual([]);
    const gap = longestGap(acknowledged);
    console.log(
      `switchover without slots: the longest time without a write was ${gap.toFixed(1)} s`,
    );
    expect(gap).toBeLessThan(20);
    await until('db1', `${psql(standbys)} | grep -qx 'db2 db3 db4'`, 30);
    await unchanged();
    await db.moveTo('db2');
    await unchanged();
  });
});

describe('a failover', () => {
  it('is refused while the primary is alive, and without a fence', async () => {
    refused(await db.run('failover', '--yes'), 'is alive and takes writes');
    await networkCut(db.lab, 'db2');
    refused(await db.run('failover', '--yes'), '--confirm-dead db2');
    await networkHeal(db.lab, 'db2');
    expect(await primaries()).toEqual(['db2']);
  });

  it('is refused while a PgBouncer cannot be told', async () => {
    await networkCut(db.lab, 'pool1');
    refused(await db.run('failover', '--force', '--yes'), 'could go on leading clients');
    await networkHeal(db.lab, 'pool1');
    expect(await primaries()).toEqual(['db2']);
  });

  it('after a power cut loses nothing that was acknowledged', async () => {
    await until('pool1', POOL_ANSWERS, 60);
    // For five minutes from now the control files of the standbys do not learn that another has taken over.
    for (const host of ['db2', 'db1', 'db3', 'db4']) await db.sql(host, 'checkpoint');
    const writers = await startWriters(db, CLIENTS);
    await sleep(2000);
    await powerCut(db.lab, 'db2');
    const end = await db.run('failover', '--confirm-dead', 'db2', '--yes');
    await sleep(2000);
    const acknowledged = await writers.stop();
    expect(end.code, printed(end)).toBe(0);
    const [primary = '', ...more] = await primaries(['db1', 'db3', 'db4']);
    expect(['db1', 'db3']).toContain(primary);
    expect(more).toEqual([]);
    expect(await missing(db, primary, acknowledged)).toEqual([]);
    console.log(
      `failover: the longest time without a write was ${longestGap(acknowledged).toFixed(1)} s`,
    );
  });

  it('leaves an old primary that comes back refused by its own guard, without the tool, also while it sees standbys only', async () => {
    const [primary = ''] = await primaries(['db1', 'db3', 'db4']);
    const followers = ['db1', 'db3', 'db4'].filter((host) => host !== primary);
    await networkCut(db.lab, primary);
    const receives = psql('select received_tli from pg_stat_wal_receiver');
    for (const host of followers) await until(host, `[ -z "$( ${receives})" ]`, 60);
    await powerOn(db.lab, 'db2');
    const journal = "journalctl -q -b -u 'postgresql@*'";
    await until('db2', `${journal} | grep -q 'stays down: fenced'`, 90);
    expect(await db.must('db2', journal)).toMatch(/stays down: \S+ knows timeline \d+, this data/);
    expect((await db.on('db2')('ss -Htln sport = :5432')).stdout).toBe('');
    await networkHeal(db.lab, primary);
    for (const host of followers) await until(host, `[ -n "$( ${receives})" ]`, 60);
    // Its server is asked for again every few seconds, and now it sees who took over.
    await until(
      'db2',
      `${journal} | grep 'stays down: fenced' | grep -q 'Next: odoo-prov rejoin$'`,
      60,
    );
  });

  it('takes it back by a rewind, also where the program was killed in the middle of it; then apply changes nothing', async () => {
    await killedIn('db2', 'pg_rewind', []);
    const end = await db.run('rejoin', '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('db2: it has been rewound already');
    expect(end.stdout).not.toContain('stop PostgreSQL');
    expect(await db.sql('db2', 'select status from pg_stat_wal_receiver')).toBe('streaming');
    await unchanged();
  });

  it('leaves no fence behind where a rejoin was killed at its end, and apply starts the standby', async () => {
    const fence = '/var/lib/odoo-prov/postgres-fenced';
    await db.must('db2', `systemctl stop 'postgresql@*' && echo 'being made a standby' >${fence}`);
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect((await db.on('db2')(`ls ${fence}`)).code).toBe(2);
    await unchanged();
  });
});

describe('a primary that was cut off, and did not notice that another took over', () => {
  it('is stopped by its own guard when the network is back, and rejoins by a clone where it cannot be rewound', async () => {
    const [old = ''] = await primaries();
    await networkCut(db.lab, old);
    const end = await db.run('failover', '--confirm-dead', old, '--yes');
    expect(end.code, printed(end)).toBe(0);
    await networkHeal(db.lab, old);
    await until(old, "! systemctl is-active --quiet 'postgresql@*'", 60);
    expect(await primaries()).toHaveLength(1);
    // Without the WAL since the fork nothing can be rewound.
    await db.must(old, 'rm -f /var/lib/postgresql/*/main/pg_wal/0000*');
    const stuck = await db.run('rejoin', '--yes');
    expect(stuck.code, printed(stuck)).toBe(3);
    expect(stuck.stderr).toContain('--no-save');
    expect(await primaries()).toHaveLength(1);
    const kept = 'find /var/lib/postgresql/*/ -maxdepth 1 -name "main.before-rejoin-*" | wc -l';
    const before = Number(await db.must(old, kept));
    const back = await db.run('rejoin', '--no-save', '--yes');
    expect(back.code, printed(back)).toBe(0);
    expect(back.stdout).toContain('copied everything from the primary');
    expect(Number(await db.must(old, kept))).toBe(before + 1);
    expect(await db.sql(old, 'select status from pg_stat_wal_receiver')).toBe('streaming');
    await unchanged();
  });
});

describe('a primary that stands still', () => {
  it('is failed over without --force and without a word that it is dead; the old one is sent to rejoin', async () => {
    const [old = ''] = await primaries();
    await db.must(old, "systemctl kill -s STOP 'postgresql@*'");
    const end = await db.run('failover', '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain(
      `stop PostgreSQL on ${old}, which does not answer, and keep it down`,
    );
    expect(await primaries()).toHaveLength(1);
    for (const words of [['--check'], []]) {
      const sent = await db.apply(...words);
      expect(sent.code, printed(sent)).toBe(3);
      expect(sent.stdout).toContain(`odoo-prov rejoin ${db.inventory} --host ${old}`);
      expect(recapOf(sent).changed, printed(sent)).toBe(0);
    }
    const back = await db.run('rejoin', '--yes');
    expect(back.code, printed(back)).toBe(0);
    await unchanged();
  });
});

describe('a primary that is lost after the role by which standbys log in has expired', () => {
  it('is failed over without a wait for those who cannot log in: the apply at the end opens it, and they follow', async () => {
    const [old = ''] = await primaries();
    await db.sql(old, "alter role replicator valid until '2020-01-01'");
    await db.must(old, "systemctl kill -s STOP 'postgresql@*'");
    const end = await db.run('failover', '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('the role replicator lets nobody in (VALID UNTIL 2020-01-01');
    expect(end.stdout).not.toMatch(/after [2-9]0 s: follow the new primary/);
    const [primary = ''] = await primaries();
    const others = DATABASES.filter((host) => host !== old && host !== primary).join(' ');
    await until(primary, `${psql(standbys)} | grep -qx '${others}'`, 30);
    const back = await db.run('rejoin', '--yes');
    expect(back.code, printed(back)).toBe(0);
    await unchanged();
  });
});

describe('a standby that lacks what another one has', () => {
  it('fetches it before it is promoted: nothing that was acknowledged is lost, and the others follow', async () => {
    const [old = ''] = await primaries();
    const [behind = '', ahead = ''] = ['db1', 'db2', 'db3'].filter((host) => host !== old);
    await db.sql(old, 'create table fetched (n int)');
    // It receives nothing any more, and commits wait for the other one alone.
    await db.must(
      behind,
      `${WITH_NFT}
nft -f - <<'RULES'
table inet planted {
  chain incoming {
    type filter hook input priority 0
    ip saddr ${db.address(old)} tcp sport 5432 drop
  }
}
RULES`,
    );
    await db.sql(old, 'insert into fetched select generate_series(1, 1000)');
    await powerCut(db.lab, old);
    // It does not get to the others either (the replica may have as much): what was acknowledged is not given up.
    for (const host of [ahead, 'db4']) {
      await db.must(
        behind,
        `nft add rule inet planted incoming ip saddr ${db.address(host)} tcp sport 5432 drop`,
      );
    }
    // Those that have it are stopped: nobody is left behind by mistake who only has to be started.
    for (const host of [ahead, 'db4']) await db.must(host, "systemctl stop 'postgresql@*'");
    const left = await db.run('failover', '--confirm-dead', old, '--yes');
    expect(left.code, printed(left)).toBe(5);
    expect(left.stderr).toMatch(/WAL that db\d has, a standby whose PostgreSQL is stopped/);
    expect(left.stderr).toContain(`(there: systemctl restart postgresql), then run this again`);
    for (const host of [ahead, 'db4']) await db.must(host, 'systemctl restart postgresql');
    const began = Date.now();
    const without = await db.run('failover', '--to', behind, '--confirm-dead', old, '--yes');
    expect(without.code, printed(without)).toBe(3);
    expect(printed(without)).toContain('commits that were acknowledged may be among it');
    expect(printed(without)).toContain('not within 15 s');
    expect(Date.now() - began).toBeLessThan(60_000);
    expect(await primaries(['db1', 'db2', 'db3', 'db4'].filter((host) => host !== old))).toEqual(
      [],
    );
    await db.must(behind, 'nft delete table inet planted');
    const end = await db.run('failover', '--to', behind, '--confirm-dead', old, '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toMatch(new RegExp(`${behind}: fetched .* of WAL that only \\S+ had`));
    expect(await primaries(['db1', 'db2', 'db3', 'db4'].filter((host) => host !== old))).toEqual([
      behind,
    ]);
    for (const host of [behind, ahead, 'db4']) {
      await until(host, `[ "$( ${psql('select count(*) from fetched')})" = 1000 ]`, 30);
    }
    await powerOn(db.lab, old);
    const back = await db.run('rejoin', '--yes');
    expect(back.code, printed(back)).toBe(0);
    await db.sql(behind, 'drop table fetched');
    await unchanged();
  });
});

describe('standbys that went on with the old primary while somebody promoted another one by hand', () => {
  it('are named by status and apply, never promoted, and taken back by rejoin', async () => {
    const [old = ''] = await primaries();
    const [promoted = '', ...past] = DATABASES.filter((host) => host !== old);
    await db.must(promoted, "systemctl stop 'postgresql@*'");
    await db.sql(old, 'create table only_there (n int)');
    const end = await db.sql(old, 'select pg_current_wal_lsn()');
    for (const host of past) {
      await until(host, `[ "$( ${psql(`select pg_last_wal_replay_lsn() >= '${end}'`)})" = t ]`, 30);
    }
    await db.must(old, "systemctl kill -s KILL 'postgresql@*'; systemctl stop 'postgresql@*'");
    const start = 'systemctl start "postgresql@$(ls /etc/postgresql)-main"';
    await db.must(promoted, start);
    await db.sql(promoted, 'select pg_promote()');
    for (const host of past) {
      await until(host, `ls /var/lib/postgresql/*/main/pg_wal | grep -q history`, 60);
    }
    const told = await db.run('status');
    expect(told.code, printed(told)).toBe(3);
    const applied = await db.apply();
    expect(applied.code, printed(applied)).toBe(3);
    for (const host of past) {
      expect(told.stdout).toContain(`${host} went on with the old primary past the point`);
      expect(failureOf(applied, host)).toMatchObject({
        found: 'it cannot follow: it went past the point where the primary took over',
        remedy: `odoo-prov rejoin ${db.inventory} --host ${host} saves the rows that only it has, and takes it back`,
      });
    }
    await db.must(promoted, "systemctl stop 'postgresql@*'");
    refused(await db.run('failover', '--yes'), 'past the point where it began');
    await db.must(promoted, start);
    const back = await db.run('rejoin', '--yes');
    expect(back.code, printed(back)).toBe(0);
    await unchanged();
  });
});

describe('a replica whose next WAL is nowhere any more', () => {
  it('is named by apply at once and by status, and copied anew by a rejoin of it', async () => {
    const [primary = ''] = await primaries();
    await db.must('db4', "systemctl stop 'postgresql@*'");
    const slot = "from pg_replication_slots where slot_name = 'db4'";
    await until(primary, `[ "$( ${psql(`select active ${slot}`)})" = f ]`, 30);
    await db.sql(primary, `select pg_drop_replication_slot(slot_name) ${slot}`);
    for (let segments = 0; segments < 3; segments += 1) {
      await db.sql(
        primary,
        "select pg_logical_emit_message(false, '', 'x');\nselect pg_switch_wal()",
      );
    }
    await db.sql(primary, 'checkpoint');
    await db.must(
      primary,
      `now=$( ${psql('select pg_walfile_name(pg_current_wal_lsn())')})
cd /var/lib/postgresql/*/main/pg_wal
rm $(ls | grep -xE '[0-9A-F]{24}' | awk -v now="$now" '"x" $0 < "x" now')`,
    );
    await db.must('db4', 'systemctl start "postgresql@$(ls /etc/postgresql)-main"');
    const began = Date.now();
    const applied = await db.apply();
    expect((Date.now() - began) / 1000).toBeLessThan(60);
    expect(applied.code, printed(applied)).toBe(3);
    expect(failureOf(applied, 'db4')).toMatchObject({
      found: expect.stringMatching(/^it cannot follow: it lacks WAL/) as string,
      remedy: `odoo-prov rejoin ${db.inventory} --host db4 copies everything anew`,
    });
    const told = await db.run('status');
    expect(told.stdout).toMatch(/db4 lacks WAL \([0-9A-F]{24}\) that db\d no longer has/);
    const back = await db.run('rejoin', '--host', 'db4', '--yes');
    expect(back.code, printed(back)).toBe(0);
    expect(printed(back)).toContain('copied everything from the primary');
    await unchanged();
  });
});

describe('a standby whose data is damaged', () => {
  it('is left alone by rejoin, which says how everything is copied anew, and is whole after that', async () => {
    const [primary = ''] = await primaries();
    await db.sql(primary, 'create table damaged as select generate_series(1, 1000) n; checkpoint');
    const file = await db.sql(primary, "select pg_relation_filepath('damaged')");
    const rows = psql('select count(*) from damaged');
    await until('db4', `[ "$( ${rows})" = 1000 ]`, 30);
    await db.sql('db4', 'checkpoint');
    await db.must(
      'db4',
      `systemctl stop 'postgresql@*'; rm /var/lib/postgresql/*/main/${file}; systemctl restart postgresql`,
    );
    await until(
      'db4',
      `[ "$( ${psql('select status from pg_stat_wal_receiver')})" = streaming ]`,
      60,
    );
    const left = await db.run('rejoin', '--host', 'db4', '--yes');
    expect(left.code, printed(left)).toBe(5);
    expect(left.stderr).toContain(`odoo-prov rejoin ${db.inventory} --host db4 --clone`);
    await killedIn('db4', 'pg_basebackup', ['--host', 'db4', '--clone'], async () => {
      // The copy goes on: nobody removes what it has made, or copies beside it.
      const applied = await db.run('apply', '--limit', 'db4');
      expect(applied.code, printed(applied)).toBe(3);
      expect(printed(applied)).toContain('a rejoin copies everything to ');
      const again = await db.run('rejoin', '--host', 'db4', '--clone', '--yes');
      refused(again, 'a copy that was begun goes on by itself');
    });
    const end = await db.run('rejoin', '--host', 'db4', '--clone', '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('db4: it has been copied already');
    await until('db4', `[ "$( ${rows})" = 1000 ]`, 30);
    await db.must('db4', 'rm -r /var/lib/postgresql/*/main.before-rejoin-*');
    await db.sql(primary, 'drop table damaged');
    await unchanged();
  });
});

describe('a primary that lives and is not seen', () => {
  const ALIVE = 'the primary is alive: ';

  /** Runs `work` with another text in a file beside the inventory, or in the inventory itself. */
  async function meanwhile(
    file: string,
    change: (text: string) => string,
    work: () => Promise<void>,
  ): Promise<void> {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, change(text));
    try {
      await work();
    } finally {
      writeFileSync(file, text);
    }
  }

  const recorded = (): unknown =>
    (JSON.parse(readFileSync(statePath(db.inventory), 'utf8')) as ClusterState).postgres?.primary;

  const remembering =
    (primary: string) =>
    (text: string): string => {
      const state = JSON.parse(text) as ClusterState;
      return JSON.stringify({ ...state, postgres: { ...state.postgres, primary } });
    };

  it('is not failed over while a standby hears from it, whoever is said to be dead', async () => {
    const [alive = ''] = await primaries();
    await db.must(
      alive,
      'systemd-run -q --on-active=60 systemctl start ssh.service && systemctl stop ssh.service',
    );
    refused(await db.run('failover', '--yes'), ALIVE);
    refused(await db.run('failover', '--confirm-dead', alive, '--yes'), ALIVE);
    const told = await db.run('status');
    expect(told.code, printed(told)).toBe(4);
    expect(told.stdout.replace(/\s+/g, ' ')).toContain(
      `receive from ${alive}, which cannot be reached from here`,
    );
    const back = async (): Promise<number> =>
      (await db.on(alive)('systemctl is-active --quiet ssh.service')).code;
    await expect.poll(back, { timeout: 90_000, interval: 1000 }).toBe(0);
    expect(await primaries()).toEqual([alive]);
  });

  it('is told by status, apply and failover where its host was taken out of the inventory', async () => {
    await db.moveTo('db2');
    const without = (text: string): string => {
      const content = parse(text) as { hosts: Record<string, unknown> };
      delete content.hosts['db2'];
      return stringify(content);
    };
    await meanwhile(db.inventory, without, async () => {
      const told = await db.run('status', '--role', 'pg-primary,pg-standby,pg-replica');
      expect(told.code, printed(told)).toBe(3);
      expect(told.stdout.replace(/\s+/g, ' ')).toContain(
        `receive from a primary that is not in this inventory: ${db.address('db2')}`,
      );
      const limit = ['--limit', 'db1,db3,db4,pool1'];
      refused(await db.run('apply', '--check', ...limit), 'put it back');
      refused(await db.run('failover', '--yes'), ALIVE);
    });
    expect(await primaries()).toEqual(['db2']);
    await unchanged();
  });

  it('is asked for by its name, and not forgotten, where only a primary of before is seen', async () => {
    const [old = ''] = await primaries();
    await networkCut(db.lab, old);
    const moved = await db.run('failover', '--confirm-dead', old, '--yes');
    expect(moved.code, printed(moved)).toBe(0);
    await networkHeal(db.lab, old);
    await until(old, "! systemctl is-active --quiet 'postgresql@*'", 60);
    const [alive = ''] = await primaries();
    await networkCut(db.lab, alive);
    // Until the standbys miss it: then nothing but their data tells that there is one.
    await sleep(25_000);
    const told = await db.run('status');
    expect(told.stdout.replace(/\s+/g, ' ')).toContain(
      `it was primary before another one, which was not seen: bring that host back, then odoo-prov rejoin ${db.inventory} --host ${old}`,
    );
    for (const primary of [alive, old]) {
      await meanwhile(statePath(db.inventory), remembering(primary), async () => {
        refused(await db.run('failover', '--yes'), `--confirm-dead ${alive}`);
        await db.apply();
        expect(recorded()).toBe(primary);
      });
    }
    await networkHeal(db.lab, alive);
    await until(alive, `${psql(standbys)} | grep -q ' '`, 90);
    expect(await primaries()).toEqual([alive]);
    const back = await db.run('rejoin', '--yes');
    expect(back.code, printed(back)).toBe(0);
    await unchanged();
  });
});

describe('a switchover that is killed', () => {
  const killedAt = async (line: RegExp, ...words: readonly string[]): Promise<void> => {
    await until('pool1', POOL_ANSWERS, 60);
    const killed = await odooProv(['switchover', db.inventory, ...words, '--yes'], {
      killAt: line,
    });
    expect(killed.code, printed(killed)).toBe('SIGKILL');
    expect((await db.on('pool1')(`timeout 3 env ${POOL_ANSWERS}`)).code).not.toBe(0);
  };

  it.each([
    ['after the promotion', /takes writes, on timeline/],
    ['before the promotion', /PostgreSQL is stopped, its WAL ends/],
  ])('%s is brought to its end by the same command', async (_when, line) => {
    const [old = ''] = await primaries();
    const to = old === 'db1' ? 'db3' : 'db1';
    await killedAt(line, '--to', to);
    const end = await db.run('switchover', '--to', to, '--yes');
    expect(end.code, printed(end)).toBe(0);
    await db.must('pool1', POOL_ANSWERS);
    expect(await primaries()).toEqual([to]);
    await unchanged();
    const again = await db.run('switchover', '--to', to, '--yes');
    expect(again.code, printed(again)).toBe(0);
    expect(again.stdout).toContain('is the primary already: nothing was moved');
  });

  it('after the promotion lets clients through without --to as well, and moves no further', async () => {
    await killedAt(/takes writes, on timeline/);
    const [now = ''] = await primaries();
    const end = await db.run('failover', '--yes');
    expect(end.code, printed(end)).toBe(0);
    await db.must('pool1', POOL_ANSWERS);
    expect(await primaries()).toEqual([now]);
    await unchanged();
  });
});

describe('a move that was cut off before anybody was promoted', () => {
  it('is refused by apply, which says what ends it', async () => {
    const [old = ''] = await primaries();
    await db.must(
      old,
      `systemctl stop 'postgresql@*' && cd /var/lib/postgresql/*/main && touch standby.signal && chown postgres: standby.signal`,
    );
    refused(await db.apply(), `odoo-prov failover ${db.inventory}`);
    await networkCut(db.lab, 'pool1');
    refused(await db.run('failover', '--yes'), 'Meanwhile nobody takes writes');
    await networkHeal(db.lab, 'pool1');
    const end = await db.run('failover', '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(await primaries()).toHaveLength(1);
    await unchanged();
  });
});
