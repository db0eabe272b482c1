import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { powerCut } from '../../src/lab/index.js';
import { databaseOf } from '../../src/odoo/layout.js';
import { PGBOUNCER_CONSOLE } from '../../src/odoo/pgbouncer.js';
import { reveal } from '../../src/shell/index.js';
import { readTemplates } from '../../src/template/package-files.js';
import { renderTemplate } from '../../src/template/render.js';
import { bareCluster, type BareCluster } from '../support/bare-cluster.js';
import { must } from '../support/host-shell.js';
import { testLabDown } from '../support/lab.js';
import { buildProgram, printed, recapOf, type ProgramEnd } from '../support/program.js';
import { repositoryRoot } from '../support/repository.js';

/** Odoo itself is never installed: `--role` leaves web1 out, and clients run on db1. */
const INVENTORY = `
cluster: pgbouncer
odoo: { users: 5 }
hosts:
  web1: { address: 198.51.100.31, roles: [edge, app, cron, gevent] }
  db1: { address: 198.51.100.11, roles: [pg-primary] }
  pool1: { address: 198.51.100.21, roles: [pgbouncer] }
  pool2: { address: 198.51.100.22, roles: [pgbouncer] }
`;
const MEMORY = 6 * 1024 ** 3;
/** A pool that `lint` allows: web1 has fewer processes. */
const SESSIONS = 8;
const CLIENTS = 10_000;
/** Milliseconds for them: pgbench derives SCRAM's keys for each anew, which takes minutes of two cores. */
const CLIENTS_TIMEOUT = 1_800_000;
/** Seconds in which bus, cron and HTTP must be back after a power cut. */
const PROMISED = 60;

const POSTGRES_SHELL =
  'cd / && setpriv --reuid=postgres --regid=postgres --init-groups psql -XAtq -v ON_ERROR_STOP=1 -d odoo';
const ENVIRONMENT =
  'PGPASSFILE=/root/pgpass PGCONNECT_TIMEOUT=3 PGSERVICEFILE=/root/pg_service.conf PGSERVICE=odoo';

let cluster: BareCluster;
let transaction: string;

const apply = (file: string, ...roles: readonly string[]): Promise<ProgramEnd> =>
  cluster.run(['apply', file, '--json', ...roles.flatMap((role) => ['--role', role])]);
const on = (host: string, script: string): Promise<string> => must(cluster.shell(host), script);
const pools = (host: string): Promise<string> =>
  on(host, `cd / && ${PGBOUNCER_CONSOLE} -c 'SHOW POOLS'`);
const settingsOf = (data: Readonly<Record<string, unknown>>, pgbouncer: object) => ({
  ...data,
  pgbouncer,
});

beforeAll(async () => {
  buildProgram();
  const wished = join(mkdtempSync(join(tmpdir(), 'odoo-prov-pgbouncer-')), 'pgbouncer.yaml');
  writeFileSync(wished, INVENTORY);
  cluster = await bareCluster(wished, {
    name: 'pools',
    memory: MEMORY,
    change: (data) => settingsOf(data, { settings: { default_pool_size: SESSIONS } }),
  });
  const end = await apply(cluster.file, 'pg-primary', 'pgbouncer');
  expect(end.code, printed(end)).toBe(0);
  transaction = cluster.variant('transaction', (data) =>
    settingsOf(data, { pool_mode: 'transaction', settings: { default_pool_size: SESSIONS } }),
  );
  const service = renderTemplate(readTemplates().get('odoo/pg_service.conf.hbs') ?? '', {
    service: 'odoo',
  });
  const client = readFileSync(join(repositoryRoot, 'test/support/pool-client.py'), 'utf8');
  await on(
    'db1',
    `umask 077
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-psycopg2 >/dev/null
cat >/root/pgpass <<'end-of-file'
*:*:*:odoo:${await cluster.secret('odoo-db-password')}
end-of-file
cat >/root/pg_service.conf <<'end-of-file'
${reveal(service)}
end-of-file
cat >/root/pool-client.py <<'end-of-file'
${client}
end-of-file`,
  );
});
afterAll(() => testLabDown('pools'));

