import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { fullCluster, type FullCluster } from '../support/full-lab.js';
import { changed, invocations, planned } from '../support/host-state.js';
import { hostRecaps, odooProv, printed, recapOf } from '../support/program.js';
import { countSsh, logSessions } from '../support/ssh-log.js';

let full: FullCluster;
beforeAll(async () => {
  full = await fullCluster();
});

/** What the program checks after an apply: every service from every edge, cron, and where sessions are. */
function expectedChecks(): readonly string[] {
  const edges = ['edge1', 'edge2'].flatMap((edge) => [
    `${edge}: login page`,
    ...['app1', 'app2', 'app3'].map((app) => `${edge}: ${app} /web/health`),
    ...['gevent1', 'gevent2'].map((gevent) => `${edge}: ${gevent} /websocket/health`),
  ]);
  const cron = ['cron1: cron alive', 'cron2: cron alive'];
  return [...edges, ...cron, 'edge1: session stored in Redis'].sort();
}

describe('the full cluster of twelve hosts', () => {
  it('converges from bare hosts, and serves', async () => {
    const end = await full.apply(['--verify']);
    expect(end.code, printed(end)).toBe(0);
    expect(recapOf(end)).toMatchObject({ failed: 0, unreachable: 0, exitCode: 0 });
    expect(Object.keys(hostRecaps(end)).sort()).toEqual([...full.hosts].sort());
    const checks = end.events.filter(({ type }) => type === 'verify-checked');
    expect(checks.filter(({ ok }) => ok !== true)).toEqual([]);
    const names = checks.map(({ host, check }) => `${host ?? ''}: ${check ?? ''}`);
    expect(names.sort()).toEqual(expectedChecks());
  });

  it('has PostgreSQL, Redis, PgBouncer, nginx and Odoo where the inventory says, by their own word', async () => {
    const units = Object.keys(await invocations(full)).filter((unit) => !unit.includes('apt-'));
    expect(units.sort()).toEqual(
      [
        ...['app1', 'app2', 'app3'].map((app) => `${app} odoo-app.service`),
        ...['cron1', 'cron2'].map((cron) => `${cron} odoo-cron.service`),
        ...['edge1', 'edge2'].map((edge) => `${edge} nginx.service`),
        ...['gevent1', 'gevent2'].map((gevent) => `${gevent} odoo-gevent.service`),
        'pg1 postgresql.service',
        'pg1 postgresql@17-main.service',
        'pgbouncer1 pgbouncer.service',
        'redis1 redis-server.service',
      ].sort(),
    );
    const clients = await full.must(
      'pg1',
      `runuser -u postgres -- psql -XAtqc "select distinct client_addr from pg_stat_activity where datname = 'odoo' and client_addr is not null"`,
    );
    const pgbouncer = full.cluster.hosts.find(({ name }) => name === 'pgbouncer1');
    expect(clients.trim()).toBe(pgbouncer?.address);
    const failed = await full.mustAll(
      `systemctl --failed --plain --no-legend | grep -v modules-load || :`,
    );
    expect(Object.values(failed).join('')).toBe('');
  });

  it('says where Odoo answers and how to log in, after a rehearsal', async () => {
    const end = await odooProv(['rehearse', '--plain', full.file]);
    expect(end.code, printed(end)).toBe(0);
    const shown = await odooProv(['secrets', full.inventory, 'show', 'odoo-admin-password']);
    const edge = full.cluster.hosts.find(({ name }) => name === 'edge1')?.address ?? '';
    expect(end.stdout).toContain(`https://${edge}/`);
    expect(end.stdout).toContain(`admin, password ${shown.stdout.trim()}\n`);
  });

  it('changes nothing the second time, over one connection and one exec per host', async () => {
    await logSessions(full);
    const before = await invocations(full);
    let end = await full.apply(['--check']);
    const used = await countSsh(full, async () => {
      end = await full.apply(['--detailed-exitcode']);
    });
    expect(end.code, printed(end)).toBe(0);
    expect([...planned(end), ...changed(end)]).toEqual([]);
    expect(recapOf(end).changed).toBe(0);
    const one = { connections: 1, execs: 1 };
    const every = Object.fromEntries(full.hosts.map((host) => [host, one]));
    expect(used).toEqual(every);
    const told = Object.entries(hostRecaps(end)).map(([host, { wire }]) => [host, wire]);
    expect(Object.fromEntries(told)).toMatchObject(every);
    expect(await invocations(full)).toEqual(before);
  });

  it('still changes nothing after a reboot of every host', async () => {
    const bootTime = 'systemctl show -P UserspaceTimestamp';
    const before = await full.mustAll(bootTime);
    // The connection ends before the answer.
    await Promise.all(full.hosts.map((host) => full.on(host)('systemctl reboot')));
    await Promise.all(
      full.hosts.map(async (host) => {
        for (let tries = 0; tries < 300; tries += 1) {
          const { code, stdout } = await full.on(host)(bootTime);
          if (code === 0 && stdout !== before[host]) return;
          await sleep(1000);
        }
        throw new Error(`${host} did not come back`);
      }),
    );
    // Odoo takes its time to start; looking changes nothing.
    let look = await full.apply(['--check', '--detailed-exitcode']);
    for (let tries = 0; tries < 40 && look.code !== 0; tries += 1) {
      await sleep(3000);
      look = await full.apply(['--check', '--detailed-exitcode']);
    }
    expect([look.code, ...planned(look)], printed(look)).toEqual([0]);
    const end = await full.apply(['--detailed-exitcode', '--verify']);
    expect(end.code, printed(end)).toBe(0);
    expect(changed(end)).toEqual([]);
  });
});
