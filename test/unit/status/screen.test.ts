import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failure/failure.js';
import { silentHost } from '../../../src/status/host.js';
import type { HostStatus } from '../../../src/status/model.js';
import { judge } from '../../../src/status/rules.js';
import { openScreen } from '../../../src/ui/screen.js';
import { statusToJson } from '../../../src/ui/status-json.js';
import { statusLines } from '../../../src/ui/status.js';
import { styleOf } from '../../../src/ui/style.js';
import { wrap } from '../../../src/ui/text.js';
import { testHost } from '../../support/site.js';
import { PGBOUNCER_124, RECORDED, REDIS } from './recorded.js';
import { answered, app1, db1, edge1, front, pool1, redis1, seen, units } from './statuses.js';

function screen(hosts: readonly HostStatus[], width = 80): string {
  const status = seen(...hosts);
  return `\n${statusLines(status, judge(status), { width, style: styleOf(false) }).join('\n')}\n`;
}

const silent = silentHost(
  testHost('app2', 22, ['app']),
  new Failure({
    reason: 'unreachable',
    message: '198.51.100.22 port 22: no route to the host',
    remedy: 'check that 198.51.100.22 is up and that routes and firewalls let port 22 through',
  }),
);
const jobs = '{"active":9,"lastRunAge":30.2,"overdue":0}';
const services = units({ 'postgresql@17-main.service': 'postgres' }, []);

describe('the screen', () => {
  it('of a cluster of several hosts fits 80 columns without colour', () => {
    const text = screen([
      edge1(),
      app1(),
      silent,
      pool1(),
      redis1(),
      answered('db1', 129, ['pg-primary'], {
        services,
        jobs,
        postgres: RECORDED.lagging.primary,
      }),
      front(RECORDED.lagging.standby),
    ]);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toMatchInlineSnapshot(`
      "
      acme: 2 problems, 2 warnings  7 hosts, 2026-11-22 00:30:12 UTC

      problem  app2 cannot be reached: 198.51.100.22 port 22: no route to the host
         next  check that 198.51.100.22 is up and that routes and firewalls let port
               22 through
      problem  front receives and does not replay, for replay was paused, and lags by
               37 MB
         next  on front, as postgres: select pg_wal_replay_resume()
      warning  db1 cannot archive 000000010000000000000003, and has never archived
               anything: 3 segments wait, the oldest for 13 s (limit 5 min)
         next  on db1: the newest file in /var/log/postgresql/odoo-prov says why;
               until it works, a lost disk loses what waits
      warning  1 client waits in PgBouncer on pool1 for the database odoo, the first
               for 4.5 s (limit 1.0 s)
         next  is PostgreSQL slow or gone, or is the pool smaller than what Odoo
               holds? odoo-prov lint shows the budget

      PostgreSQL: db1 is primary, timeline 1, commits wait for no standby
      host   role     state      timeline    lag  behind  slot
      db1    primary  writable          1      -       -  -
      front  standby  streaming         1  37 MB   5.1 s  active, keeps 0 B
      connections  1 of 100 (0 active, 0 idle in a transaction); budget 100
      archive      nothing counted yet, 3 segments wait, the oldest for 13 s; last
                   failure 000000010000000000000003, 0.8 s ago
      jobs         9 scheduled, last run 30 s ago, none overdue

      PgBouncer  database  clients  waiting  longest  servers  idle  most
      pool1      odoo            2        1    4.5 s        2     4    20
      pool1      postgres        0        0      0 s        0     0    15

      host     load  memory  disk left  services
      edge1    0.42    50 %  / 50 %     nginx 200 in 0.02 s, certificate 300 d
      app1     0.42    50 %  / 50 %     odoo-app 4/4
      app2        -       -  -          198.51.100.22 port 22: no route to the host
      pool1    0.42    50 %  / 50 %     pgbouncer
      redis1   0.42    50 %  / 50 %     redis-server 34 sessions, 768 kB of 128 MB
      db1      0.42    50 %  / 50 %     postgresql@17-main
      front    0.42    50 %  / 50 %     postgresql@17-main
      "
    `);
  });
  it('of a single host has no table of standbys', () => {
    const all = units(
      {
        'nginx.service': 'edge',
        'odoo-app.service': 'app',
        'odoo-cron.service': 'cron',
        'odoo-gevent.service': 'gevent',
        'pgbouncer.service': 'pgbouncer',
        'postgresql.service': 'pg-primary',
        'postgresql@17-main.service': 'pg-primary',
        'redis-server.service': 'redis',
        'apt-daily.timer': 'base',
      },
      [],
    );
    const one = answered(
      'server1',
      129,
      ['edge', 'app', 'cron', 'gevent', 'pgbouncer', 'redis', 'pg-primary'],
      {
        services: all,
        odoo: 'app 2 2 200\ncron 1 1 -\ngevent 1 1 200',
        redis: REDIS,
        jobs,
        postgres: RECORDED.streaming.primary,
        pgbouncer: PGBOUNCER_124.replace('4\t500000', '0\t0').replaceAll(
          '198.51.100.129',
          '127.0.0.1',
        ),
        edge: 'now=1795307874\nanswer=200 0.021\nexpires=Nov 20 01:57:54 2027 GMT',
      },
    );
    expect(screen([one])).toMatchInlineSnapshot(`
      "
      acme: all is well  1 host, 2026-11-22 00:30:12 UTC

      PostgreSQL: server1 is primary, timeline 1, commits wait for no standby
      connections  2 of 100 (0 active, 0 idle in a transaction); budget 100
      jobs         9 scheduled, last run 30 s ago, none overdue

      PgBouncer  database  clients  waiting  longest  servers  idle  most
      server1    odoo            2        1      0 s        2     4    20
      server1    postgres        0        0      0 s        0     0    15

      host      load  memory  disk left  services
      server1   0.42    50 %  / 50 %     nginx 200 in 0.02 s, certificate 363 d,
                                         odoo-app 2/2, odoo-cron 1/1, odoo-gevent,
                                         pgbouncer, postgresql@17-main,
                                         redis-server 34 sessions, 768 kB of 128 MB
      "
    `);
  });
  it('shows nothing that a host could use to command the terminal', () => {
    const odd = answered('redis1', 61, ['redis'], {
      services: units({ 'redis-server.service': 'redis' }, []),
      redis: '\u001b[2JERR \u0007gone',
    });
    expect(screen([odd])).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
  it('breaks lines between words', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('', 5)).toEqual(['']);
    expect(wrap('incomprehensible word', 5)).toEqual(['incomprehensible', 'word']);
  });
});

