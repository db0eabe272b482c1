import { PART } from '../../../src/postgres/repository-files.js';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failure/failure.js';
import { silentHost } from '../../../src/status/host.js';
import { LIMITS } from '../../../src/status/limits.js';
import type { HostStatus } from '../../../src/status/model.js';
import { judge } from '../../../src/status/rules.js';
import { testHost } from '../../support/site.js';
import { PGBOUNCER_124, RECORDED, REDIS, STOPPED_DATABASES, SYSTEM } from './recorded.js';
import {
  answered,
  app1,
  db1,
  edge1,
  forkedAt,
  front,
  pool1,
  redis1,
  ROOMY,
  seen,
  units,
} from './statuses.js';

/** `severity id: message` of each alert. */
function told(...hosts: readonly HostStatus[]): readonly string[] {
  return judge(seen(...hosts)).alerts.map((a) => `${a.severity} ${a.id}: ${a.message}`);
}

function code(...hosts: readonly HostStatus[]): number {
  return judge(seen(...hosts)).exitCode;
}

const idle = PGBOUNCER_124.replace('\t2\t1\t0\t0\t2', '\t2\t0\t0\t0\t2').replace(
  '4\t500000',
  '0\t0',
);

/** The primary with some of its answer changed; a change that changes nothing is a mistake. */
function changed(text: string, from: string | RegExp, to: string): string {
  const result = text.replace(from, to);
  if (result === text) throw new Error(`nothing like ${String(from)}`);
  return result;
}

/** The recorded standby that lags, its replay not paused. */
const running = changed(RECORDED.lagging.standby, '"replayPaused":true', '"replayPaused":false');

describe('a cluster that is well', () => {
  it('has no alert and the exit code 0', () => {
    const hosts = [db1(), front(), pool1(idle), redis1(), app1(), edge1()];
    expect(told(...hosts)).toEqual([]);
    expect(code(...hosts)).toBe(0);
  });
  it('keeps 0 with warnings only', () => {
    expect(told(edge1('200 0.1', 9))).toEqual([
      'warning edge.certificate: the certificate of edge1 expires in 9 d (limit 14 d)',
    ]);
    expect(code(edge1('200 0.1', 9))).toBe(0);
  });
});

