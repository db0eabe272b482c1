import { beforeAll, describe, expect, it } from 'vitest';
import { powerCut, powerOn } from '../../src/lab/index.js';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { printed, recapOf } from '../support/program.js';

const DATABASES = ['db1', 'db2', 'db3', 'db4'];
const ORDERS = "select id || '=' || text from orders where id in (1, 2, 3, 4) order by id";

let db: DatabaseLab;
let old = '';
let primary = '';

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
      `insert into orders values (5, 'new'); update orders set text = 'x' where id = 1`,
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
    const [, folder = ''] = /these rows are saved in (\S+);/.exec(end.stdout) ?? [];
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
    expect(await db.must(old, `ls ${folder}`)).toBe('postgres.public.orders.csv\nsummary.txt\n');
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
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(recapOf(end).changed, printed(end)).toBe(0);
  });
});
