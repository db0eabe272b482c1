import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { networkCut, networkHeal } from '../../src/lab/index.js';
import { convergedCluster, type FullCluster } from '../support/full-lab.js';
import { fingerprint, invocations, lines } from '../support/host-state.js';
import { odooProv, printed } from '../support/program.js';
import { repositoryRoot } from '../support/repository.js';
import { countSsh, logSessions } from '../support/ssh-log.js';

/** `status --json`, as far as it is read here; docs/status.md has all of it. */
interface Seen {
  readonly exitCode: number;
  readonly alerts: readonly {
    readonly severity: string;
    readonly id: string;
    readonly host: string | null;
    readonly message: string;
    readonly next: string;
  }[];
  readonly database: { readonly primary: string; readonly timeline: number };
  readonly hosts: readonly HostSeen[];
}
interface HostSeen {
  readonly host: string;
  readonly failure: { readonly reason: string } | null;
  readonly unknown: readonly unknown[];
  readonly system: {
    readonly disks: readonly { readonly mount: string; readonly available: number }[];
  } | null;
  readonly services: readonly { readonly unit: string; readonly active: string }[] | null;
  readonly postgres: { readonly data: PostgresSeen } | null;
  readonly pgbouncer: {
    readonly pools: readonly { readonly database: string; readonly servers: number }[];
  } | null;
  readonly redis: { readonly sessions: number; readonly maxMemory: number } | null;
  readonly jobs: { readonly active: number } | null;
  readonly odoo: readonly { readonly service: string; readonly processes: number }[] | null;
  readonly edge: {
    readonly status: number;
    readonly certificate: { readonly expires: string };
  } | null;
}
interface PostgresSeen {
  readonly systemIdentifier: string;
  readonly position: number;
  readonly connections: { readonly used: number; readonly max: number };
}

let full: FullCluster;
beforeAll(async () => {
  full = await convergedCluster();
});

const ODOO = { app: ['app1', 'app2', 'app3'], cron: ['cron1', 'cron2'] } as const;

function status(...words: readonly string[]): ReturnType<typeof odooProv> {
  return odooProv(['status', full.inventory, '--concurrency', '12', ...words]);
}

async function look(code: number, ...words: readonly string[]): Promise<Seen> {
  const end = await status('--json', ...words);
  expect(end.code, printed(end)).toBe(code);
  return JSON.parse(end.stdout) as Seen;
}

function of(seen: Seen, name: string): HostSeen {
  const found = seen.hosts.find(({ host }) => host === name);
  if (found === undefined) throw new Error(`${name} was not asked`);
  return found;
}

function sql(host: string, query: string, database = 'postgres'): Promise<string> {
  return full.must(
    host,
    `cd / && runuser -u postgres -- psql -XAtqc "${query}" -d ${database} | tr -d '\\n'`,
  );
}