describe('PostgreSQL', () => {
  it('in the middle of a restore: nothing else is asked for before that has ended', () => {
    const restored = answered('db1', 129, ['pg-primary'], {
      services: units({ 'postgresql@17-main.service': 'postgres' }, []),
      postgres: 'absent',
      databases: 'restoring\n',
    });
    expect(told(restored)).toContain(
      'problem postgres.restoring: a restore of the database has not come to its end on db1: it runs, or was cut off',
    );
    expect(told(restored).join('\n')).not.toContain('holds no database');
    const nexts = (databases: string): readonly string[] =>
      judge(seen(answered('db1', 129, ['pg-primary'], { postgres: 'absent', databases })))
        .alerts.filter(({ id }) => id === 'postgres.restoring')
        .map(({ next }) => next);
    // The mark of an older version is empty.
    expect(nexts('restoring\n')).toEqual([
      'if it does not run: odoo-prov restore FILE again, with the same moment or another one',
    ]);
    expect(nexts("restoring --to-time '2026-11-30 09:00:00.5+00'\n")).toEqual([
      "if it does not run: odoo-prov restore FILE --to-time '2026-11-30 09:00:00.5+00' again, or with another moment",
    ]);
    // Whoever starts PgBouncer lets clients in.
    const stopped = {
      services: units({ 'pgbouncer.service': 'pgbouncer' }, ['inactive dead']),
    };
    const pool = answered('pool1', 51, ['pgbouncer'], stopped);
    expect(told(pool)[0]).toContain('service.down: pgbouncer on pool1');
    const both = told(pool, restored);
    expect(both[0]).toContain('postgres.restoring');
    expect(both.join('\n')).not.toContain('service.down');
  });
  it('without a database says how there is one again: a copy, or from the backups', () => {
    const services = units({ 'postgresql@17-main.service': 'postgres' }, []);
    const empty = (name: string, last: number, databases = ''): HostStatus =>
      answered(name, last, ['pg-standby'], { services, postgres: 'absent', databases });
    const nexts = (...hosts: readonly HostStatus[]): readonly string[] =>
      judge(seen(...hosts)).alerts.map(({ message, next }) => `${message}: ${next}`);
    expect(nexts(db1(), empty('db2', 72))).toContain(
      'db2 holds no database: odoo-prov apply FILE clones it from db1',
    );
    const cut = nexts(db1(), empty('db2', 72, 'making\n')).join('\n');
    expect(cut).toContain(
      'db2 holds no database: its data is being made or copied, or that was cut',
    );
    expect(cut).toContain(
      'if neither apply nor rejoin runs: odoo-prov apply FILE begins that anew',
    );
    // What a rejoin kept beside it is no database of the host.
    const kept = '/var/lib/postgresql/17/main.before-rejoin-1\t7\t1\tno\tshut down\n';
    const beside = answered('db2', 72, ['pg-standby'], {
      ...{ services, postgres: 'down', databases: kept },
    });
    expect(told(db1(), beside)).toContain('problem postgres.absent: db2 holds no database');
    const newest = { label: '20261122-222411F', type: 'full', age: 60, damaged: false };
    const backup = {
      message: 'ok',
      ok: true,
      running: false,
      room: null,
      newest,
      archivedTo: null,
      hole: null,
    };
    const keeper = { ...answered('backup1', 81, [], {}), backup };
    const all = nexts(empty('db1', 71), empty('db2', 72), keeper).join('\n');
    expect(all).toContain('db1 and db2 hold no database: if it was there');
    expect(all).toContain('odoo-prov restore FILE --latest');
    expect(nexts(empty('db1', 71)).join('\n')).not.toContain('restore');
  });
  it('and the backups are told to be set up first, where nothing was yet', () => {
    const bare = { ...answered('backup1', 81, [], { services: '\n' }) };
    const unknown = [{ part: 'backup', why: 'it ended with code 1: 1795385936' }];
    const db = answered('db1', 71, ['pg-primary'], { services: '\n', postgres: 'absent' });
    expect(told({ ...bare, unknown }, db)).toEqual([
      'problem host.not-set-up: backup1 was never set up as the keeper of the backups',
      'problem host.not-set-up: db1 was never set up as pg-primary',
    ]);
  });
  it('with two writable primaries is the gravest problem, before an unreachable host', () => {
    const gone = silentHost(testHost('app1', 21, ['app']), unreachable());
    const found = told(gone, db1(RECORDED.two.primary), front(RECORDED.two.standby));
    expect(found[0]).toBe(
      'problem postgres.two-primaries: front (timeline 2) and db1 (timeline 1) both take writes: what is written to one is missing on the other',
    );
    expect(found[1]).toMatch(/^problem host.unreachable: app1 cannot be reached/);
    expect(seen(db1(RECORDED.two.primary), front(RECORDED.two.standby)).database).toMatchObject({
      primary: 'front',
      writable: ['front', 'db1'],
      timeline: 2,
    });
    expect(code(db1(RECORDED.two.primary), front(RECORDED.two.standby))).toBe(3);
  });
  it('with two writable primaries names the one that took over as the one to be kept', () => {
    const of = (old: HostStatus): string =>
      judge(seen(old, front(RECORDED.two.standby), pool1())).alerts.find(
        ({ id }) => id === 'postgres.two-primaries',
      )?.next ?? '';
    const old = db1(RECORDED.two.primary);
    // The recorded PgBouncer leads to db1, the old one.
    const next =
      "front took over, for it is on the newest timeline: keep it, wherever PgBouncer leads. On db1, at once: systemctl stop 'postgresql@*'. Then odoo-prov apply FILE, which leads the clients to front; then odoo-prov rejoin FILE --host db1, which saves the rows that only db1 has";
    expect(of(old)).toBe(next);
    const armed = [{ scenario: 'primary-cut-off', secondsLeft: 143 }];
    expect(of({ ...old, failoverTest: { by: null, armed } })).toBe(
      `${next}. A failover-test has left primary-cut-off broken on db1, and rejoin is refused until it is healed: it heals by itself in 143 s. At once, as root on db1: sh /run/odoo-prov/failover-test/primary-cut-off`,
    );
    expect(of({ ...old, failoverTest: { by: 'root@ops', armed } })).toBe(next);
    const same = changed(RECORDED.two.primary, '"timeline":1', '"timeline":2');
    expect(of(db1(same))).toContain('find out which of them PgBouncer uses');
  });
  it('with a standby that lacks WAL which nobody has', () => {
    const waits = changed(RECORDED.streaming.standby, '"status":"streaming"', '"status":"waiting"');
    const gone = { walGone: '000000020000000000000016\n' };
    expect(judge(seen(db1(), front(waits, gone))).alerts).toContainEqual({
      severity: 'problem',
      id: 'postgres.wal-gone',
      host: 'front',
      message:
        'front lacks WAL (000000020000000000000016) that db1 no longer has: it cannot catch up',
      next: 'odoo-prov rejoin FILE --host front copies everything anew',
    });
    // What it said a moment ago counts no more once it receives.
    expect(told(db1(), front(RECORDED.streaming.standby, gone))).toEqual([]);
    // One that cannot replay as far as it must takes no connections.
    const failed = 'failed\nFATAL:  the database system is not yet accepting connections';
    expect(told(db1(), front(failed, gone))).toContain(
      'problem postgres.wal-gone: front lacks WAL (000000020000000000000016) that db1 no longer has: it cannot catch up',
    );
  });
  it('without a primary among those that answered', () => {
    const alone = changed(RECORDED.streaming.standby, '"status":"streaming"', '"status":"waiting"');
    expect(told(front(alone))).toEqual([
      'problem postgres.no-primary: no database host that answered takes writes: Odoo cannot save anything',
      'problem postgres.not-streaming: front receives nothing',
    ]);
    // Only the standby was asked: it streams, so there is a primary.
    expect(judge({ ...seen(front()), allDatabases: false }).alerts).toEqual([]);
    expect(judge({ ...seen(front(alone)), allDatabases: false }).alerts).toHaveLength(2);
  });
  it('whose primary is not in the inventory is not well: the standbys say where it is', () => {
    expect(judge(seen(front()))).toMatchObject({
      alerts: [
        {
          severity: 'problem',
          id: 'postgres.no-primary',
          message: 'front receives from a primary that is not in this inventory: 198.51.100.129',
          next: expect.stringContaining('put that host back into the inventory') as string,
        },
      ],
      exitCode: 3,
    });
  });
  it('whose primary cannot be reached and sends to a standby may well take writes', () => {
    const gone = silentHost(testHost('db1', 129, ['pg-primary']), unreachable());
    const [alert] = judge(seen(gone, front())).alerts;
    expect(alert).toMatchObject({
      id: 'postgres.no-primary',
      message:
        'no database host that answered takes writes, but front receives from db1, which cannot be reached from here',
      next: expect.stringContaining('find out why SSH does not get to db1') as string,
    });
  });
  it('whose primary is only stopped is started; not so data that a standby is beyond', () => {
    const next = (standby: string): string | undefined => {
      const databases = STOPPED_DATABASES.replace('yes', 'no');
      const old = answered('db1', 129, ['pg-primary'], { postgres: 'down', databases });
      const { alerts } = judge(seen(old, front(standby)));
      return alerts.find(({ id }) => id === 'postgres.down')?.next;
    };
    const alone = changed(RECORDED.streaming.standby, '"status":"streaming"', '"status":"waiting"');
    expect(next(alone)).toContain('odoo-prov apply FILE starts it');
    expect(next(changed(alone, '"timeline":1', '"timeline":2'))).toBe(
      'it was primary before another one, which was not seen: bring that host back, then odoo-prov rejoin FILE --host db1',
    );
  });
  it('with a standby that lags says by how much, and the limit', () => {
    expect(told(db1(RECORDED.lagging.primary), front(running))).toContain(
      'problem postgres.lag: front lags by 37 MB (limit 16 MB)',
    );
    const near = changed(RECORDED.lagging.primary, '38513344', String(16 * 1024 ** 2));
    expect(told(db1(near), front(running)).some((line) => line.includes('front lags'))).toBe(false);
  });
  it('with a standby whose replay is paused, which is why it lags', () => {
    const found = told(db1(RECORDED.lagging.primary), front(RECORDED.lagging.standby));
    expect(found.filter((line) => line.includes('front'))).toEqual([
      'problem postgres.paused: front receives and does not replay, for replay was paused, and lags by 37 MB',
    ]);
  });
  it('with a standby that has less than its primary, which must not be told to go on', () => {
    const more = changed(
      RECORDED.lagging.primary,
      '"max_connections":100',
      '"max_connections":140',
    );
    const [alert] = judge(seen(db1(more), front(RECORDED.lagging.standby))).alerts.filter(
      ({ id }) => id === 'postgres.paused',
    );
    expect(alert?.message).toBe(
      'front receives and does not replay, for it has less than its primary: max_connections 100 instead of 140, and lags by 37 MB',
    );
    expect(alert?.next).toBe(
      'odoo-prov apply FILE restarts front with as much; not pg_wal_replay_resume(), which ends it',
    );
  });
  it('with a standby that has more than its primary, which could not follow it', () => {
    const more = (text: string): string =>
      changed(text, '"max_connections":100', '"max_connections":260');
    const primary = RECORDED.streaming.primary;
    const standby = more(RECORDED.streaming.standby);
    const larger = (text: string): readonly unknown[] =>
      judge(seen(db1(text), front(standby))).alerts.filter(({ id }) => id === 'postgres.larger');
    expect(larger(primary)).toEqual([
      {
        ...{ severity: 'warning', id: 'postgres.larger', host: 'front' },
        message:
          'front runs with max_connections 260, the primary db1 with max_connections 100: db1 could not follow front',
        next: 'odoo-prov apply FILE gives both what the inventory says; until then switchover to front is refused',
      },
    ]);
    expect(larger(more(primary))).toEqual([]);
    // What it waits for is told by itself, and a switchover restarts it.
    const waits = changed(primary, '"waiting":[]', '"waiting":["max_connections"]');
    expect(larger(waits)).toEqual([]);
    expect(told(db1(waits), front(standby))).toContain(
      'warning postgres.restart: PostgreSQL on db1 waits for a restart to take in max_connections',
    );
  });
  it('with a standby that somebody paused before the primary was moved', () => {
    const paused = changed(
      RECORDED.lagging.standby,
      /"receiver":\{[^}]*\}/.exec(RECORDED.lagging.standby)?.[0] ?? '',
      '"receiver":null',
    );
    expect(
      told(
        db1(changed(RECORDED.lagging.primary, '"name":"front"', '"name":"other"')),
        front(paused),
      ),
    ).toContain(
      'problem postgres.paused: front receives nothing from db1, and lags by 37 MB: its replay was paused, and it goes over to db1 only when that ends',
    );
  });
  it('with a standby that shows old data', () => {
    const slow = changed(
      changed(RECORDED.lagging.primary, '38513344', '1000'),
      '"lagSeconds":5.109805',
      '"lagSeconds":45',
    );
    const running = changed(
      RECORDED.lagging.standby,
      '"replayPaused":true',
      '"replayPaused":false',
    );
    expect(told(db1(slow), front(running))).toContain(
      'warning postgres.old: front shows data that is 45 s old (limit 30 s)',
    );
  });
  it('with a standby that has replayed all it got, while some more is on its way: that is no lag', () => {
    const awake = changed(
      changed(RECORDED.lagging.primary, '38513344', '1760'),
      '"lagSeconds":5.109805',
      '"lagSeconds":null',
    );
    const oldData = (standby: string): readonly string[] =>
      told(db1(awake), front(standby)).filter((line) => line.includes('front'));
    const idle = changed(running, '"replayedAge":14.867378', '"replayedAge":540');
    expect(oldData(changed(idle, '"position":67108864', '"position":105622208'))).toEqual([]);
    expect(oldData(idle)).toEqual([
      'warning postgres.old: front shows data that is 9 min old (limit 30 s)',
    ]);
  });
  it('with a standby that is shut down', () => {
    const down = front('down', { databases: STOPPED_DATABASES });
    const found = told(db1(RECORDED.stopped.primary), down);
    expect(found).toContain(
      'problem postgres.down: PostgreSQL on front is not running, its data is shut down in recovery',
    );
    // Its unit is not told once more.
    expect(found.filter((line) => line.includes('front'))).toHaveLength(1);
    expect(seen(db1(RECORDED.stopped.primary), down).database.members[1]).toMatchObject({
      state: 'down',
      slot: { active: false, retained: 1864 },
    });
  });
  it('with a standby left behind on an older timeline', () => {
    const old = changed(RECORDED.streaming.standby, '"status":"streaming"', '"status":"waiting"');
    expect(told(db1(RECORDED.two.standby), front(old))).toEqual([
      'problem postgres.not-streaming: front receives nothing from db1 (it is on timeline 1, the primary on 2)',
    ]);
    // The primary's history says that its timeline goes on from there.
    const known = db1(RECORDED.two.standby, { databases: forkedAt('75FE850') });
    expect(told(known, front(old))).toEqual([
      'problem postgres.not-streaming: front receives nothing from db1, and lags by 70 MB (it is on timeline 1, the primary on 2)',
    ]);
    const [alert] = judge(seen(db1(RECORDED.two.standby), front(old))).alerts;
    expect(alert?.next).toContain('odoo-prov apply FILE lets it follow');
  });
  it('with data of another cluster', () => {
    const other = changed(RECORDED.streaming.standby, '7710786257102789661', '99');
    expect(told(db1(), front(other))).toEqual([
      'problem postgres.other-cluster: front holds another database cluster (99) than the primary (7710786257102789661)',
    ]);
  });
  it('whose commits wait for a synchronous standby that is not there', () => {
    const text = changed(RECORDED.stopped.primary, 'Names":""', 'Names":"ANY 1 (front)"');
    expect(told(db1(text))).toContain(
      'problem postgres.synchronous: writes on db1 wait: no synchronous standby (ANY 1 (front)) is connected',
    );
    const held = changed(RECORDED.streaming.primary, 'Names":""', 'Names":"ANY 1 (front)"');
    const quorum = changed(held, '"sync":"async"', '"sync":"quorum"');
    expect(told(db1(quorum))).toEqual([]);
    // Frozen, and connected until wal_sender_timeout is over.
    expect(told(db1(changed(quorum, '"commitsWaiting":0', '"commitsWaiting":2')))).toEqual([
      'problem postgres.synchronous: writes on db1 wait: 2 commits wait for the word of a standby for more than 1 s, though front is connected',
    ]);
  });
  it.each([
    ['lost', 'problem postgres.slot-lost'],
    ['unreserved', 'problem postgres.slot-unreserved'],
    ['extended', 'warning postgres.slot-unused'],
  ])('with a slot that is %s', (state, alert) => {
    const text = changed(RECORDED.stopped.primary, '"reserved","', `"${state}","`);
    expect(told(db1(text)).some((line) => line.startsWith(alert))).toBe(true);
  });
  it('with its connections in use, of those that are not for superusers', () => {
    const used = (count: number): string =>
      changed(RECORDED.streaming.primary, '"used":2', `"used":${String(count)}`);
    expect(told(db1(used(77)))).toEqual([]);
    expect(told(db1(used(78)))).toEqual([
      'warning postgres.connections: db1 has 78 of 97 connections in use (limit 80 %)',
    ]);
    expect(code(db1(used(93)))).toBe(3);
  });
  it('with a standby that went past the point where another took over', () => {
    const text = changed(RECORDED.streaming.standby, '"pastFork":false', '"pastFork":true');
    expect(told(db1(RECORDED.streaming.primary), front(text))).toContain(
      'problem postgres.past-fork: front went on with the old primary past the point where db1 took over, and cannot follow: it shows old data',
    );
    const next = (primary: string): string | undefined =>
      judge(seen(db1(primary), front(text))).alerts.find(({ id }) => id === 'postgres.past-fork')
        ?.next;
    // It asks for its own timeline for a moment, again and again; or it has gone over to the new one, and does not know.
    const promoted = changed(RECORDED.streaming.primary, '"timeline":1', '"timeline":2');
    expect(next(promoted)).toBe('odoo-prov rejoin FILE --host front');
    expect(next(RECORDED.streaming.primary)).toBe(
      'on front: systemctl stop postgresql@*; then odoo-prov rejoin FILE --host front, which saves the rows that only it has',
    );
  });
  it('with a standby that is stopped says what takes it back: a start, or a rejoin', () => {
    const services = units({ 'postgresql@17-main.service': 'postgres' }, []);
    const primary = answered('db1', 129, ['pg-primary'], {
      ...{ services, postgres: RECORDED.two.standby },
      databases:
        '/var/lib/postgresql/17/main\t7710786257102789661\t2\tno\tin production\truns\t2@0/9000100 0@0/0 2 1@0/9000000',
    });
    const next = (words: string): string | undefined =>
      judge(
        seen(primary, front('down', { databases: `${STOPPED_DATABASES}\t${words}` })),
      ).alerts.find(({ id }) => id === 'postgres.down')?.next;
    expect(next('stopped\t1@0/8000000 1@0/9000000 0')).toContain('odoo-prov apply FILE starts it');
    expect(next('stopped\t1@0/8000000 1@0/9000100 0')).toBe(
      'it went on past the point where db1 took over, and cannot follow: odoo-prov rejoin FILE --host front',
    );
  });
  it('with data that a rejoin has started by itself names the rejoin only, and no unit to be started', () => {
    const services = units(
      { 'postgresql@17-main.service': 'postgres', 'odoo-prov-postgres-guard.service': 'postgres' },
      ['inactive dead', 'inactive dead'],
    );
    const alerts = (standby: string, server: string): readonly unknown[] => {
      const databases = `${STOPPED_DATABASES.replace('yes', standby)}\t${server}\t1@0/8000000 1@0/9000000 0`;
      return judge(seen(db1(), front('down', { services, databases }))).alerts.filter(
        ({ host }) => host === 'front',
      );
    };
    const rejoining = {
      ...{ severity: 'problem', id: 'postgres.down', host: 'front' },
      message:
        'a rejoin of front has not come to its end: it has started its data by itself, to look for rows that only it has, and runs or was cut off',
      next: 'if it does not run: the same command again brings it to its end, odoo-prov rejoin FILE --host front; start nothing there by hand',
    };
    expect(alerts('yes', 'compared')).toEqual([rejoining]);
    // An old primary's.
    expect(alerts('no', 'compared')).toEqual([rejoining]);
    // Where no rejoin stopped it, the guard is told.
    expect(alerts('yes', 'stopped')).toMatchObject([
      { message: 'odoo-prov-postgres-guard on front is inactive' },
      { id: 'postgres.down' },
    ]);
  });
  it('with a standby that gets nothing while a process on the primary holds its slot: how that is freed', () => {
    const cut = changed(RECORDED.streaming.standby, /"receiver":\{[^}]*\}/, '"receiver":null');
    const next = (primary: string): string | undefined =>
      judge(seen(db1(primary), front(cut))).alerts.find(({ id }) => id === 'postgres.not-streaming')
        ?.next;
    const log = 'on front: the newest file in /var/log/postgresql/odoo-prov says why';
    expect(next(RECORDED.streaming.primary)).toBe(
      'its slot front is held by process 3281 on db1. One whose connection was cut ends by itself (wal_sender_timeout); else, as postgres: ' +
        'select pg_terminate_backend(3281), and kill -CONT 3281 where ps shows it stopped (T); never kill -9, which ends all of ' +
        `PostgreSQL there. Also ${log}`,
    );
    expect(next(changed(RECORDED.streaming.primary, '"pid":3281', '"pid":null'))).toBe(log);
  });
  it('with a standby whose last start failed says of what, and not that a start is enough', () => {
    const startFailed = 'FATAL: recovery aborted because of insufficient parameter settings';
    const down = front('down', { databases: STOPPED_DATABASES, startFailed: `${startFailed}\n` });
    const [alert] = judge(seen(db1(), down)).alerts;
    expect(alert).toMatchObject({
      id: 'postgres.down',
      message: `PostgreSQL on front is not running, its data is shut down in recovery; its last start failed: ${startFailed}`,
      next: expect.stringMatching(
        /^mend what its last start failed of, then odoo-prov apply FILE starts it/,
      ) as string,
    });
  });
  it('with a standby that was rewound and never started is not told to hold no database', () => {
    const down = front('absent', { databases: STOPPED_DATABASES });
    const [alert] = judge(seen(db1(RECORDED.stopped.primary), down)).alerts;
    expect(alert).toMatchObject({
      ...{ id: 'postgres.down', next: expect.stringContaining('apply FILE starts it') as string },
    });
  });
  it('with standbys only, since a move was cut off, names the failover that ends it', () => {
    const services = units({ 'postgresql@17-main.service': 'postgres' }, []);
    const alone = changed(RECORDED.streaming.standby, '"status":"streaming"', '"status":"waiting"');
    const nexts = (standby: string): readonly string[] => {
      const databases = STOPPED_DATABASES.replace('\tyes\t', `\t${standby}\t`);
      const old = answered('db1', 129, ['pg-primary'], { services, postgres: 'down', databases });
      return judge(seen(old, front(alone)))
        .alerts.filter(({ id }) => id !== 'postgres.not-streaming')
        .map(({ next }) => next);
    };
    expect(nexts('yes')).toEqual([
      expect.stringContaining(
        'a move of the primary was cut off: the same command again brings it to its end; or odoo-prov failover FILE',
      ),
      'the command again by which the primary was moved, or odoo-prov failover FILE, first: apply refuses until one is primary',
    ]);
    // Apply lets nobody through then.
    const databases = STOPPED_DATABASES;
    const old = answered('db1', 129, ['pg-primary'], { services, postgres: 'down', databases });
    const held = judge(
      seen(old, front(alone), pool1(PGBOUNCER_124.replace('0\t0\n', '1\t0\n'))),
    ).alerts.find(({ id }) => id === 'pgbouncer.paused');
    expect(held?.next).toBe(
      'a move of the primary was cut off: the same command again, or odoo-prov failover FILE, promotes one and lets them through',
    );
    // A primary's data is there: it is started.
    expect(nexts('no')).toEqual([
      expect.stringContaining('odoo-prov apply FILE'),
      expect.stringContaining('odoo-prov apply FILE starts it'),
    ]);
  });
  it('with a primary that its guard keeps down does not say that apply starts it', () => {
    const services = units({ 'postgresql@17-main.service': 'postgres' }, []);
    const alone = changed(RECORDED.streaming.standby, '"status":"streaming"', '"status":"waiting"');
    const why = '2026-11-29T03:00:00Z: 198.51.100.131 knows timeline 3, this data ends on 1';
    const databases = `${STOPPED_DATABASES.replace('\tyes\t', '\tno\t')}\nfenced ${why}\n`;
    const old = answered('db1', 129, ['pg-primary'], { services, postgres: 'down', databases });
    expect(old.fenced).toBe(why);
    const nexts = judge(seen(old, front(alone))).alerts.filter(({ id }) =>
      ['postgres.down', 'postgres.no-primary'].includes(id),
    );
    expect(nexts.map(({ next }) => next)).toEqual([
      'bring the host back that took over from db1. Only if there is none, or it is lost: odoo-prov failover FILE (--dry-run shows how)',
      `its guard keeps it down, and apply does not start it: fenced at ${why}. Bring the host back that has taken over, then odoo-prov rejoin FILE --host db1; where a failover was cut: odoo-prov failover FILE again. If all other database hosts are lost for good: touch /run/odoo-prov/postgres-lone-start on db1, then odoo-prov apply FILE`,
    ]);
    // Once a primary is there, only a rejoin is left.
    const rejoin = judge(seen(old, front(RECORDED.two.standby))).alerts.map(({ next }) => next);
    expect(rejoin).toContain(
      "its data is no standby's any more (standby.signal is gone): odoo-prov rejoin FILE --host db1",
    );
    const stopped = databases.replace('shut down in recovery', 'shut down');
    const primary = answered('db1', 129, ['pg-primary'], {
      ...{ services, postgres: 'down', databases: stopped },
    });
    expect(
      judge(seen(primary, front(RECORDED.two.standby))).alerts.map(({ next }) => next),
    ).toContain('it was primary before: odoo-prov rejoin FILE --host db1');
  });
  it('with an old primary that has just booted, whose units are not active yet, names the rejoin only', () => {
    const starting = units(
      { 'postgresql.service': 'postgres', 'postgresql@17-main.service': 'postgres' },
      ['inactive dead', 'activating start-pre'],
    );
    const stopped = STOPPED_DATABASES.replace('\tyes\t', '\tno\t').replace(' in recovery', '');
    const old = (postgres: string): HostStatus =>
      db1(postgres, { services: starting, databases: stopped });
    const { alerts } = judge(seen(old('down'), front(RECORDED.two.standby)));
    expect(alerts.filter(({ host }) => host === 'db1')).toMatchObject([
      { id: 'postgres.down', next: 'it was primary before: odoo-prov rejoin FILE --host db1' },
    ]);
    // One that is up, and would not be after the next boot.
    expect(told(old(RECORDED.streaming.primary))).toContain(
      'problem service.down: postgresql on db1 is inactive',
    );
  });
  it('with a configuration that is not what it should be, or would not start', () => {
    const clean = '"own":true,"errors":[],"doors":[],"off":[],"waiting":[]';
    const all =
      '"own":false,"errors":["/x.conf line 2: syntax error"],"doors":[],"off":["fsync off","ssl off"],"waiting":["max_connections"]';
    const text = changed(RECORDED.streaming.primary, clean, all);
    expect(told(db1(text))).toEqual([
      'problem postgres.file: PostgreSQL on db1 would not start again: /x.conf line 2: syntax error',
      'problem postgres.off: PostgreSQL on db1 runs with fsync off and ssl off',
    ]);
    // What is not understood may be why nothing is known of its own file.
    const gone = changed(text, '["/x.conf line 2: syntax error"]', '[]');
    expect(told(db1(gone))[0]).toBe(
      'problem postgres.settings: PostgreSQL on db1 does not read its settings: conf.d/50-odoo-prov.conf is gone, or postgresql.conf does not include it',
    );
    const waits = changed(
      RECORDED.streaming.primary,
      '"waiting":[]',
      '"waiting":["max_connections"]',
    );
    expect(told(db1(waits))).toEqual([
      'warning postgres.restart: PostgreSQL on db1 waits for a restart to take in max_connections',
    ]);
  });
  it('with settings that wait and would not be what is wanted names the file, and asks for no restart', () => {
    const named =
      '"waiting":["max_connections","max_wal_senders","shared_buffers"],"over":[{"name":"max_connections","file":"/etc/postgresql/17/main/conf.d/90-mine.conf","line":3},{"name":"shared_buffers","file":"/var/lib/postgresql/17/main/postgresql.auto.conf","line":4}]';
    const text = changed(RECORDED.streaming.primary, '"waiting":[],"over":[]', named);
    const alerts = judge(seen(db1(text))).alerts.map(({ message, next }) => `${message}: ${next}`);
    expect(alerts).toEqual([
      'PostgreSQL on db1 waits for a restart to take in max_wal_senders: odoo-prov apply FILE --restart-primary (users wait meanwhile)',
      "PostgreSQL on db1 waits for a restart to take in max_connections of /etc/postgresql/17/main/conf.d/90-mine.conf line 3, which is read after odoo-prov's own file: take it out there, or set it in the inventory (postgres.settings) as well; then odoo-prov apply FILE. A restart before that takes in the other value",
      'PostgreSQL on db1 waits for a restart to take in shared_buffers of /var/lib/postgresql/17/main/postgresql.auto.conf line 4: somebody used ALTER SYSTEM: odoo-prov apply FILE takes it out again, without a restart',
    ]);
  });
  it('with a door in pg_hba.conf that nobody needs a password for', () => {
    const line = '/etc/postgresql/17/main/pg_hba.conf line 9: host all all 0.0.0.0/0.0.0.0 trust';
    const text = changed(RECORDED.streaming.primary, '"doors":[]', `"doors":["${line}"]`);
    expect(told(db1(text))).toEqual([
      `problem postgres.doors: PostgreSQL on db1 lets clients in without a password or without TLS, from its last or next reload on: ${line}`,
    ]);
  });
  it('with what ALTER SYSTEM said and the server has not read', () => {
    const text = changed(
      RECORDED.streaming.primary,
      '"unread":[]',
      '"unread":["fsync","work_mem"]',
    );
    expect(told(db1(text))).toEqual([
      'warning postgres.unread: PostgreSQL on db1 takes in fsync and work_mem of postgresql.auto.conf with its next reload or start: somebody used ALTER SYSTEM',
    ]);
  });
  it('with a limit that keeps Odoo out, above or below what is planned', () => {
    const limits = [
      { what: 'the database acme', limit: null, closed: 'ALLOW_CONNECTIONS false' },
      { what: 'the database acme', limit: 0 },
      { what: 'the role odoo', limit: 5000 },
      { what: 'the role replicator', whose: 'replication', limit: 1, needed: 4 },
      { what: 'the role replicator', whose: 'replication', limit: 4, needed: 4 },
      { what: 'the role reporting', whose: 'reporting', limit: 2, needed: 5 },
      { what: 'the role reporting', whose: 'reporting', limit: -1, needed: 5 },
      { what: 'the role odoo', limit: null, closed: 'VALID UNTIL 2020-01-01 00:00:00 UTC' },
      { what: 'the role odoo', limit: -1, expires: 2 * 86_400 },
      { what: 'the role replicator', whose: 'replication', limit: -1, expires: 40 * 86_400 },
    ].map((limit) => ({ whose: 'odoo', closed: null, needed: null, expires: null, ...limit }));
    const text = changed(
      RECORDED.streaming.primary,
      '"limits":[]',
      `"limits":${JSON.stringify(limits)}`,
    );
    const { expected } = seen().budget;
    const guards =
      'standbys and their guards need up to 4 connections, and those beyond the limit are refused';
    const beyond = `Odoo is expected to hold ${String(expected)} connections, and those beyond the limit are refused`;
    expect(told(db1(text))).toEqual([
      'problem postgres.limit: the database acme on db1 lets nobody in: ALLOW_CONNECTIONS false',
      `problem postgres.limit: the database acme on db1 has a CONNECTION LIMIT of 0: ${beyond}`,
      `problem postgres.limit: the role replicator on db1 has a CONNECTION LIMIT of 1: ${guards}`,
      `problem postgres.limit: the role reporting on db1 has a CONNECTION LIMIT of 2: the inventory gives reports 5 connections, and those beyond the limit are refused`,
      'problem postgres.limit: the role odoo on db1 lets nobody in: VALID UNTIL 2020-01-01 00:00:00 UTC',
      'problem postgres.limit: the role odoo on db1 has a VALID UNTIL: in 2 d its password lets nobody in any more',
      `warning postgres.limit: the role odoo on db1 has a CONNECTION LIMIT of 5000: ${beyond}`,
      `warning postgres.limit: the role replicator on db1 has a CONNECTION LIMIT of 4: ${guards}`,
      `warning postgres.limit: the role reporting on db1 has no CONNECTION LIMIT: the inventory gives reports 5 connections, and they may take more`,
      'warning postgres.limit: the role replicator on db1 has a VALID UNTIL: in 40 d its password lets nobody in any more',
    ]);
  });
  it('with an archive that fails, and one that fails for too long', () => {
    expect(told(db1(RECORDED.lagging.primary))[0]).toBe(
      'warning postgres.archive: db1 cannot archive 000000010000000000000003, and has never archived anything: 3 segments wait, the oldest for 13 s (limit 5 min)',
    );
    const long = changed(RECORDED.lagging.primary, '12.854919', '301');
    expect(told(db1(long))[0]).toMatch(/^problem postgres.archive: db1 cannot archive/);
    const slow = changed(long, '"failing":true', '"failing":false');
    expect(told(db1(slow))[0]).toMatch(/^warning postgres.archive: db1 is slow to archive WAL/);
  });
  it('with a repository that is full: why, since when, and once what to do', () => {
    const before = changed(
      RECORDED.lagging.primary,
      '"last":null,"lastAge":null',
      '"last":"000000010000000000000002","lastAge":40',
    );
    const said = `"error":"unable to write '/srv/repo/archive/x': [28] No space left on device"`;
    const text = changed(before, '"error":null', said);
    const nexts = (...hosts: readonly HostStatus[]): readonly string[] =>
      judge(seen(...hosts)).alerts.map(({ next }) => next);
    const keeper = (available: number): HostStatus => ({
      ...answered('backup1', 81, [], {}),
      backup: {
        ...{ message: 'full', ok: false, running: false, archivedTo: null, hole: null },
        newest: { label: '20261122-222411F', type: 'full', age: 60, damaged: false },
        room: { path: '/srv/repo', available },
      },
    });
    const all = told(db1(text), keeper(4096));
    expect(all).toContain(
      "warning postgres.archive: db1 cannot archive 000000010000000000000003, and has archived nothing for 40 s: 3 segments wait, the oldest for 13 s (limit 5 min). pgBackRest says: unable to write '/srv/repo/archive/x': [28] No space left on device",
    );
    expect(all).toContain(
      'problem backup.repository: the backup repository on backup1 is full: 4 kB left in /srv/repo, and neither WAL nor a backup finds room',
    );
    const full = nexts(db1(text), keeper(4096));
    expect(full.filter((next) => next.includes('pgbackrest --stanza=acme expire'))).toHaveLength(1);
    expect(full).toContain(
      'make room in /srv/repo on backup1; until it works, a lost disk loses what waits',
    );
    // A quota: the file system has room.
    const quota = nexts(db1(text.replace('[28]', '[122]')), keeper(10 ** 9));
    expect(quota.filter((next) => next.includes('pgbackrest --stanza=acme expire'))).toHaveLength(
      1,
    );
  });
  it('with a transaction that no job may hold for so long', () => {
    const text = changed(RECORDED.streaming.primary, 'Transaction":null', 'Transaction":7300');
    expect(told(db1(text))).toEqual([
      'warning postgres.transaction: a transaction on db1 has been open for 2 h (limit 60 min): vacuum waits for it',
    ]);
  });
});

