import { beforeAll, describe, expect, it } from 'vitest';
import { SQL_FUNCTION } from '../../playbooks/primary/sight.js';
import { powerCut, powerOn } from '../../src/lab/index.js';
import { START_OLD } from '../../src/postgres/old-data.js';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { hostRecaps, printed, recapOf } from '../support/program.js';

const DATABASES = ['db1', 'db2', 'db3', 'db4'];
const ORDERS = "select id || '=' || text from orders where id in (1, 2, 3, 4) order by id";

/** Tables of before the fork, in two databases. */
const TABLES = `drop database if exists copied;
drop database if exists second;
drop database if exists third;
create database second;
create database third;
drop table if exists full_keyed, full_loose, clustered, altered, twice, parts, dropped, large, both_anew, quiet;
${['full_keyed', 'clustered', 'altered', 'twice', 'dropped', 'large', 'both_anew', 'quiet']
  .map((table) => `create table ${table} (id int primary key, text text);`)
  .join('\n')}
create table full_loose (id int, text text);
create table parts (id int primary key, text text) partition by range (id);
create table part_1 partition of parts for values from (0) to (1000);
insert into full_keyed select g, 'before' from generate_series(1, 20) g;
insert into clustered select g, 'before' from generate_series(1, 5) g;
insert into altered select g, 'before' from generate_series(1, 3) g;
insert into both_anew select g, 'before' from generate_series(1, 3) g;
insert into quiet select g, 'before' from generate_series(1, 3) g;
drop schema if exists odoo_prov_failover_test cascade;
create schema odoo_prov_failover_test;
create table odoo_prov_failover_test.writes (client int, sequence int);
insert into full_loose values (1, 'before');
\\connect second
create table there (id int primary key, text text);
insert into there values (1, 'before');
\\connect third
create table there (id int primary key, text text);
`;

/** What the old primary does to them while nobody hears it. */
const WRITTEN_ANEW = `set synchronous_commit = local;
insert into full_keyed select g, 'lost' from generate_series(2001, 2005) g;
update full_keyed set text = 'lost' where id <= 3;
delete from full_keyed where id in (10, 11);
vacuum full full_keyed;
insert into full_loose values (2, 'lost');
vacuum full full_loose;
insert into clustered values (6, 'lost');
update clustered set text = 'lost' where id = 1;
cluster clustered using clustered_pkey;
insert into altered values (4, 'lost');
alter table altered alter id type int using id + 0, alter text type varchar(1000), alter id type bigint;
vacuum full twice;
insert into twice values (1, 'lost');
vacuum full twice;
insert into parts values (1, 'lost');
vacuum full part_1;
insert into odoo_prov_failover_test.writes values (1, 1);
insert into dropped values (1, 'lost');
drop table dropped;
insert into large select 1, string_agg(md5(g::text), '') from generate_series(1, 2000) g;
vacuum full large;
insert into both_anew values (4, 'lost');
vacuum full both_anew;
begin; create table undone (id int); insert into undone values (1); rollback;
vacuum full pg_class;
vacuum full pg_statistic;
create database copied template second;
\\connect second
set synchronous_commit = local;
insert into there values (2, 'lost');
vacuum full there;
\\connect third
set synchronous_commit = local;
insert into there values (1, 'lost');
\\connect second
set synchronous_commit = local;
drop database third;
`;

let db: DatabaseLab;
let old = '';
let primary = '';
/** Where the rows were saved. */
let folder = '';
let rejoined = '';

beforeAll(async () => {
  db = await databaseLab();
  const end = await db.apply();
  expect(end.code, printed(end)).toBe(0);
  old = await writer(DATABASES);
});

async function writer(hosts: readonly string[]): Promise<string> {
  for (const host of hosts) {
    const { stdout } = await db.on(host)(
      `cd / && runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()'`,
    );
    if (stdout.trim() === 'f') return host;
  }
  throw new Error('nobody takes writes');
}

async function until(host: string, script: string): Promise<void> {
  await db.must(
    host,
    `for i in $(seq 120); do if ${script}; then exit 0; fi; sleep 0.5; done; exit 1`,
  );
}