/** Looks until it is as said: a service that was started takes its time, and others' work makes it longer. */
async function lookUntil(well: (seen: Seen) => boolean): Promise<Seen> {
  for (let tries = 0; ; tries += 1) {
    const end = await status('--json');
    const seen = JSON.parse(end.stdout) as Seen;
    if (well(seen)) return seen;
    if (tries === 60) throw new Error(printed(end));
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

describe('status of the full cluster', () => {
  it('is well, and says what PostgreSQL, systemd, redis-cli, openssl and df say', async () => {
    const seen = await lookUntil(({ exitCode, alerts }) => exitCode === 0 && alerts.length === 0);
    expect(seen.hosts.map(({ host }) => host)).toEqual(full.hosts);
    expect(seen.hosts.flatMap(({ unknown }) => unknown)).toEqual([]);
    expect(seen.database).toMatchObject({ primary: 'pg1', timeline: 1 });

    const { data } = of(seen, 'pg1').postgres ?? {};
    expect(data?.systemIdentifier).toBe(
      await sql('pg1', 'select system_identifier from pg_control_system()'),
    );
    const position = Number(await sql('pg1', `select pg_current_wal_lsn() - '0/0'`));
    expect(position).toBeGreaterThanOrEqual(data?.position ?? Infinity);
    expect(position - (data?.position ?? 0)).toBeLessThan(64 * 1024 ** 2);
    expect(String(data?.connections.max)).toBe(await sql('pg1', 'show max_connections'));
    const jobs = await sql('pg1', 'select count(*) from ir_cron where active', 'odoo');
    expect(String(of(seen, 'pg1').jobs?.active)).toBe(jobs);

    for (const [service, hosts] of Object.entries(ODOO)) {
      for (const host of hosts) {
        const counted = of(seen, host).odoo?.find((one) => one.service === service)?.processes;
        const children = await full.must(
          host,
          `pid=$(systemctl show -P MainPID odoo-${service}); ps -o args= --ppid $pid | grep -vc gevent`,
        );
        expect(`${host} ${String(counted)}`).toBe(`${host} ${children.trim()}`);
      }
    }
    const pools = of(seen, 'pgbouncer1').pgbouncer?.pools ?? [];
    expect(pools.map(({ database }) => database)).toContain('odoo');

    const redis = 'REDISCLI_AUTH=$(cat /etc/odoo-prov/redis.auth) redis-cli';
    const keys = await full.must('redis1', `${redis} dbsize; ${redis} config get maxmemory`);
    const [sessions, , maxMemory] = lines(keys);
    expect([of(seen, 'redis1').redis?.sessions, of(seen, 'redis1').redis?.maxMemory]).toEqual([
      Number(sessions),
      Number(maxMemory),
    ]);

    const end = await full.must(
      'edge2',
      'openssl x509 -noout -enddate -in /etc/nginx/tls/full.example.pem | cut -d = -f 2',
    );
    const edge = of(seen, 'edge2').edge;
    expect(edge?.status).toBe(200);
    expect(edge?.certificate.expires).toBe(new Date(end.trim()).toISOString());

    const [root] = of(seen, 'app1').system?.disks ?? [];
    const left = Number(await full.must('app1', 'df -B1 --output=avail / | tail -n 1'));
    expect(Math.abs(left / (root?.available ?? 0) - 1)).toBeLessThan(0.2);
  });

  it('costs one connection and one exec a host, changes nothing, and waits for no lock', async () => {
    await logSessions(full);
    const before = [await fingerprint(full), await invocations(full)];
    // An apply holds this lock for as long as it runs.
    const lock = `rm -f /run/over; mkdir -p /run/odoo-prov
flock /run/odoo-prov/lock sh -c 'touch /run/held; until [ -e /run/over ]; do sleep 0.1; done'`;
    const held = full.must('redis1', lock);
    await full.must('redis1', 'until [ -e /run/held ]; do sleep 0.1; done');
    const used = await countSsh(full, async () => {
      const end = await status();
      expect(end.code, printed(end)).toBe(0);
      for (const line of end.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
      expect(end.stdout).toContain('PostgreSQL: pg1 is primary, timeline 1');
      expect(end.stdout).toMatch(/^cron1 .*odoo-cron \d\/\d$/m);
    });
    await full.must('redis1', 'touch /run/over');
    await held;
    await full.must('redis1', 'rm /run/held /run/over');
    const one = { connections: 1, execs: 1 };
    expect(used).toEqual(Object.fromEntries(full.hosts.map((host) => [host, one])));
    expect([await fingerprint(full), await invocations(full)]).toEqual(before);
  });
});

describe('status of a cluster that is not well', () => {
  const mend: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const one of mend.splice(0)) await one();
    await lookUntil(({ exitCode }) => exitCode === 0);
  });

  it('names each service that is stopped, what to do, and ends with 3', async () => {
    const stopped = { redis1: 'redis-server', gevent2: 'odoo-gevent', edge2: 'nginx' };
    for (const [host, unit] of Object.entries(stopped)) {
      mend.push(() => full.must(host, `systemctl start ${unit}`));
      await full.must(host, `systemctl stop ${unit}`);
    }
    const end = await status();
    expect(end.code, printed(end)).toBe(3);
    for (const [host, unit] of Object.entries(stopped)) {
      expect(end.stdout).toContain(`problem  ${unit} on ${host} is inactive\n`);
      expect(end.stdout).toContain(`next  on ${host}: journalctl -u ${unit}.service -n 50`);
    }
    const problems = (await look(3)).alerts.filter(({ severity }) => severity === 'problem');
    expect(problems.map(({ host }) => host).sort()).toEqual(Object.keys(stopped).sort());
  });

  it('says that PostgreSQL is stopped, and that no primary was seen', async () => {
    mend.push(() => full.must('pg1', 'systemctl start postgresql@17-main'));
    await full.must('pg1', 'systemctl stop postgresql@17-main');
    const seen = await look(3);
    expect(seen.database.primary).toBeNull();
    // Odoo notices too, sooner or later: what it says of itself is beside the point here.
    expect(seen.alerts.find(({ id }) => id === 'postgres.down')).toMatchObject({
      host: 'pg1',
      message: 'PostgreSQL on pg1 is not running, its data is shut down',
    });
  });

  it('shows a host that is down as such, the rest as ever, and ends with 4', async () => {
    mend.push(() => networkHeal(full.lab, 'app3'));
    await networkCut(full.lab, 'app3');
    const end = await status();
    expect(end.code, printed(end)).toBe(4);
    expect(end.stdout).toMatch(/^problem {2}app3 cannot be reached: /m);
    expect(end.stdout).toMatch(/^app3 +- +- +- /m);
    expect(end.stdout).toMatch(/^app2 .*odoo-app \d\/\d$/m);
    expect(end.stdout).toContain('PostgreSQL: pg1 is primary');
  });

  it('judges only what was chosen', async () => {
    mend.push(() => full.must('redis1', 'systemctl start redis-server'));
    await full.must('redis1', 'systemctl stop redis-server');
    expect((await look(0, '--role', 'pgbouncer')).hosts.map(({ host }) => host)).toEqual([
      'pgbouncer1',
    ]);
    expect((await look(3, '--limit', 'redis*')).alerts.map(({ id }) => id)).toEqual([
      'service.down',
    ]);
  });
});

describe('status --watch', () => {
  it('asks again over the same connections, a line a look, until Ctrl-C', async () => {
    await logSessions(full);
    const seen: Seen[] = [];
    let code: number | null = null;
    const used = await countSsh(full, async () => {
      const words = ['status', full.inventory, '--watch', '1', '--json'];
      const child = spawn(process.execPath, [join(repositoryRoot, 'bin/odoo-prov'), ...words]);
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const whole = text.split('\n');
        text = whole.pop() ?? '';
        seen.push(...whole.map((line) => JSON.parse(line) as Seen));
        if (seen.length >= 3) child.kill('SIGINT');
      });
      code = await new Promise((resolve) => child.on('close', resolve));
    });
    expect(code).toBe(0);
    expect(seen.length).toBeGreaterThanOrEqual(3);
    for (const host of full.hosts) {
      expect(used[host]?.connections, host).toBe(1);
      expect(used[host]?.execs, host).toBeGreaterThanOrEqual(3);
    }
  });

  it('wants a terminal to draw on', async () => {
    const end = await status('--watch');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('--watch draws on a terminal');
  });
});
