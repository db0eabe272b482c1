import { describe, expect, it } from 'vitest';
import { parseBackup } from '../../../src/status/backup.js';
import { parseEdge } from '../../../src/status/edge.js';
import { readHost, snippetsOf } from '../../../src/status/host.js';
import { parseJobs } from '../../../src/status/jobs.js';
import { parseOdoo } from '../../../src/status/odoo.js';
import { parsePgbouncer } from '../../../src/status/pgbouncer.js';
import { parsePostgres } from '../../../src/status/postgres.js';
import { parseRedis } from '../../../src/status/redis.js';
import { parseServices } from '../../../src/status/services.js';
import { parseSystem } from '../../../src/status/system.js';
import { testCluster, testHost } from '../../support/site.js';
import {
  PGBOUNCER_118,
  PGBOUNCER_124,
  RECORDED,
  REDIS,
  STOPPED_DATABASES,
  SYSTEM,
} from './recorded.js';

describe('what hosts print', () => {
  it('of PostgreSQL gives position, standbys, slots and archive', () => {
    const status = parsePostgres(RECORDED.lagging.primary, '');
    if (status.server !== 'up') throw new Error(status.why);
    expect(status.data.position).toBe(105_622_208);
    expect(status.data.downstream).toEqual([
      {
        name: 'front',
        address: '198.51.100.131',
        state: 'streaming',
        sync: 'async',
        lagBytes: 38_513_344,
        lagSeconds: 5.109805,
      },
    ]);
    expect(status.data.archive).toMatchObject({ failing: true, waiting: 3, last: null });
  });
  it('of a PostgreSQL that is down gives what its data says', () => {
    expect(parsePostgres('down', STOPPED_DATABASES)).toMatchObject({
      server: 'down',
      why: 'not running, its data is shut down in recovery',
      found: { systemIdentifier: '7710786257102789661', timeline: 1 },
    });
    const copied = STOPPED_DATABASES.replace('shut down in recovery', 'in production');
    expect(parsePostgres('down', copied)).toMatchObject({
      why: "not running, its data is a standby's that was not started yet",
    });
    expect(parsePostgres('down', copied.replace('yes', 'no'))).toMatchObject({
      why: "not running, its data is a primary's that was not shut down",
    });
    expect(parsePostgres('absent', '')).toEqual({
      server: 'absent',
      why: 'there is no database',
      found: null,
    });
    // pg_rewind leaves data that looks as if it had never been started.
    expect(parsePostgres('absent', STOPPED_DATABASES)).toMatchObject({
      server: 'down',
      why: 'not running, its data is shut down in recovery',
    });
    const refused = 'failed\npsql: error: FATAL:  sorry, too many clients already';
    expect(parsePostgres(refused, '')).toMatchObject({
      server: 'failed',
      why: 'psql: error: FATAL:  sorry, too many clients already',
    });
  });
  it('of PostgreSQL in another form is refused, not guessed', () => {
    const broken = RECORDED.streaming.primary.replace('"position":50331648', '"position":"?"');
    expect(broken).not.toBe(RECORDED.streaming.primary);
    expect(() => parsePostgres(broken, '')).toThrow(/position/);
  });
  it('of PgBouncer leaves its own console out and adds up what a pool holds', () => {
    expect(parsePgbouncer(PGBOUNCER_124)).toEqual({
      answers: true,
      pools: [
        {
          database: 'odoo',
          user: 'odoo',
          mode: 'session',
          clientsActive: 2,
          clientsWaiting: 1,
          serversActive: 2,
          serversIdle: 4,
          servers: 6,
          longestWait: 4.5,
        },
      ],
      databases: [
        {
          name: 'odoo',
          host: '198.51.100.129',
          port: 5432,
          size: 20,
          paused: false,
          disabled: false,
          averageQuery: 4.654,
          queries: 7,
        },
        {
          name: 'postgres',
          host: '198.51.100.129',
          port: 5432,
          size: 15,
          paused: false,
          disabled: false,
          averageQuery: 0,
          queries: 0,
        },
      ],
    });
  });
  it('of PgBouncer 1.18 is understood as well', () => {
    const status = parsePgbouncer(PGBOUNCER_118);
    if (!status.answers) throw new Error(status.why);
    expect(status.pools).toMatchObject([{ clientsActive: 1, servers: 1 }]);
    expect(status.databases).toMatchObject([{ name: 'odoo', paused: true }]);
  });
  it('of a PgBouncer that refuses says why', () => {
    const refused =
      'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.6432" failed: No such file or directory\n\tIs the server running locally?';
    expect(parsePgbouncer(refused)).toEqual({ answers: false, why: refused.split('\n')[0] });
  });
  it('of Redis counts sessions; an empty one lists no database', () => {
    expect(parseRedis(REDIS)).toEqual({
      answers: true,
      sessions: 34,
      memory: 786_152,
      maxMemory: 134_217_728,
      evicted: 0,
      clients: 12,
      persists: true,
    });
    expect(parseRedis(REDIS.replace(/db0.*/, ''))).toMatchObject({ sessions: 0 });
    expect(parseRedis(REDIS.replace('write_status:ok', 'write_status:err'))).toMatchObject({
      persists: false,
    });
    const down = 'Could not connect to Redis at 127.0.0.1:6379: Connection refused';
    expect(parseRedis(down)).toEqual({ answers: false, why: down });
  });
  it('of disks is one entry a mount, with the scarcer of bytes and files', () => {
    const status = parseSystem(SYSTEM);
    expect(status).toMatchObject({ load: [0.42, 0.3, 0.25], cores: 2, hanging: ['/srv/odoo'] });
    expect(status.memoryAvailable / status.memory).toBe(0.5);
    expect(status.disks.map(({ mount, free }) => [mount, free])).toEqual([
      ['/', 0.5],
      ['/var/lib/postgresql', 0.05],
    ]);
    const noFiles = SYSTEM.replace(
      '1000 900 /var/lib/postgresql\n',
      '1000 20 /var/lib/postgresql\n',
    );
    expect(parseSystem(noFiles).disks.at(-1)?.free).toBe(0.05);
    expect(parseSystem(SYSTEM.replace('16777216 16000000', '- -')).disks[0]?.free).toBe(0.5);
    expect(() => parseSystem('load=1 1 1')).toThrow(/cores/);
  });
  it('of units names the roles that brought them, and others of ours that failed', () => {
    const text = [
      'base apt-daily.timer',
      'pgbouncer pgbouncer',
      '',
      'Id=pgbouncer.service\nActiveState=active\nSubState=running',
      '',
      'Id=apt-daily.timer\nActiveState=active\nSubState=waiting',
      '',
      'Id=odoo-backup.service\nActiveState=failed\nSubState=failed',
    ].join('\n');
    expect(parseServices(text)).toEqual([
      { unit: 'apt-daily.timer', roles: ['base'], active: 'active', sub: 'waiting' },
      { unit: 'odoo-backup.service', roles: [], active: 'failed', sub: 'failed' },
      { unit: 'pgbouncer.service', roles: ['pgbouncer'], active: 'active', sub: 'running' },
    ]);
    expect(parseServices('\n\n')).toEqual([]);
  });
  it('of Odoo is processes and health; what is missing is an error', () => {
    expect(parseOdoo('app 4 4 200\ncron 1 2 -', ['app', 'cron'])).toEqual([
      { service: 'app', processes: 4, wanted: 4, health: 200 },
      { service: 'cron', processes: 1, wanted: 2, health: null },
    ]);
    expect(() => parseOdoo('app 4 4 200', ['cron'])).toThrow(/cron/);
  });
  it('of an edge is the answer and the days of its certificate', () => {
    const text = 'now=1795307874\nanswer=200 0.021\nexpires=Dec  2 01:57:54 2026 GMT';
    expect(parseEdge(text)).toMatchObject({
      status: 200,
      seconds: 0.021,
      certificate: { expires: '2026-12-02T01:57:54.000Z' },
    });
    expect(parseEdge(text).certificate?.days).toBeCloseTo(10.06, 1);
    expect(parseEdge('now=1\nanswer=000 0.0\nexpires=')).toEqual({
      status: 0,
      seconds: 0,
      certificate: null,
    });
    expect(() => parseEdge('now=1\nanswer=200 0.1\nexpires=soon')).toThrow(/soon/);
  });
  it('of scheduled jobs is null where there are none; of backups the newest', () => {
    expect(parseJobs('\n')).toBeNull();
    expect(parseJobs('{"active":3,"lastRunAge":null,"overdue":0}')).toEqual({
      active: 3,
      lastRunAge: null,
      overdue: 0,
    });
    const info = [
      {
        name: 'main',
        status: { code: 0, message: 'ok' },
        backup: [
          { label: '20261121-010000F', type: 'full', error: false, timestamp: { stop: 1000 } },
          { label: '20261121-010000F_2D', type: 'diff', error: null, timestamp: { stop: 5000 } },
        ],
        archive: [{ id: '17-1', min: '000000010000000000000001', max: '000000010000000000000009' }],
      },
    ];
    expect(parseBackup(`8600\n${JSON.stringify(info)}`)).toEqual({
      message: 'ok',
      ok: true,
      running: false,
      room: null,
      newest: { label: '20261121-010000F_2D', type: 'diff', age: 3600, damaged: false },
      archivedTo: '000000010000000000000009',
    });
    const left = (bytes: number): unknown =>
      parseBackup(`8600 ${String(bytes)} /srv/repo\n${JSON.stringify(info)}`);
    const room = { path: '/srv/repo', available: 16 * 1024 ** 2 };
    expect(left(room.available)).toMatchObject({ message: 'ok', ok: true, room });
    expect(left(room.available - 1)).toMatchObject({ message: 'full', ok: false });
  });
});