describe('rows that only the old primary had', () => {
  it('are an insert, an update and a delete that it committed while nobody heard it', async () => {
    await db.sql(old, TABLES);
    await db.sql(
      old,
      `drop table if exists orders;
create table orders (id int primary key, text text);
insert into orders select g, 'order ' || g from generate_series(1, 3) g`,
    );
    const others = DATABASES.filter((host) => host !== old);
    for (const host of others) {
      await until(
        host,
        `[ "$(cd / && runuser -u postgres -- psql -XAtqc 'select count(*) from orders')" = 3 ]`,
      );
    }
    // Until its power is cut: the other hosts are not reached from it, and nothing comes back to them.
    for (const host of [...others, 'pool1']) {
      await db.must(old, `ip route add blackhole ${db.address(host)}/32`);
    }
    await db.sql(
      old,
      `set synchronous_commit = local;
insert into orders values (4, 'only "here", 4');
update orders set text = 'changed' where id = 2;
delete from orders where id = 3;
begin; delete from orders where id = 1; rollback`,
    );
    expect(await db.sql(old, ORDERS)).toBe('1=order 1\n2=changed\n4=only "here", 4');
    await db.sql(old, WRITTEN_ANEW);
    await powerCut(db.lab, old);
    const end = await db.run('failover', '--confirm-dead', old, '--yes');
    expect(end.code, printed(end)).toBe(0);
    primary = await writer(others);
    expect(await db.sql(primary, ORDERS)).toBe('1=order 1\n2=order 2\n3=order 3');
  });

  it('are saved before it is rewound, and are those three', async () => {
    await powerOn(db.lab, old);
    await until(old, "journalctl -q -u 'postgresql@*' --since -5min | grep -q 'stays down'");
    // What the new primary writes meanwhile is not lost, and not told.
    await db.sql(
      primary,
      `insert into orders values (5, 'new'); update orders set text = 'x' where id = 1;
vacuum full both_anew`,
    );
    // Servers make files for later, filled with zeros. More of them than of others, so that readers meet one first.
    await db.must(
      old,
      `cd /var/lib/postgresql/*/main/pg_wal
timeline=$(ls | grep -E '^[0-9A-F]{24}$' | tail -n 1 | cut -c 1-8)
for i in $(seq -f %02.0f 40); do
  install -o postgres -g postgres -m 600 /dev/null "\${timeline}000000FF000000$i"
  truncate -s 16M "\${timeline}000000FF000000$i"
done`,
    );
    // Other suites may have left copies on the same host; this leaves none.
    const copies = 'ls -d /var/lib/postgresql/*/main*';
    const before = await db.must(old, copies);
    const end = await db.run('rejoin', '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(await db.must(old, copies)).toBe(before);
    expect(end.stdout).toContain('postgres.public.orders: 1 insert, 1 update, 1 delete');
    expect(end.stdout).toContain('rewound');
    rejoined = end.stdout;
    [, folder = ''] = /these rows are saved in (\S+);/.exec(end.stdout) ?? [];
    expect(await db.must(old, `cat ${folder}/postgres.public.orders.csv`)).toBe(
      `action,old.id,old.text,new.id,new.text
insert,4,"only ""here"", 4",,
update,2,changed,2,order 2
delete,,,3,order 3
`,
    );
    const modes = `stat -c '%U %a' ${folder} ${folder}/*`;
    expect(new Set((await db.must(old, modes)).trim().split('\n'))).toEqual(
      new Set(['root 700', 'root 600']),
    );
  });

  it('are also those of tables that it wrote anew afterwards, of which its WAL names no row', async () => {
    const actions = async (table: string): Promise<string> =>
      (await db.must(old, `cut -d, -f 1-3 ${folder}/${table}.csv | sort`)).trim();
    expect(await actions('postgres.public.full_keyed')).toBe(
      `action,old.id,old.text
delete,,
delete,,
insert,2001,lost
insert,2002,lost
insert,2003,lost
insert,2004,lost
insert,2005,lost
update,1,lost
update,2,lost
update,3,lost`,
    );
    expect(await actions('postgres.public.clustered')).toBe(
      'action,old.id,old.text\ninsert,6,lost\nupdate,1,lost',
    );
    for (const [table, id] of [
      ['postgres.public.full_loose', 2],
      ['postgres.public.twice', 1],
      ['postgres.public.part_1', 1],
      ['postgres.public.both_anew', 4],
      ['second.public.there', 2],
    ] as const) {
      expect(await actions(table), table).toBe(`action,old.id,old.text\ninsert,${String(id)},lost`);
    }
    // Its columns differ: all that the ALTER TABLE wrote, which is all of it.
    expect(await actions('postgres.public.altered')).toContain('insert,4,lost');
    expect(await db.must(old, `tail -n 1 ${folder}/postgres.public.large.csv | wc -c`)).toBe(
      `${String('insert,1,'.length + 32 * 2000 + ',,\n'.length)}\n`,
    );
  });

  it('are all rows of a database that it made; what it dropped is named', async () => {
    expect(await db.must(old, `cut -d, -f 1-3 ${folder}/copied.public.there.csv`)).toBe(
      'action,old.id,old.text\ninsert,1,before\n',
    );
    const summary = await db.must(old, `cat ${folder}/summary.txt`);
    for (const text of [rejoined, summary]) {
      expect(text).toContain(
        'The database copied was made here: all rows of its tables are saved.',
      );
      expect(text).toMatch(/The database of oid \d+ was written to here, and then dropped here\./);
      expect(text).toContain('postgres.public.dropped: nothing. it was written to here, and then');
      expect(text).toContain('postgres.(no table): nothing. files that were written to here');
      expect(text).not.toContain('public.quiet');
      expect(text).not.toContain('pg_catalog');
      // Of use to nobody but the test, whose schema goes when it ends.
      expect(text).not.toContain('odoo_prov_failover_test');
    }
    expect(await db.must(old, `ls ${folder}`)).toBe(
      `${[
        'copied.public.there',
        ...['altered', 'both_anew', 'clustered', 'full_keyed', 'full_loose', 'large', 'orders']
          .concat('part_1', 'twice')
          .map((table) => `postgres.public.${table}`),
        'second.public.there',
      ]
        .map((name) => `${name}.csv\n`)
        .join('')}summary.txt\n`,
    );
  });

  it('are gone from the database then, as on every other host; apply changes nothing', async () => {
    const now = "select id || '=' || text from orders order by id";
    const there = await db.sql(primary, now);
    expect(there).toBe('1=x\n2=order 2\n3=order 3\n5=new');
    await until(
      old,
      `[ "$(cd / && runuser -u postgres -- psql -XAtq -c 'select status from pg_stat_wal_receiver')" = streaming ]`,
    );
    await until(
      old,
      `[ "$(cd / && runuser -u postgres -- psql -XAtqc 'select count(*) from orders')" = 4 ]`,
    );
    expect(await db.sql(old, now)).toBe(there);
    await db.sql(
      primary,
      'drop database second;\ndrop database third;\ndrop schema odoo_prov_failover_test cascade',
    );
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(recapOf(end).changed, printed(end)).toBe(0);
  });
});

/** What `status` says is to be done about a host whose PostgreSQL is down. */
async function nextOf(host: string): Promise<string> {
  const end = await db.run('status', '--json');
  expect(end.code, printed(end)).toBe(3);
  const { alerts } = JSON.parse(end.stdout) as {
    alerts: readonly { id: string; host: string | null; next: string }[];
  };
  return alerts.find((one) => one.id === 'postgres.down' && one.host === host)?.next ?? '';
}

/** Only a rejoin helps: status and apply name it, it is done without naming the host, and then apply changes nothing. */
async function takenBack(...hosts: readonly string[]): Promise<string> {
  const applied = await db.apply();
  expect(applied.code, printed(applied)).toBe(3);
  for (const host of hosts) {
    expect(hostRecaps(applied)[host], printed(applied)).toMatchObject({ changed: 0 });
    expect(await nextOf(host)).toContain(`odoo-prov rejoin ${db.inventory} --host ${host}`);
    expect(applied.stdout).toContain(`odoo-prov rejoin ${db.inventory} --host ${host}`);
  }
  const end = await db.run('rejoin', '--yes');
  expect(end.code, printed(end)).toBe(0);
  for (const host of hosts) {
    expect(await db.sql(host, 'select status from pg_stat_wal_receiver')).toBe('streaming');
    await db.must(
      host,
      'systemctl is-active odoo-prov-postgres-guard && ! systemctl is-active odoo-prov-old-data',
    );
  }
  const again = await db.apply();
  expect(again.code, printed(again)).toBe(0);
  expect(recapOf(again).changed, printed(again)).toBe(0);
  return end.stdout;
}

const START = 'systemctl start "postgresql@$(ls /etc/postgresql)-main"';
const STOP = "systemctl stop 'postgresql@*'";

describe('standbys past the point where another one took over, which are stopped', () => {
  it('are taken back, also one whose rejoin was killed while its data was started by itself', async () => {
    const from = await writer(DATABASES);
    const [promoted = '', ...past] = DATABASES.filter((host) => host !== from);
    const [one = '', other = ''] = past;
    await db.must(promoted, STOP);
    await db.sql(from, "insert into orders values (10, 'past the fork')");
    const end = await db.sql(from, 'select pg_current_wal_lsn()');
    for (const host of past) {
      await until(
        host,
        `[ "$(cd / && runuser -u postgres -- psql -XAtqc "select pg_last_wal_replay_lsn() >= '${end}'")" = t ]`,
      );
    }
    await db.must(from, `systemctl kill -s KILL 'postgresql@*'; ${STOP}`);
    await db.must(promoted, START);
    await db.sql(promoted, 'select pg_promote()');
    for (const host of past) await db.must(host, STOP);
    await db.must(one, `${SQL_FUNCTION}\ntarget=current\n${START_OLD}`);
    const told = (await db.run('status')).stdout.replaceAll(/\s+/g, ' ');
    expect(told).toContain(`a rejoin of ${one} has not come to its end`);
    expect(told).not.toContain(`odoo-prov-postgres-guard on ${one} is`);
    const said = await takenBack(one, other);
    expect(said).toContain('postgres.public.orders: 1 insert');
  });
});

/** A switchover that was killed when the primary was stopped: nobody is primary, and the others lack its last WAL. */
async function cutSwitchover(row: number): Promise<string> {
  const from = await writer(DATABASES);
  const others = DATABASES.filter((host) => host !== from);
  for (const host of others) await db.must(host, STOP);
  await db.sql(
    from,
    `set synchronous_commit = local; insert into orders values (${String(row)}, 'sent to nobody')`,
  );
  await db.must(
    from,
    `${STOP} && cd /var/lib/postgresql/*/main && touch standby.signal && chown postgres: standby.signal`,
  );
  for (const host of others) await db.must(host, START);
  expect(await nextOf(from)).toContain(`odoo-prov failover ${db.inventory}`);
  const shown = await db.run('failover', '--dry-run');
  expect(shown.code, printed(shown)).toBe(5);
  expect(shown.stderr).toContain(`WAL that ${from} has, a standby whose PostgreSQL is stopped`);
  expect(shown.stderr).toContain('(there: systemctl restart postgresql), then run this again');
  return from;
}

describe('a switchover that was cut, whose old primary has WAL that nobody else has', () => {
  it('loses nothing where that is started first, as failover says', async () => {
    const from = await cutSwitchover(11);
    await db.must(from, 'systemctl restart postgresql');
    await until(from, 'cd / && runuser -u postgres -- psql -XAtqc "select 1"');
    const end = await db.run('failover', '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).not.toContain('which is stopped');
    const now = await writer(DATABASES);
    expect(await db.sql(now, 'select count(*) from orders where id = 11')).toBe('1');
    const applied = await db.apply();
    expect(applied.code, printed(applied)).toBe(0);
  });

  it('is ended without it as well: the rows that only that had are saved, and it is taken back', async () => {
    const from = await cutSwitchover(12);
    const [to = ''] = DATABASES.filter((host) => host !== from);
    const end = await db.run('failover', '--to', to, '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain(`that ${from}, which is stopped, has`);
    expect(await takenBack(from)).toContain('postgres.public.orders: 1 insert');
    const now = await writer(DATABASES);
    expect(await db.sql(now, 'select count(*) from orders where id = 12')).toBe('0');
  });
});
