import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { networkCut, networkHeal, powerCut, powerOn } from '../../src/lab/index.js';
import { PAST_FORK_FILE, PORT } from '../../src/postgres/layout.js';
import { PGBACKREST_PORT } from '../../src/postgres/pgbackrest.js';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { WITH_NFT } from '../support/failover-suite.js';
import { printed, recapOf } from '../support/program.js';

/*
 * WAL that the standby never had that takes over, on another standby or in the archive. PostgreSQL replays it as if it were the new
 * timeline's where it knows of that as it starts, and follows with rows that the primary does not have.
 */

const MACHINE = { memory: '2GB', cores: 2 };
/** A primary, two standbys and an archive; asynchronous. web1 is there for the inventory to be whole; it stays bare. */
const INVENTORY = {
  odoo: { source: { debian: { accept_unstable: true } }, database: 'acme', users: 20 },
  filestore: { type: 'posix' },
  postgres: {
    replication: { synchronous: 'off' },
    backup: { host: 'pool1', filestore: 'off' },
  },
  hosts: {
    web1: {
      ...{ address: '198.51.100.11', ...MACHINE },
      roles: ['edge', 'app', 'cron', 'gevent', 'redis'],
    },
    pool1: { address: '198.51.100.51', roles: ['pgbouncer'], ...MACHINE },
    db1: { address: '198.51.100.71', roles: ['pg-primary'], ...MACHINE },
    db2: { address: '198.51.100.72', roles: ['pg-standby'], ...MACHINE },
    db3: { address: '198.51.100.73', roles: ['pg-standby'], ...MACHINE },
  },
};

let db: DatabaseLab;

beforeAll(async () => {
  db = await databaseLab('pf', INVENTORY);
  const end = await db.apply();
  expect(end.code, printed(end)).toBe(0);
});

beforeEach(async () => {
  await db.moveTo('db1');
  await db.sql(
    'db1',
    'drop table if exists written, filler; create table written (n int); checkpoint',
  );
  // A standby's data tells from here on that it is before what comes.
  const end = await db.sql('db1', 'select pg_current_wal_lsn()');
  for (const host of ['db2', 'db3']) {
    await until(host, `[ "$(${psql(`select pg_last_wal_replay_lsn() >= '${end}'`)})" = t ]`);
    await db.sql(host, 'checkpoint');
  }
});

/** Shell: a query as the superuser. */
function psql(query: string): string {
  return `cd / && runuser -u postgres -- psql -XAtqc "${query}"`;
}

async function until(host: string, script: string): Promise<void> {
  await db.must(
    host,
    `for i in $(seq 120); do if ${script}; then exit 0; fi; sleep 0.5; done; exit 1`,
  );
}

const WRITE = 'insert into written select generate_series(1, 5000)';

/** The timeline that a primary is on, as in the names of WAL files. */
function timelineOf(host: string): Promise<string> {
  return db.sql(host, 'select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)');
}

/** Waits until the archive knows of the timeline that db2 began. */
async function untilTold(): Promise<void> {
  const timeline = await timelineOf('db2');
  await until('pool1', `[ -n "$(find /var/lib/pgbackrest/archive -name '${timeline}.history')" ]`);
}

const rows = (host: string): Promise<string> => db.sql(host, 'select count(*) from written');
const STREAMS =
  "select count(*) from pg_stat_replication where application_name = 'db3' and state = 'streaming'";

/** What takes the hosts back that have rows which db2 has not; nothing differs from the inventory then. */
async function takenBack(): Promise<void> {
  await powerOn(db.lab, 'db1');
  const end = await db.run('rejoin', '--yes');
  expect(end.code, printed(end)).toBe(0);
  expect(end.stdout).toContain('postgres.public.written: 5000 insert');
  const applied = await db.apply();
  expect(applied.code, printed(applied)).toBe(0);
  expect(recapOf(applied).changed, printed(applied)).toBe(0);
}

