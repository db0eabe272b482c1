import { describe, expect, test } from 'vitest';
import { lintCluster, type Finding } from '../../src/inventory/index.js';
import { clusterOf } from './inventory-text.js';

const MACHINE = 'memory: 16GB, cores: 8';

function one(users: number, machine = MACHINE, more = ''): string {
  return `
odoo: { users: ${users}, domain: erp.acme.com }
${more}
hosts:
  one: { address: 198.51.100.11, ${machine}, roles: [edge, app, cron, gevent, pgbouncer, redis, pg-primary] }
`;
}

const APART = `
odoo: { users: 300, domain: erp.acme.com }
filestore: { type: posix }
hosts:
  edge1: { address: 198.51.100.11, ${MACHINE}, roles: [edge] }
  edge2: { address: 198.51.100.12, ${MACHINE}, roles: [edge] }
  app1: { address: 198.51.100.21, ${MACHINE}, roles: [app] }
  app2: { address: 198.51.100.22, ${MACHINE}, roles: [app] }
  app3: { address: 198.51.100.23, ${MACHINE}, roles: [app] }
  app4: { address: 198.51.100.24, ${MACHINE}, roles: [app] }
  cron1: { address: 198.51.100.31, ${MACHINE}, roles: [cron] }
  gevent1: { address: 198.51.100.41, ${MACHINE}, roles: [gevent] }
  data1: { address: 198.51.100.51, ${MACHINE}, roles: [pgbouncer, redis, pg-primary] }
`;

function about(text: string, subject: Finding['subject']): readonly Finding[] {
  return lintCluster(clusterOf(text)).filter((finding) => finding.subject === subject);
}

function said(text: string, subject: Finding['subject']): readonly string[] {
  return about(text, subject).map(({ severity, host, message }) =>
    [severity, ...(host === undefined ? [] : [host]), message].join(': '),
  );
}

describe('the five principles', () => {
  test('each is always answered, once', () => {
    for (const text of [one(50), APART]) {
      const subjects = lintCluster(clusterOf(text)).map(({ subject }) => subject);
      expect(subjects.filter((subject) => typeof subject === 'number')).toEqual([1, 2, 3, 4, 5]);
    }
  });

  test.each([
    { users: 200, severity: 'note' },
    { users: 201, severity: 'warning' },
    { users: 500, severity: 'warning' },
    { users: 501, severity: 'error' },
  ])('1: one machine for $users users is a $severity', ({ users, severity }) => {
    expect(about(one(users), 1)).toEqual([
      {
        severity,
        subject: 1,
        message:
          'users, cron and websockets have processes of their own, but share the machine on one',
        advice: 'fine for up to 200 users; next, give cron and gevent hosts of their own',
      },
    ]);
  });

  test('1 holds when each has hosts of its own', () => {
    expect(said(APART, 1)).toEqual([
      'fine: users, cron and websockets have processes and hosts of their own',
    ]);
  });

  test('2: two primaries, should a cluster be built without the inventory’s check', () => {
    const cluster = clusterOf(one(50));
    const twice = { ...cluster, hosts: [...cluster.hosts, ...cluster.hosts] };
    expect(lintCluster(twice).find(({ subject }) => subject === 2)?.severity).toBe('error');
  });

  test.each([
    { users: 50, severity: 'warning' },
    { users: 300, severity: 'error' },
  ])('3: an edge that cannot see a local filestore, $users users', ({ users, severity }) => {
    const text = `
odoo: { users: ${users} }
hosts:
  web1: { address: 198.51.100.11, roles: [edge] }
  all1: { address: 198.51.100.12, roles: [app, cron, gevent, pgbouncer, redis, pg-primary] }
`;
    expect(said(text, 3)).toEqual([
      `${severity}: attachments are on Odoo's host, which web1 cannot see: no X-Accel, ` +
        'so an Odoo worker is busy for as long as each download takes',
    ]);
  });

  test('3 holds on one machine and with a shared mount', () => {
    expect(about(one(50), 3)[0]?.severity).toBe('fine');
    expect(said(APART, 3)).toEqual([
      'fine: nginx serves static files itself and attachments by X-Accel from /srv/odoo',
    ]);
  });

  test('4 and 5: settings that the inventory’s check would have refused', () => {
    const cluster = clusterOf(one(50));
    const blind = lintCluster({
      ...cluster,
      postgres: {
        ...cluster.postgres,
        settings: { shared_preload_libraries: 'auto_explain', autovacuum: false },
      },
    });
    expect(
      blind.filter(({ severity }) => severity === 'error').map(({ subject }) => subject),
    ).toEqual([4, 5]);
  });
});