describe('PgBouncer', () => {
  it('that leads to another host than the primary', () => {
    const moved = idle.replaceAll('198.51.100.129', '198.51.100.131');
    expect(told(db1(), front(), pool1(moved))).toEqual([
      'problem pgbouncer.target: PgBouncer on pool1 sends the database odoo to front, but db1 takes the writes',
      'problem pgbouncer.target: PgBouncer on pool1 sends the database postgres to front, but db1 takes the writes',
    ]);
    // Nobody knows where it should lead when the primary was not asked.
    expect(told(pool1(moved))).toEqual([]);
  });
  it('whose clients wait', () => {
    expect(told(pool1())).toEqual([
      'warning pgbouncer.waiting: 1 client waits in PgBouncer on pool1 for the database odoo, the first for 4.5 s (limit 1.0 s)',
    ]);
    expect(code(pool1(PGBOUNCER_124.replace('4\t500000', '11\t0')))).toBe(3);
  });
  it('that is paused, silent or stopped', () => {
    expect(told(pool1(idle.replace('0\t0\n', '1\t0\n')))[0]).toBe(
      'problem pgbouncer.paused: PgBouncer on pool1 has the database odoo paused: its clients wait',
    );
    expect(told(pool1('psql: error: no'))).toEqual([
      'problem pgbouncer.silent: PgBouncer on pool1 does not answer: psql: error: no',
    ]);
    // Stopped is told once.
    expect(told(pool1('psql: error: no', 'inactive dead'))).toEqual([
      'problem service.down: pgbouncer on pool1 is inactive',
    ]);
  });
});