describe('JSON', () => {
  it('has the fields that docs/status.md promises, failures as plain data', () => {
    const status = seen(silent, db1(), front(), pool1(), redis1());
    const json = JSON.parse(JSON.stringify(statusToJson(status, judge(status)))) as Record<
      string,
      unknown
    > & { hosts: Record<string, unknown>[] };
    expect(Object.keys(json)).toEqual([
      ...['cluster', 'at', 'exitCode', 'alerts', 'database', 'budget', 'hosts'],
    ]);
    expect(json['exitCode']).toBe(4);
    expect(json['database']).toMatchObject({
      primary: 'db1',
      writable: ['db1'],
      members: [
        { host: 'db1', role: 'primary', state: 'writable' },
        { host: 'front', role: 'standby', state: 'streaming', lagBytes: 0, lagSeconds: 0 },
      ],
    });
    expect(Object.keys(json.hosts[0] ?? {}).sort()).toEqual(
      [
        ...['host', 'address', 'roles', 'failure', 'unknown', 'system', 'services', 'postgres'],
        ...[
          'startFailed',
          'walGone',
          'unusable',
          'restoring',
          'restoringTo',
          'fenced',
          'kept',
          'failoverTest',
          'jobs',
          'pgbouncer',
          'redis',
          'odoo',
          'edge',
          'backup',
        ],
        'filestoreBackup',
      ].sort(),
    );
    expect(json.hosts[0]?.['failure']).toMatchObject({ reason: 'unreachable' });
  });
});

describe('a screen that is drawn again', () => {
  it('is cut to the window, follows its size, and leaves the last picture behind', () => {
    const stream = new PassThrough();
    const chunks: string[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    Object.assign(stream, { columns: 20, rows: 3 });
    const drawn = openScreen(stream as unknown as NodeJS.WriteStream);
    drawn.draw((width) => [`width ${String(width)}`, 'b', 'c', 'd']);
    expect(chunks.join('')).toContain(
      'width 20\u001b[K\r\nb\u001b[K\r\n… 2 more lines: make the window taller',
    );
    Object.assign(stream, { columns: 30, rows: 10 });
    stream.emit('resize');
    expect(chunks.at(-1)).toContain('width 30\u001b[K\r\nb\u001b[K\r\nc\u001b[K\r\nd\u001b[K');
    drawn.close();
    expect(chunks.at(-1)).toBe('\u001b[?25h\u001b[?1049lwidth 30\nb\nc\nd\n');
    expect(stream.listenerCount('resize')).toBe(0);
  });
});