describe('capacity', () => {
  test('a cluster that fits', () => {
    expect(said(APART, 'users')).toEqual([
      'fine: 68 workers carry about 408 concurrent users; 300 are wanted',
    ]);
    expect(said(APART, 'connections')).toEqual([
      "fine: Odoo holds about 156 connections (at most 736 of 10000), PgBouncer's pools 200 + 20, PostgreSQL 240",
    ]);
    expect(said(APART, 'memory')).toEqual(['fine: every host has the memory its roles need']);
  });

  test('too many users for the machine', () => {
    expect(said(one(200), 'users')).toEqual([
      'warning: 12 workers carry about 72 concurrent users; 200 are wanted',
    ]);
  });

  test('a host that is too small for its roles', () => {
    expect(said(one(50, 'memory: 1GB, cores: 2'), 'memory')).toEqual([
      'warning: one: its roles (edge, app, cron, gevent, pgbouncer, redis, pg-primary) need 2.6 GB, it has 1.0 GB',
    ]);
  });

  test('pools larger than PostgreSQL, smaller than Odoo, and too few clients', () => {
    const small = 'postgres: { settings: { max_connections: 50 } }';
    expect(said(one(50, MACHINE, small), 'connections')).toEqual([
      "error: PgBouncer's pools want 50 + 20 connections, PostgreSQL has 50, 3 of them for superusers",
    ]);
    const tight = 'pgbouncer: { max_client_conn: 100, settings: { default_pool_size: 10 } }';
    expect(said(one(50, MACHINE, tight), 'connections')).toEqual([
      'error: 15 processes of Odoo keep a connection each, the pool of PgBouncer has 10: in session mode the others wait until one ends',
      "warning: Odoo's processes may ask for 168 connections, PgBouncer takes 100: it would refuse some",
    ]);
    const scarce = 'pgbouncer: { settings: { max_db_connections: 20 } }';
    expect(said(one(50, MACHINE, scarce), 'connections')).toEqual([
      "warning: Odoo's processes hold about 35 connections, the pool of PgBouncer has 20: they will wait",
    ]);
  });

  test('several PgBouncers: each must carry what comes when another is down, PostgreSQL all of them', () => {
    const two = APART.replace(
      /  data1.*\n/,
      (line) => `${line}  pool2: { address: 198.51.100.61, ${MACHINE}, roles: [pgbouncer] }\n`,
    );
    expect(said(two, 'connections')).toEqual([
      "fine: Odoo holds about 156 connections (at most 736 of 10000), PgBouncer's pools 200 + 20 on each of 2 hosts, PostgreSQL 460",
    ]);
    expect(said(`postgres: { settings: { max_connections: 300 } }${two}`, 'connections')).toEqual([
      "error: PgBouncer's pools want 2 × (200 + 20) connections, PostgreSQL has 300, 3 of them for superusers",
    ]);
    expect(said(`pgbouncer: { settings: { default_pool_size: 60 } }${two}`, 'connections')).toEqual(
      [
        'error: 77 processes of Odoo keep a connection each, the pool of each PgBouncer has 60: in session mode the others wait until one ends',
      ],
    );
  });

  test('transaction pooling: fewer server connections, and what it means', () => {
    const text = `pgbouncer: { pool_mode: transaction }${APART}`;
    expect(said(text, 'connections')).toEqual([
      "fine: Odoo holds about 156 connections (at most 736 of 10000), PgBouncer's pools 100 + 20, PostgreSQL 140",
      'note: pool_mode: transaction: a process of Odoo has a server connection only while it is in a transaction of odoo; ' +
        'what a session keeps (SET, LISTEN, session advisory locks, temporary tables) is gone after each',
    ]);
    const few = `pgbouncer: { pool_mode: transaction, settings: { default_pool_size: 40 } }${APART}`;
    expect(said(few, 'connections')[0]).toBe(
      'warning: 77 processes of Odoo may be in a transaction at once and need a second connection, ' +
        'the pool of PgBouncer has 40: when all are busy they wait for each other',
    );
  });

  test('machines that nobody told of are named; facts that are handed in are used', () => {
    const text = one(50, 'weight: 1');
    expect(said(text, 'memory')).toEqual([
      'note: memory and cores are not given for one: connections and memory were not checked',
    ]);
    const known = lintCluster(clusterOf(text), () => ({ memory: 16 * 1024 ** 3, cores: 8 }));
    expect(known.find(({ subject }) => subject === 'memory')?.severity).toBe('fine');
  });
});