describe('the rest', () => {
  it('Redis: full, without its file, silent', () => {
    expect(told(redis1(REDIS.replace('786152', '120795956')))).toEqual([
      'warning redis.memory: Redis on redis1 uses 90 % of 128 MB (limit 90 %): sessions are pushed out',
    ]);
    expect(told(redis1(REDIS.replace('write_status:ok', 'write_status:err')))[0]).toMatch(
      /^problem redis.file/,
    );
    expect(told(redis1('NOAUTH Authentication required.'))).toEqual([
      'problem redis.silent: Redis on redis1 does not answer: NOAUTH Authentication required.',
    ]);
  });
  it('Odoo: a worker short, none, sick, stopped, failing again and again', () => {
    expect(told(app1('app 3 4 200'))).toEqual([
      'warning odoo.app-processes: odoo-app on app1 has 3 of 4 processes',
    ]);
    expect(told(app1('app 0 4 000'))[0]).toMatch(/^problem odoo.app-processes/);
    expect(told(app1('app 4 4 500'))).toEqual([
      'problem odoo.app-health: odoo-app on app1 answers 500 on its health page',
    ]);
    expect(told(app1('app 0 4 000', 'failed failed'))).toEqual([
      'problem service.down: odoo-app on app1 is failed',
    ]);
    expect(told(app1('app 0 4 000', 'activating auto-restart'))).toEqual([
      'problem service.down: odoo-app on app1 fails and is started again and again',
    ]);
    expect(told(app1('app 0 4 000', 'activating start'))[0]).toMatch(/^warning service.down/);
  });
  it('Odoo: jobs that nobody runs, by the word of the primary', () => {
    const jobs = (overdue: number): string => `{"active":9,"lastRunAge":30,"overdue":${overdue}}`;
    const services = units({ 'postgresql@17-main.service': 'postgres' }, []);
    const texts = { services, postgres: RECORDED.streaming.primary };
    const at = (overdue: number): HostStatus =>
      answered('db1', 129, ['pg-primary'], { ...texts, jobs: jobs(overdue) });
    expect(told(at(LIMITS.jobOverdue))).toEqual([]);
    expect(told(at(LIMITS.jobOverdue + 1))).toEqual([
      'warning odoo.jobs-overdue: a scheduled job of Odoo is overdue for 15 min (limit 15 min)',
    ]);
  });
  it('an edge: no answer, an old certificate, none', () => {
    expect(told(edge1('502 0.1'))).toEqual(['problem edge.answer: Odoo answers 502 through edge1']);
    expect(told(edge1('200 0.1', -2))).toEqual([
      'problem edge.certificate: the certificate of edge1 expired 2 d ago (limit 3 d)',
    ]);
    expect(told(edge1('200 0.1', 14.1))).toEqual([]);
    expect(code(edge1('200 0.1', 2.9))).toBe(3);
  });
  it('a host: little room, a dead mount, little memory, never set up, a part that hangs', () => {
    const services = units({ 'redis-server.service': 'redis' }, []);
    const room = (system: string): HostStatus =>
      answered('redis1', 61, ['redis'], { services, redis: REDIS, system });
    expect(told(room(SYSTEM))).toEqual([
      'problem host.mount: /srv/odoo on redis1 gives no answer: its mount is dead',
      'problem host.disk: /var/lib/postgresql on redis1 has 5 % left, 48 MB (limit 5 %)',
    ]);
    expect(told(room(ROOMY.replace('135276587008 135', '1270000000000 135')))).toEqual([
      'warning host.disk: / on redis1 has 9 % left, 126 GB (limit 10 %)',
    ]);
    expect(told(room(ROOMY.replace('2019732', '100000')))).toEqual([
      'warning host.memory: redis1 has 2 % of its memory left (limit 5 %)',
    ]);
    expect(told(answered('redis1', 61, ['redis'], { services: '\n\n', redis: 'no' }))).toEqual([
      'problem host.not-set-up: redis1 was never set up as redis',
    ]);
    expect(told(answered('redis1', 61, ['redis'], { services, system: 'load=' }))[0]).toMatch(
      /^problem host.unknown: redis1 does not tell about system/,
    );
  });

  it('a filestore whose snapshots are missing or old', () => {
    const saved = (text: string): ReturnType<typeof answered> =>
      answered('backup1', 81, [], { services: '\n\n', filestoreBackup: text });
    const now = 1_795_000_000;
    const at = (age: number, calendar = 'hourly'): string =>
      `${String(now)}\n${calendar}\n${String(now - age)}.25\n`;
    expect(told(saved(at(3000)))).toEqual([]);
    expect(told(saved(at(4 * 3600)))).toEqual([
      'warning backup.filestore: the newest snapshot of the filestore is 4 h old (limit 3 h)',
    ]);
    expect(code(saved(at(27 * 3600)))).toBe(3);
    expect(told(saved(at(4 * 3600, '*-*-* 02:00:00')))).toEqual([]);
    expect(told(saved(`${String(now)}\nhourly\n`))).toEqual([
      'problem backup.filestore: there is no snapshot of the filestore',
    ]);
  });

  it('a backup: none, old, damaged, being made', () => {
    const timers = {
      'odoo-prov-backup-full.timer': 'backup',
      'odoo-prov-backup-diff.timer': 'backup',
    };
    const backup = (
      age: number,
      { damaged = false, message = 'ok', sets = 1, held = false, diff = 'active waiting' } = {},
    ): HostStatus => {
      const set = { label: 'L', type: 'full', error: damaged, timestamp: { stop: 0 } };
      const stanza = {
        status: { code: message === 'ok' ? 0 : 2, message, lock: { backup: { held } } },
        backup: Array.from({ length: sets }, () => set),
        archive: [],
      };
      return answered('backup1', 81, [], {
        services: units(timers, ['active waiting', diff]),
        backup: `${String(age)}\n${JSON.stringify([stanza])}`,
        archive: '',
      });
    };
    expect(told(backup(25 * 3600))).toEqual([]);
    expect(told(backup(27 * 3600))).toEqual([
      'warning backup.age: the newest backup is 27 h old (limit 26 h)',
    ]);
    expect(code(backup(51 * 3600))).toBe(3);
    const weekly = backup(9 * 86_400, { diff: 'inactive dead' });
    expect(told(weekly)).toContain('warning backup.age: the newest backup is 9 d old (limit 8 d)');
    expect(told(backup(1, { damaged: true }))[0]).toMatch(/^problem backup.damaged/);
    const none = { message: 'no valid backups', sets: 0 };
    expect(told(backup(1, none))).toEqual([
      'problem backup.repository: the backup repository on backup1 says: no valid backups',
    ]);
    expect(told(backup(1, { ...none, held: true }))).toEqual([
      'warning backup.repository: the first backup is being made on backup1: there is none yet',
    ]);
  });
});

