import { beforeAll, describe, expect, it } from 'vitest';
import { convergedCluster, type FullCluster } from '../support/full-lab.js';
import {
  changed,
  fingerprint,
  invocations,
  lines,
  planned,
  restarted,
} from '../support/host-state.js';
import { printed } from '../support/program.js';

let full: FullCluster;
beforeAll(async () => {
  full = await convergedCluster();
});

/** One thing that somebody did by hand, on a host of its own. */
interface Drift {
  readonly host: string;
  readonly how: string;
  /** What breaks it. */
  readonly shell: string;
  /** Keys that a run must name on this host: the thing itself and what follows from it. */
  readonly names: readonly string[];
  /** Units whose processes must be new afterwards. All others must be the same. */
  readonly restarts?: readonly string[];
}

const FILES: readonly Drift[] = [
  {
    host: 'edge1',
    how: 'deleted a file',
    shell: 'rm /etc/apt/apt.conf.d/52odoo-prov',
    names: ['file:/etc/apt/apt.conf.d/52odoo-prov'],
  },
  {
    host: 'edge2',
    how: 'edited the configuration of nginx',
    shell: `sed -i 's/client_max_body_size 128m/client_max_body_size 1m/' /etc/nginx/nginx.conf && systemctl reload nginx`,
    names: ['file:/etc/nginx/nginx.conf', 'unit:nginx.service'],
  },
  {
    host: 'app1',
    how: 'edited the odoo.conf of the app',
    shell: `sed -i 's/^limit_request .*/limit_request = 9/' /etc/odoo/app.conf`,
    names: ['file:/etc/odoo/app.conf', 'unit:odoo-app.service'],
    restarts: ['odoo-app.service'],
  },
  {
    host: 'app2',
    how: 'changed the mode of a file',
    shell: 'chmod 0600 /etc/apt/apt.conf.d/52odoo-prov',
    names: ['file:/etc/apt/apt.conf.d/52odoo-prov'],
  },
  {
    host: 'gevent1',
    how: 'changed the mode of a directory',
    shell: 'chmod 0777 /var/lib/odoo-prov',
    names: ['directory:/var/lib/odoo-prov'],
  },
  {
    host: 'pgbouncer1',
    how: 'edited pgbouncer.ini',
    shell: `sed -i 's/^query_wait_timeout.*/query_wait_timeout = 7/' /etc/pgbouncer/pgbouncer.ini && systemctl reload pgbouncer`,
    names: ['file:/etc/pgbouncer/pgbouncer.ini', 'unit:pgbouncer.service'],
  },
  {
    host: 'redis1',
    how: 'edited redis.conf',
    shell: `sed -i 's/^maxmemory .*/maxmemory 1mb/' /etc/redis/redis.conf`,
    names: ['file:/etc/redis/redis.conf', 'unit:redis-server.service'],
    restarts: ['redis-server.service'],
  },
  {
    host: 'pg1',
    how: 'edited a setting of PostgreSQL',
    shell: `sed -i "s/^log_min_duration_statement.*/log_min_duration_statement = '9s'/" /etc/postgresql/17/main/conf.d/50-odoo-prov.conf && systemctl reload postgresql@17-main`,
    names: ['postgresSettings:17/main'],
  },
];

const SERVICES: readonly Drift[] = [
  {
    host: 'edge1',
    how: 'stopped nginx',
    shell: 'systemctl stop nginx',
    names: ['unit:nginx.service', 'check:edge'],
    restarts: ['nginx.service'],
  },
  {
    host: 'app3',
    how: 'stopped Odoo',
    shell: 'systemctl stop odoo-app',
    names: ['unit:odoo-app.service', 'check:odoo-app'],
    restarts: ['odoo-app.service'],
  },
  {
    host: 'cron2',
    how: 'disabled the cron service',
    shell: 'systemctl disable -q odoo-cron',
    names: ['unit:odoo-cron.service'],
  },
  {
    host: 'gevent2',
    how: 'unmasked the service of the package',
    shell: 'systemctl unmask -q odoo.service',
    names: ['unit:odoo.service'],
  },
  {
    host: 'cron1',
    how: 'removed a package',
    shell: 'DEBIAN_FRONTEND=noninteractive apt-get remove -y -q unattended-upgrades',
    names: ['package:unattended-upgrades'],
  },
  {
    host: 'redis1',
    how: 'removed the package of a service',
    shell: 'DEBIAN_FRONTEND=noninteractive apt-get remove -y -q redis-server',
    names: ['package:redis-server', 'unit:redis-server.service', 'check:redis-answers'],
    restarts: ['redis-server.service'],
  },
];

describe.each([
  ['files and modes', FILES],
  ['services and packages', SERVICES],
])('drift of %s', (_, drifts) => {
  const expected = drifts.flatMap(({ host, names }) => names.map((key) => `${host} ${key}`)).sort();
  let before: Readonly<Record<string, string>>;

  it(`is named exactly, and only looked at: ${drifts.map(({ how }) => how).join('; ')}`, async () => {
    before = await invocations(full);
    await Promise.all(drifts.map(({ host, shell }) => full.must(host, shell)));
    const [files, units] = [await fingerprint(full), await invocations(full)];
    const end = await full.apply(['--check', '--diff', '--detailed-exitcode']);
    expect(end.code, printed(end)).toBe(2);
    expect(planned(end)).toEqual(expected);
    expect(changed(end)).toEqual([]);
    expect(await fingerprint(full)).toEqual(files);
    expect(await invocations(full)).toEqual(units);
  });

  it('is mended, that and nothing else, and only what depends on it starts anew', async () => {
    const end = await full.apply(['--detailed-exitcode']);
    expect(end.code, printed(end)).toBe(2);
    expect(changed(end)).toEqual(expected);
    const restarts = drifts.flatMap(({ host, restarts: units }) =>
      (units ?? []).map((unit) => `${host} ${unit}`),
    );
    expect(restarted(before, await invocations(full))).toEqual(restarts.sort());
    const again = await full.apply(['--detailed-exitcode']);
    expect([again.code, ...planned(again)], printed(again)).toEqual([0]);
  });
});

describe('what was edited and taken in by the running services', () => {
  it('is as the inventory says again, without their restart', async () => {
    const nginx = await full.must('edge2', 'nginx -T 2>/dev/null | grep client_max_body_size');
    expect(lines(nginx).map((line) => line.trim())).toEqual(['client_max_body_size 128m;']);
    const postgres = await full.must(
      'pg1',
      `runuser -u postgres -- psql -XAtqc 'show log_min_duration_statement'`,
    );
    expect(postgres.trim()).toBe('2s');
    const redis = await full.must(
      'redis1',
      `REDISCLI_AUTH=$(cat /etc/odoo-prov/redis.auth) redis-cli config get maxmemory | tail -n 1`,
    );
    expect(redis.trim()).toBe(String(256 * 1024 ** 2));
  });
});