describe('availability', () => {
  test('one machine', () => {
    expect(said(one(50), 'availability')).toEqual([
      'note: everything is on one: its loss is an outage until it is back',
    ]);
  });

  test('every single point is named with what stops', () => {
    expect(said(APART, 'availability')).toEqual([
      'note: cron1: the only cron: while it is down, no scheduled job runs',
      'note: gevent1: the only gevent: while it is down, no live chat or notification arrives',
      'note: data1: the only pg-primary: while it is down, Odoo has no database',
      'note: data1: the only pgbouncer: while it is down, Odoo has no database',
      'note: data1: the only redis: while it is down, nobody is logged in',
      'note: /srv/odoo must be the same mount on edge1, edge2, app1, app2, app3, app4, cron1, gevent1',
    ]);
  });

  test('names that must lead here', () => {
    expect(said(one(50), 'names')).toEqual([]);
    expect(said(APART, 'names')).toEqual(['note: 2 ways in: edge1, edge2']);
    const made = one(50).replace(', domain: erp.acme.com', '');
    expect(said(made, 'names')).toEqual(['note: acme.example resolves nowhere']);
  });
});

describe('shared_buffers of the inventory', () => {
  const lintOf = (value: string, machine: string): readonly string[] =>
    said(one(50, machine, `postgres: { settings: { shared_buffers: ${value} } }`), 'memory').filter(
      (text) => text.includes('shared_buffers'),
    );
  test.each(['16GB', '32GB', '16384MB', '2097152'])('%s of 16 GB is refused', (value) => {
    expect(lintOf(value, MACHINE)).toEqual([
      expect.stringMatching(
        /^error: one: PostgreSQL would not start: shared_buffers \d+\.0 GB of 16\.0 GB memory$/,
      ),
    ]);
  });
  test.each(['8GB', '1048576', "' 8192 MB '"])('%s of 16 GB is a warning', (value) => {
    expect(lintOf(value, MACHINE)).toEqual([
      'warning: one: shared_buffers 8.0 GB is more than 40 % of its 16.0 GB: little is left for the rest',
    ]);
  });
  test.each(['4GB', '524288', 'much'])('%s of 16 GB is not', (value) => {
    expect(lintOf(value, MACHINE)).toEqual([]);
  });
  test('is looked at where only the memory is known', () => {
    expect(lintOf('20GB', 'memory: 16GB')).toHaveLength(1);
    expect(lintOf('20GB', 'cores: 2')).toEqual([]);
  });
});

describe('backup', () => {
  const keeper = (more: string): string =>
    APART.replace('filestore:', `postgres: { backup: { ${more} } }\nfilestore:`);

  test('nothing archived: a warning for several hosts, a note for one', () => {
    const message = 'nothing is archived: a lost disk or a wrong DELETE is lost data';
    expect(said(APART, 'backup')).toEqual([`warning: ${message}`]);
    expect(said(one(50), 'backup')).toEqual([`note: ${message}`]);
  });

  test('a host of its own needs no roles', () => {
    const text = `${keeper('host: backup1')}  backup1: { address: 198.51.100.61, ${MACHINE} }\n`;
    expect(said(text, 'backup')).toEqual([
      'fine: WAL, backups and attachments are kept on backup1',
    ]);
    expect(said(text.replace('host: backup1', 'host: backup1, filestore: off'), 'backup')).toEqual([
      'fine: WAL and backups are kept on backup1',
      'note: attachments are not saved with the database: filestore: off',
    ]);
    expect(clusterOf(text).postgres.backup).toEqual({
      host: 'backup1',
      full: 'Sun *-*-* 01:00:00',
      diff: 'Mon..Sat *-*-* 01:00:00',
      filestore: 'hourly',
      keep: 2,
      path: '/var/lib/pgbackrest',
    });
  });

  test('the database host, accepted, is still warned of', () => {
    expect(said(keeper('host: data1, accept_same_host: true'), 'backup')).toEqual([
      'warning: data1: keeps the data and its backups: with this host both are gone',
    ]);
  });

  test('schedules: words and OnCalendar', () => {
    const plans = (more: string): unknown => {
      const backup = clusterOf(keeper(`host: app4, ${more}`)).postgres.backup;
      return [backup?.full, backup?.diff];
    };
    expect(plans('full: daily')).toEqual(['*-*-* 01:00:00', undefined]);
    expect(plans('full: "Sat 02:30"')).toEqual(['Sat 02:30', '*-*-* 01:00:00']);
    expect(plans('diff: off')).toEqual(['Sun *-*-* 01:00:00', undefined]);
  });
});