describe('a host', () => {
  const all = ['edge', 'app', 'cron', 'gevent', 'pgbouncer', 'redis', 'pg-primary'] as const;
  const one = testHost('server1', 11, all);
  const cluster = testCluster([one]);

  it('is asked for what its roles have, without a secret', () => {
    const names = snippetsOf(cluster, one).map(({ name }) => name);
    expect(names).toEqual([
      ...[
        'system',
        'services',
        'kept',
        'failoverTest',
        'databases',
        'postgres',
        'startFailed',
        'walGone',
        'unusable',
        'jobs',
        'pgbouncer',
        'redis',
        'odoo',
      ],
      ...['edge'],
    ]);
    expect(snippetsOf(cluster, one).some(({ script }) => script.hasSecrets)).toBe(false);
    const edge = testHost('edge1', 12, ['edge']);
    expect(snippetsOf(testCluster([one, edge]), edge).map(({ name }) => name)).toEqual([
      ...['system', 'services', 'kept', 'failoverTest', 'edge'],
    ]);
  });
  it('tells which part it did not answer, and the rest', () => {
    const outputs = new Map([
      ['system', { text: SYSTEM, code: 0 }],
      ['kept', { text: '/var/lib/postgresql/17/main.before-rejoin-1\n', code: 0 }],
      ['redis', { text: '', code: 124 }],
      ['pgbouncer', { text: 'psql: gone', code: 2 }],
      ['postgres', { text: 'up\n{}', code: 0 }],
    ]);
    const host = readHost(one, outputs);
    expect(host.unknown.map(({ part }) => part)).toEqual(['postgres', 'pgbouncer', 'redis']);
    expect(host.unknown.slice(1).map(({ why }) => why)).toEqual([
      'it ended with code 2: psql: gone',
      'no answer within 8 s',
    ]);
    expect(host.system?.cores).toBe(2);
    expect(host.kept).toEqual(['/var/lib/postgresql/17/main.before-rejoin-1']);
    expect([host.redis, host.postgres]).toEqual([null, null]);
  });
});