describe('transaction pooling', () => {
  it('is refused while an add-on that needs sessions is installed, and nothing is changed', async () => {
    await on(
      'db1',
      `${POSTGRES_SHELL} -c "CREATE TABLE ir_module_module (name text, state text)" ` +
        `-c "GRANT SELECT ON ir_module_module TO odoo" ` +
        `-c "INSERT INTO ir_module_module VALUES ('queue_job', 'installed')"`,
    );
    const end = await apply(transaction, 'pgbouncer');
    expect(end.code, printed(end)).toBe(3);
    const failed = end.events.find(({ type }) => type === 'host-failed');
    expect(failed?.failure?.found).toBe('queue_job');
    expect(await on('pool1', 'grep ^pool_mode /etc/pgbouncer/pgbouncer.ini')).toBe(
      'pool_mode = session\n',
    );
    await on('db1', `${POSTGRES_SHELL} -c "UPDATE ir_module_module SET state = 'uninstalled'"`);
  });

  it(
    'then serves 10,000 clients over few server connections, and none fails',
    async () => {
      const end = await apply(transaction, 'pgbouncer');
      expect(end.code, printed(end)).toBe(0);
      const bench = readFileSync(join(repositoryRoot, 'bench/pgbouncer-clients.sh'), 'utf8');
      const said = await on(
        'db1',
        `cat >/root/clients.sh <<'end-of-file'
${bench}
end-of-file
${ENVIRONMENT} sh /root/clients.sh ${cluster.addressOf('pool1')} odoo ${CLIENTS} 5 2>&1`,
      );
      expect(said).toContain(`actually processed: ${CLIENTS * 5}/${CLIENTS * 5}`);
      expect(said).toContain('number of failed transactions: 0 ');
      const servers = await on(
        'pool1',
        `cd / && ${PGBOUNCER_CONSOLE} -c 'SHOW SERVERS' | awk -F'|' '$3 == "odoo"' | wc -l`,
      );
      expect(Number(servers)).toBeLessThanOrEqual(SESSIONS);
    },
    CLIENTS_TIMEOUT,
  );

  it('lets nothing of one client reach the next, and keeps sessions on the database postgres', async () => {
    const psql = `${ENVIRONMENT} psql -XAtq -h ${cluster.addressOf('pool2')} -p 6432 -U odoo`;
    const seen = await on(
      'db1',
      `export ${ENVIRONMENT}
${psql} -d odoo -c "SET SESSION lock_timeout = '15s'" -c 'SHOW lock_timeout'
${psql} -d odoo -c 'SHOW lock_timeout'
${psql} -d postgres -c "SET SESSION lock_timeout = '15s'" -c 'SHOW lock_timeout'`,
    );
    expect(seen.trim().split('\n')).toEqual(['0', '0', '15s']);
  });

  it('is found as it should be by the next run', async () => {
    const end = await apply(transaction, 'pg-primary', 'pgbouncer');
    expect([end.code, recapOf(end).changed], printed(end)).toEqual([0, 0]);
  });
});

describe('session pooling', () => {
  beforeAll(async () => {
    const end = await apply(cluster.file, 'pgbouncer');
    expect(end.code, printed(end)).toBe(0);
  });

  it('lets client N + 1 wait in the queue, and serves it when one leaves', async () => {
    await on(
      'db1',
      `rm -f /run/pool-client.go
${ENVIRONMENT} setsid timeout 200 python3 /root/pool-client.py queue ${cluster.addressOf('pool1')} ${SESSIONS} >/root/queue.log 2>&1 &`,
    );
    expect(await until('/root/queue.log', 'waiting')).toMatchObject({ still: true });
    // database|user|cl_active|cl_waiting|…
    expect(await pools('pool1')).toContain(`odoo|odoo|${SESSIONS}|1|`);
    await on('db1', 'touch /run/pool-client.go');
    await until('/root/queue.log', 'served');
  });

  it('is cut, paused and resumed by root over the console', async () => {
    const console = `cd / && ${PGBOUNCER_CONSOLE}`;
    await on('pool1', `${console} -c 'KILL odoo'`);
    expect(await on('pool1', `${console} -c 'SHOW DATABASES' | grep ^odoo`)).toMatch(/\|1\|0\n$/);
    await on('pool1', `${console} -c 'RESUME odoo' -c 'RELOAD'`);
    await on(
      'db1',
      `${ENVIRONMENT} psql -XAtqw -h ${cluster.addressOf('pool1')} -p 6432 -U odoo -d odoo -c 'SELECT 1'`,
    );
  });

  it('has descriptors for all clients', async () => {
    const limits = await on(
      'pool1',
      `cat /proc/"$(systemctl show -P MainPID pgbouncer.service)"/limits`,
    );
    expect(Number(/Max open files +(\d+)/.exec(limits)?.[1])).toBeGreaterThan(10_000);
  });

  it(`loses a PgBouncer by a power cut: who listens and who queries are back within ${PROMISED} s`, async () => {
    const [web1] = cluster.cluster.hosts;
    if (web1 === undefined) throw new Error('no host web1');
    const { host } = databaseOf(cluster.cluster, web1);
    const [first, second] = ['pool1', 'pool2'].map(cluster.addressOf);
    expect(host).toBe(`${String(first)},${String(second)}`);
    await on(
      'db1',
      `${ENVIRONMENT} setsid timeout 600 python3 /root/pool-client.py lost ${host} >/root/lost.log 2>&1 &`,
    );
    expect(await until('/root/lost.log', 'listen')).toMatchObject({ host: first });
    expect(await until('/root/lost.log', 'query')).toMatchObject({ host: first });
    await powerCut(cluster.lab, 'pool1');
    for (const what of ['listen', 'query']) {
      const back = await until('/root/lost.log', what, '"lost"');
      expect(back).toMatchObject({ host: second });
      expect(back['lost'], what).toBeLessThan(PROMISED);
    }
  });
});

/** Waits for the line of the client's log that is about one thing (and has a mark), and reads it. */
async function until(log: string, what: string, mark = ''): Promise<Record<string, unknown>> {
  for (let looked = 0; looked < 300; looked += 1) {
    const line = (await on('db1', `cat ${log}`))
      .split('\n')
      .find((each) => each.includes(`"what": "${what}"`) && each.includes(mark));
    if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
    await sleep(500);
  }
  throw new Error(`nothing of ${what}:\n${await on('db1', `cat ${log}`)}`);
}
