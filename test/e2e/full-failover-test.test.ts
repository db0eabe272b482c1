import { beforeAll, describe, expect, it } from 'vitest';
import { OUR_ADDONS } from '../../src/odoo/layout.js';
import { SESSION_MODULE } from '../../src/odoo/options.js';
import { convergedCluster, type FullCluster } from '../support/full-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import { printed, odooProv, recapOf, type ProgramEnd } from '../support/program.js';

const PLANTED = '/etc/nginx/conf.d/planted.conf';
const SESSION_STORE = `${OUR_ADDONS}/${SESSION_MODULE}/store.py`;

let full: FullCluster;

beforeAll(async () => {
  full = await convergedCluster();
});

function test(...scenarios: readonly string[]): Promise<ProgramEnd> {
  const words = scenarios.length === 0 ? [] : ['--scenario', scenarios.join(',')];
  return odooProv(['failover-test', full.inventory, '--yes', '--json', ...words]);
}

async function unchanged(): Promise<void> {
  const end = await full.apply(['--check']);
  expect(end.code, printed(end)).toBe(0);
  expect(recapOf(end).changed, printed(end)).toBe(0);
}

/** A statement in Odoo's database, as the superuser. */
async function sql(statement: string): Promise<string> {
  const text = await full.must(
    'pg1',
    `cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d odoo <<'EOF'\n${statement}\nEOF`,
  );
  return text.trim();
}

async function until(seconds: number, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < seconds * 2; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`not within ${String(seconds)} s`);
}

/** The server of the users, once more and before the real one, changed by a script of sed; on both edges. */
async function plantServer(sed: string, head = ''): Promise<() => Promise<void>> {
  const edges = ['edge1', 'edge2'];
  for (const edge of edges) {
    await full.must(
      edge,
      `{ printf '%s\\n' '${head}'; awk '/^    server \\{/ { block = "" } { block = block $0 "\\n" } END { printf "%s", block }' /etc/nginx/nginx.conf | sed '$d' | sed '${sed}'; } >${PLANTED}
nginx -t -q && systemctl reload nginx`,
    );
  }
  return async () => {
    for (const edge of edges) await full.must(edge, `rm ${PLANTED} && systemctl reload nginx`);
  };
}

describe('a cluster that is well', () => {
  it('passes every scenario of Odoo, and is as before', async () => {
    const end = await test(
      ...['rolling-restart', 'app-down', 'cron-down', 'gevent-down', 'edge-down', 'redis-down'],
      // Where the database is away, whoever loads a page stays logged in.
      'primary-killed',
    );
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    expect(report.scenarios.map(({ scenario, verdict }) => [scenario, verdict])).toEqual([
      ['rolling-restart', 'survived'],
      ['app-down', 'survived'],
      ['cron-down', 'survived'],
      ['gevent-down', 'survived'],
      ['edge-down', 'survived'],
      ['redis-down', 'recovered'],
      ['primary-killed', 'recovered'],
    ]);
    for (const { scenario, users } of report.scenarios) {
      expect(users?.answered, scenario).toBeGreaterThan(20);
      expect(users?.messages.sent, scenario).toBeGreaterThan(3);
      expect(users?.jobs.asked, scenario).toBeGreaterThan(3);
    }
    // Users are not served while Redis is away: the load goes through it.
    const redis = report.scenarios.find(({ scenario }) => scenario === 'redis-down');
    expect(redis?.users?.errors['HTTP 503']).toBeGreaterThan(0);
    const password = JSON.stringify(report) + end.stderr;
    expect(password).not.toMatch(/PASSWORD/);
    await unchanged();
  });
});