describe('a standby that lost its power with WAL that the promoted one never had', () => {
  /** It waits, names what helps, and shows what it had. */
  const cannotFollow = async (): Promise<void> => {
    await until(
      'db3',
      `[ -e "$(ls /var/lib/postgresql/*/main/pg_wal/*.history | tail -n 1)" ] && ${psql('select 1')}`,
    );
    // It asks its primary again and again, for WAL of the timeline that it is on, and has that of no other.
    const newer = `select string_agg(name, ' ') from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$' and name > '${await timelineOf('db2')}'`;
    for (let look = 0; look < 5; look += 1) {
      expect(await db.sql('db3', newer)).toBe('');
      await sleep(1000);
    }
    const told = await db.run('status');
    // The old primary is not seen.
    expect(told.code, printed(told)).toBe(4);
    expect(told.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'db3 went on with the old primary past the point where db2 took over, and cannot follow: it shows old data ' +
        `next odoo-prov rejoin ${db.inventory} --host db3`,
    );
    const { database } = JSON.parse((await db.run('status', '--json')).stdout) as {
      database: { members: readonly { host: string; lagBytes: unknown; lagSeconds: unknown }[] };
    };
    const figures = database.members.find(({ host }) => host === 'db3');
    expect(figures).toMatchObject({ lagBytes: null });
    expect(figures?.lagSeconds).not.toBe(0);
    expect(await rows('db3')).toBe('5000');
  };

  it('does not follow with its own rows, however often it starts; rejoin saves them', async () => {
    // The last checkpoint of a standby may be on an earlier timeline than its WAL.
    await db.moveTo('db2');
    await db.moveTo('db1');
    await db.sql('db1', 'create table filler as select generate_series(1, 2000000)');
    for (const host of ['db2', 'db3']) {
      await until(host, `[ "$(${psql('select count(*) from filler')})" = 2000000 ]`);
    }
    await networkCut(db.lab, 'db2');
    await db.sql('db1', WRITE);
    await until('db3', `[ "$(${psql('select count(*) from written')})" = 5000 ]`);
    await powerCut(db.lab, 'db1');
    await powerCut(db.lab, 'db3');
    await networkHeal(db.lab, 'db2');
    const moved = await db.run('failover', '--yes', '--confirm-dead', 'db1,db3');
    expect(moved.code, printed(moved)).toBe(0);
    expect(await rows('db2')).toBe('0');
    await untilTold();
    await powerOn(db.lab, 'db3');
    await cannotFollow();
    // One of its processes dies: it starts anew by its unit, and its guard is asked again.
    const restarts = "systemctl show -p NRestarts --value 'postgresql@*'";
    const before = await db.must('db3', restarts);
    await db.must('db3', `kill -KILL $(pgrep -f 'postgres: db3: checkpointer')`);
    await until('db3', `[ "$(${restarts})" != '${before.trim()}' ] && ${psql('select 1')}`);
    await cannotFollow();
    // Now it has the history of the new timeline itself.
    await powerCut(db.lab, 'db3');
    await powerOn(db.lab, 'db3');
    await until(
      'db3',
      "journalctl -q -b -u 'postgresql@*' | grep -q 'has WAL past the point where another one took over'",
    );
    await cannotFollow();
    // Its data still has to replay all that, and is compared at its end.
    await db.must('db3', "systemctl kill -s KILL 'postgresql@*'; systemctl stop 'postgresql@*'");
    const back = await db.run('rejoin', '--host', 'db3', '--yes');
    expect(back.code, printed(back)).toBe(0);
    expect(back.stdout).toContain('postgres.public.written: 5000 insert');
    expect([await rows('db3'), await db.sql('db2', STREAMS)]).toEqual(['0', '1']);
    expect((await db.on('db3')(`ls /var/lib/postgresql/*/main/${PAST_FORK_FILE}`)).code).toBe(2);
    await takenBack();
  });
});

describe('a standby that starts while the archive has a segment of the old primary, and not yet the new one’s', () => {
  it('does not take that for the new primary’s', async () => {
    await db.must('db3', "systemctl stop 'postgresql@*'");
    const push = await db.sql('db2', 'show archive_command');
    const histories = `case %f in *.history) ${push} ;; *) false ;; esac`;
    await db.sql('db2', `alter system set archive_command = '${histories.replaceAll("'", "''")}'`);
    await db.sql('db2', 'select pg_reload_conf()');
    const drop = (host: string, port: number): string =>
      `ip saddr ${db.address(host)} tcp sport ${String(port)} drop`;
    await db.must(
      'db2',
      `${WITH_NFT}
nft -f - <<'RULES'
table inet planted {
  chain incoming {
    type filter hook input priority 0
    ${drop('db1', PORT)}
    ${drop('pool1', PGBACKREST_PORT)}
  }
}
RULES`,
    );
    await db.sql('db1', WRITE);
    const segment = await db.sql('db1', 'select pg_walfile_name(pg_switch_wal())');
    await until('pool1', `[ -n "$(find /var/lib/pgbackrest/archive -name '${segment}-*')" ]`);
    await powerCut(db.lab, 'db1');
    await db.sql('db2', 'select pg_promote()');
    await db.must('db2', 'nft delete table inet planted');
    await untilTold();
    expect(await db.sql('db2', 'select pg_walfile_name(pg_current_wal_lsn())')).toContain(
      segment.slice(8),
    );
    await db.must('db3', 'systemctl start postgresql');
    await until('db2', `[ "$(${psql(STREAMS)})" = 1 ]`);
    expect([await rows('db2'), await rows('db3')]).toEqual(['0', '0']);
    await db.sql('db2', 'insert into written values (1)');
    await until('db3', `[ "$(${psql('select count(*) from written')})" = 1 ]`);
    await db.sql('db2', 'alter system reset archive_command');
    await db.sql('db2', 'select pg_reload_conf()');
    await takenBack();
  });
});
