import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { parseDocument } from 'yaml';
import { OdooSession, type OdooAccess } from '../src/load/odoo-session.js';
import { Secret } from '../src/shell/index.js';
import { databaseLab, type DatabaseLab } from '../test/support/database-lab.js';
import { odooProv, printed, type ProgramEnd } from '../test/support/program.js';
import { two } from './report.js';

/*
 * `npm run bench:reads`: how much of the primary's work replicas take over. A real Odoo answers the same requests without
 * a replica, with one and with two; PostgreSQL's own pg_stat_statements says which server did how much for it. The two
 * hosts are standbys where they are not replicas, so that the primary sends its WAL to two servers each time.
 */

const DOMAIN = 'reads.example.com';
const MACHINE = { memory: '2GB', cores: 2 };
const INVENTORY = {
  odoo: {
    source: { debian: { accept_unstable: true } },
    domain: DOMAIN,
    database: 'acme',
    users: 20,
  },
  filestore: { type: 'posix' },
  hosts: {
    web1: {
      address: '198.51.100.11',
      roles: ['edge', 'app', 'cron', 'gevent', 'pgbouncer', 'redis'],
      ...MACHINE,
    },
    web2: { address: '198.51.100.12', roles: ['app'], ...MACHINE },
    db1: { address: '198.51.100.71', roles: ['pg-primary'], ...MACHINE },
    db2: { address: '198.51.100.72', roles: ['pg-standby'], ...MACHINE },
    db3: { address: '198.51.100.73', roles: ['pg-standby'], ...MACHINE },
  },
};
const SERVERS = ['db1', 'db2', 'db3'];
const USERS = 4;
/** Of each user, in each of the three runs. */
const REQUESTS = 100;
/** Every how many requests of a user one writes; the seed documents speak of reads, and people save now and then. */
const WRITES = 10;

interface Work {
  readonly calls: number;
  readonly milliseconds: number;
}

function must(end: ProgramEnd): ProgramEnd {
  if (end.code !== 0) throw new Error(printed(end));
  return end;
}

/** Makes the first so many of db2 and db3 replicas, the others standbys. */
async function withReplicas(lab: DatabaseLab, count: number): Promise<void> {
  const inventory = parseDocument(readFileSync(lab.inventory, 'utf8'));
  ['db2', 'db3'].forEach((host, place) => {
    inventory.setIn(['hosts', host, 'roles'], [place < count ? 'pg-replica' : 'pg-standby']);
  });
  writeFileSync(lab.inventory, inventory.toString());
  must(await lab.run('apply', '--json', '--restart-primary'));
}

/** What Odoo's role had a server do since the last reset. */
async function workOf(lab: DatabaseLab, host: string): Promise<Work> {
  const row = await lab.sql(
    host,
    `select coalesce(sum(calls), 0) || ' ' || coalesce(sum(total_exec_time), 0)
from pg_stat_statements where userid = 'odoo'::regrole`,
  );
  const [calls = 0, milliseconds = 0] = row.split(' ').map(Number);
  return { calls, milliseconds };
}

/** One user: lists and forms of partners as the web client asks for them, and now and then a change. */
async function useOdoo(access: OdooAccess, number: number): Promise<void> {
  const session = new OdooSession(access, 0);
  await session.logIn();
  const [own] = (await session.call('res.partner', 'create', [
    [{ name: `Reader ${String(number)}` }],
  ])) as number[];
  for (let turn = 1; turn <= REQUESTS; turn += 1) {
    if (turn % WRITES === 0) {
      await session.call('res.partner', 'write', [[own], { comment: `turn ${String(turn)}` }]);
    } else if (turn % 3 === 0) {
      await session.call('res.partner', 'read', [
        [own],
        ['name', 'email', 'category_id', 'comment'],
      ]);
    } else {
      await session.call('res.partner', 'search_read', [
        [],
        ['name', 'email', 'country_id'],
        0,
        80,
      ]);
    }
  }
  await session.logOut();
  session.close();
}

async function accessTo(lab: DatabaseLab): Promise<OdooAccess> {
  const shown = must(await odooProv(['secrets', lab.inventory, 'show', 'odoo-admin-password']));
  const open = async (): Promise<ReturnType<typeof connect>> => {
    const socket = connect(443, lab.address('web1'));
    await once(socket, 'connect');
    return socket;
  };
  return {
    ways: [{ host: 'web1', open }],
    domain: DOMAIN,
    database: 'acme',
    login: 'admin',
    password: new Secret(shown.stdout.trim()),
    agent: 'odoo-prov-bench',
  };
}

const lab = await databaseLab('reads', INVENTORY);
must(await lab.run('apply', '--json'));

const access = await accessTo(lab);
const rows: string[] = [];
for (const replicas of [0, 1, 2]) {
  await withReplicas(lab, replicas);
  // What the workers load when they start is not what users ask for.
  await Promise.all(Array.from({ length: USERS }, (_, number) => useOdoo(access, number)));
  for (const host of SERVERS) await lab.sql(host, 'select pg_stat_statements_reset()');
  await Promise.all(Array.from({ length: USERS }, (_, number) => useOdoo(access, number)));
  const work = await Promise.all(SERVERS.map((host) => workOf(lab, host)));
  const calls = work.reduce((sum, one) => sum + one.calls, 0);
  const milliseconds = work.reduce((sum, one) => sum + one.milliseconds, 0);
  const [primary = { calls: 0, milliseconds: 0 }] = work;
  rows.push(
    [
      String(replicas).padEnd(9),
      ...work.map((one) => String(one.calls).padStart(8)),
      two(1 - primary.calls / calls).padStart(16),
      two(1 - primary.milliseconds / milliseconds).padStart(16),
    ].join(''),
  );
}
process.stdout.write(
  [
    `${String(USERS)} users, ${String(REQUESTS)} requests each, one in ${String(WRITES)} writes; statements of Odoo a server`,
    'replicas      db1     db2     db3  off: statements     off: time',
    ...rows,
    '',
  ].join('\n'),
);