describe('it fails when it should', () => {
  it('because an app host keeps sessions on its own disk', async () => {
    const folder = '/etc/systemd/system/odoo-app.service.d';
    await full.must(
      'app2',
      `sed -e '/^session_store/d' -e 's/,odoo_prov_session_redis//' /etc/odoo/app.conf >/etc/odoo/planted.conf
chgrp odoo /etc/odoo/planted.conf && chmod 0640 /etc/odoo/planted.conf
mkdir -p ${folder}
printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/odoo --config=/etc/odoo/planted.conf\\n' >${folder}/planted.conf
systemctl daemon-reload && systemctl restart odoo-app`,
    );
    await served('app2');
    const end = await test('cron-down');
    await full.must(
      'app2',
      `rm -r ${folder} /etc/odoo/planted.conf && systemctl daemon-reload && systemctl restart odoo-app`,
    );
    await served('app2');
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toContain('cron-down sessions.lost');
  });

  it('because who loads a page while the database is away is logged out, as by Odoo itself', async () => {
    const apps = ['app1', 'app2', 'app3'];
    const folder = '/etc/systemd/system/odoo-app.service.d';
    for (const app of apps) {
      // Only the service sees it: a file that is not as `apply` wrote it is refused before anything is broken.
      const changed = await full.must(
        app,
        `sed 's/session_class=Session,/session_class=http.Session,/' ${SESSION_STORE} >/etc/odoo/planted.py
mkdir -p ${folder}
printf '[Service]\\nBindReadOnlyPaths=/etc/odoo/planted.py:${SESSION_STORE}\\n' >${folder}/planted.conf
systemctl daemon-reload && systemctl restart odoo-app
grep -c 'session_class=http.Session,' /proc/$(systemctl show -P MainPID odoo-app)/root${SESSION_STORE}`,
      );
      expect(changed.trim()).toBe('1');
      await served(app);
    }
    const end = await test('primary-killed');
    for (const app of apps) {
      await full.must(
        app,
        `rm -r ${folder} && systemctl daemon-reload && systemctl restart odoo-app && rm /etc/odoo/planted.py`,
      );
      await served(app);
    }
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toContain('primary-killed sessions.lost');
    await unchanged();
  });

  it('because an app host has a filestore of its own, and names it', async () => {
    await full.must(
      'app3',
      'cp -a /srv/odoo /var/tmp/planted && mount --bind /var/tmp/planted /srv/odoo && systemctl restart odoo-app',
    );
    await served('app3');
    const end = await test('cron-down');
    await full.must(
      'app3',
      'systemctl stop odoo-app && umount /srv/odoo && rm -rf /var/tmp/planted && systemctl start odoo-app',
    );
    await served('app3');
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toContain('cron-down files.missing');
    expect(end.stderr).toMatch(/app3 lacks \d+ of \d+/);
  });

  it('because /websocket leads to app hosts', async () => {
    const restore = await plantServer('s,http://odoo_gevent,http://odoo_app,');
    const end = await test('cron-down');
    await restore();
    expect(end.code, printed(end)).toBe(3);
    const found = failures(reportOf(end));
    expect(found).toContain('cron-down edge.websocket-pool');
    expect(found).toContain('cron-down messages.lost');
  });

  it('because a cron host is in the balancer, and names it', async () => {
    const address = (host: string): string =>
      full.cluster.hosts.find(({ name }) => name === host)?.address ?? '';
    const servers = ['app1', 'app2', 'app3', 'cron1'].map(
      (host) => `server ${address(host)}:8069 max_fails=3 fail_timeout=10s;`,
    );
    const restore = await plantServer(
      's,http://odoo_app,http://planted_app,',
      `upstream planted_app { ${servers.join(' ')} }`,
    );
    const end = await test('gevent-down');
    await restore();
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toContain('gevent-down edge.app-pool');
    expect(end.stderr).toContain('(cron1)');
  });

  it('because a job commits in the middle, and is done twice when its host dies there', async () => {
    const running = test('cron-down');
    // As soon as it is there: the fault comes a few seconds after the first job is asked for.
    const ours = "usage = 'ir_cron' and name::text like '%odoo-prov failover-test%'";
    await until(300, async () => {
      return (await sql(`select count(*) from ir_act_server where ${ours}`)) === '1';
    });
    // So that the host that dies is the one that works.
    await full.must(
      'cron2',
      'systemctl stop --no-block odoo-cron; systemctl kill -s KILL odoo-cron || :; systemctl stop odoo-cron',
    );
    // The first job is not done before its host has died and another one has begun it anew.
    await sql(`update ir_act_server set code = $code$
env.cr.execute("select job from odoo_prov_failover_test.jobs where done is null order by job")
for (job,) in env.cr.fetchall():
    env.cr.execute("insert into odoo_prov_failover_test.runs (job) values (%s)", (job,))
    env.cr.commit()
    for turn in range(60):
        env.cr.execute("select 1 from odoo_prov_failover_test.runs group by job having count(*) > 1")
        if env.cr.fetchall():
            break
        env.cr.execute("select pg_sleep(0.5)")
        env.cr.commit()
    env.cr.execute("update odoo_prov_failover_test.jobs set done = clock_timestamp() where job = %s", (job,))
    env.cr.commit()
$code$ where ${ours};`);
    await until(120, async () => (await stateOf('cron1')) !== 'active');
    await full.must('cron2', 'systemctl start odoo-cron');
    const end = await running;
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toContain('cron-down jobs.twice');
    await unchanged();
  });
});

async function stateOf(host: string): Promise<string> {
  return (await full.on(host)('systemctl is-active odoo-cron')).stdout.trim();
}

/** Waits until an app host answers. */
async function served(host: string): Promise<void> {
  await full.must(
    host,
    `for i in $(seq 120); do [ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8069/web/health)" = 200 ] && exit 0; sleep 1; done; exit 1`,
  );
}