describe('an archive with a hole', () => {
  const name = (number: number): string => `00000001000000000000000${String(number)}`;
  const info = JSON.stringify([
    {
      status: { code: 0, message: 'ok' },
      archive: [{ id: '17-1', min: name(2), max: name(9) }],
      backup: [
        {
          ...{ label: 'L', type: 'full', timestamp: { start: 0, stop: 0 } },
          ...{ lsn: { stop: '0/4000100' }, archive: { stop: name(4) } },
          info: { size: 1, repository: { delta: 1 } },
        },
      ],
    },
  ]);
  const backup1 = (...runs: readonly string[]): HostStatus =>
    answered('backup1', 81, [], {
      services: '\n\n',
      backup: `1\n${info}`,
      archive: [info, '', `${runs.join('\n')}\n`].join(`\n${PART}\n`),
    });

  it('is a problem, since nothing that was written later can be restored', () => {
    expect(told(backup1(`${name(4)} ${name(6)} 10`, `${name(8)} ${name(9)} 20`))).toEqual([
      `problem backup.hole: the archive lacks ${name(7)}: nothing that was written after it can be restored`,
    ]);
    expect(told(backup1(`${name(4)} ${name(9)} 20`))).toEqual([]);
  });
});

describe('the exit code', () => {
  it('is 4 as soon as a host is unreachable, whatever else is wrong', () => {
    const gone = silentHost(testHost('app1', 21, ['app']), unreachable());
    expect(code(gone, redis1('no'))).toBe(4);
    expect(code(gone)).toBe(4);
  });
  it('is 3 for a host that was reached and could not be asked', () => {
    const failure = new Failure({ reason: 'sudo-password', message: 'sudo', remedy: 'do' });
    const silent = silentHost(testHost('app1', 21, ['app']), failure);
    expect(code(silent)).toBe(3);
    expect(told(silent)).toEqual(['problem host.silent: app1 could not be asked: sudo']);
  });
  it('goes with an alert that says what to do', () => {
    const gone = silentHost(testHost('app1', 21, ['app']), unreachable());
    const { alerts } = judge(seen(gone, redis1('no'), db1(RECORDED.lagging.primary)));
    expect(alerts.length).toBeGreaterThan(2);
    for (const { next } of alerts) expect(next).toMatch(/\w/);
  });
});

function unreachable(): Failure {
  return new Failure({
    reason: 'unreachable',
    message: '198.51.100.21 port 22: no route to the host',
    remedy: 'check that 198.51.100.21 is up',
  });
}
