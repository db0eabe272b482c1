import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convergedCluster, type FullCluster } from '../support/full-lab.js';
import { lines } from '../support/host-state.js';
import { odooProv } from '../support/program.js';
import { call, fetchIn, logIn, openBrowser, sessionOf } from './browser.js';

const APPS = ['app1', 'app2', 'app3'];
const GEVENTS = ['gevent1', 'gevent2'];

let full: FullCluster;
let domain: string;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  full = await convergedCluster();
  domain = full.cluster.odoo.domain;
  browser = await openBrowser(domain, addressOf('edge1'));
  const shown = await odooProv(['secrets', full.inventory, 'show', 'odoo-admin-password']);
  page = await logIn(browser, domain, shown.stdout.trim());
});
afterAll(() => browser.close());

function addressOf(host: string): string {
  const found = full.cluster.hosts.find(({ name }) => name === host);
  if (found === undefined) throw new Error(`there is no host ${host}`);
  return found.address;
}

/** What redis-cli on the host itself says. */
function redis(words: string): Promise<string> {
  const cli = 'REDISCLI_AUTH=$(cat /etc/odoo-prov/redis.auth) redis-cli';
  return full.must('redis1', `${cli} ${words}`);
}

async function service(action: 'start' | 'stop', hosts: readonly string[]): Promise<void> {
  await Promise.all(hosts.map((host) => full.must(host, `systemctl ${action} odoo-app`)));
  if (action === 'stop') return;
  for (const host of hosts) {
    await full.must(
      host,
      `for i in $(seq 120); do [ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8069/web/health)" = 200 ] && exit 0; sleep 1; done; exit 1`,
    );
  }
  // nginx leaves a server out for 10 s after it failed.
  await sleep(11_000);
}

/** The lines of the edge's access log about one path, with the upstream that answered each. */
async function logged(path: string): Promise<readonly string[]> {
  return lines(await full.must('edge1', `grep -F ' ${path}' /var/log/nginx/access.log || :`));
}

/** Who answered: the last of those that nginx asked, which it parts by a comma and a space. */
const upstreamOf = (line: string): string =>
  /upstream=(.*?) upstream_status=/.exec(line)?.[1]?.split(', ').at(-1) ?? '';

describe('a user of the full cluster, in a real browser', () => {
  it('is logged in with the printed password, and the session is in Redis', async () => {
    expect(new URL(page.url()).pathname).toMatch(/^\/odoo/);
    const session = await sessionOf(page);
    expect(session).toMatch(/^\S{40,}$/);
    // The first 42 characters name the device; the rest changes every three hours.
    const keys = lines(await redis(`--scan --pattern '*${session.slice(0, 42)}*'`));
    expect(keys).toHaveLength(1);
    expect(Number(await redis(`ttl '${keys[0] ?? ''}'`))).toBeGreaterThan(0);
    const files = await full.must('app1', 'find /srv/odoo/sessions -type f 2>/dev/null | wc -l');
    expect(files.trim()).toBe('0');
  });

  it('gets attachments from nginx itself, by X-Accel', async () => {
    const bytes = randomBytes(300_000).toString('base64');
    const values = { name: 'proof.bin', mimetype: 'application/octet-stream', datas: bytes };
    const ids = await call(page, 'ir.attachment', 'create', [[values]]);
    const path = `/web/content/${String((ids as number[])[0])}?download=1`;
    const answer = await fetchIn(page, path);
    expect(answer.status).toBe(200);
    expect(answer.body === bytes).toBe(true);
    const [line = ''] = await logged(path);
    // Odoo answered with the file's name only; what was sent is a file of the edge's own read-only mount.
    const file = /file=\/web\/filestore\/(\S+)/.exec(line)?.[1] ?? '';
    expect(line).toMatch(/ 200 300000 .* upstream_status=200 /);
    const sent = await full.must('edge1', `base64 -w 0 /srv/odoo/filestore/${file}`);
    expect(sent === bytes).toBe(true);
    const mount = await full.must('edge1', 'findmnt -no OPTIONS -T /srv/odoo/filestore');
    expect(mount.split(',')).toContain('ro');
  });

  it('cannot ask for the file of an attachment by its place', async () => {
    const [folder = ''] = lines(
      await full.must('edge1', 'cd /srv/odoo/filestore && find . -type f | head -n 1 | cut -c 3-'),
    );
    expect((await fetchIn(page, `/web/filestore/${folder}`)).status).toBe(404);
  });

  it('keeps an image, and the session, when the app host that took it goes', async () => {
    const png = await page.screenshot({ clip: { x: 0, y: 0, width: 64, height: 48 } });
    await service('stop', ['app2', 'app3']);
    const partner = { name: 'Picture', image_1920: png.toString('base64') };
    const ids = await call(page, 'res.partner', 'create', [[partner]]);
    const path = `/web/image/res.partner/${String((ids as number[])[0])}/image_1920`;
    const first = await fetchIn(page, path);
    expect([first.status, first.type]).toEqual([200, 'image/png']);
    await service('start', ['app2']);
    await service('stop', ['app1']);
    const second = await fetchIn(page, `${path}?again=1`);
    expect([second.status, second.type]).toEqual([200, 'image/png']);
    expect(second.body === first.body).toBe(true);
    const upstreams = (await logged(path)).map(upstreamOf);
    await service('start', ['app1', 'app3']);
    expect(upstreams).toEqual([`${addressOf('app1')}:8069`, `${addressOf('app2')}:8069`]);
  });

  it('gets a websocket from a gevent host, and from no other', async () => {
    const before = await connections();
    const socket = await upgrade(`session_id=${await sessionOf(page)}`);
    expect(socket.status).toBe(101);
    expect(socket.upgrade).toBe('websocket');
    const during = await connections();
    socket.close();
    const more = (host: string): number => (during[host] ?? 0) - (before[host] ?? 0);
    expect(GEVENTS.reduce((sum, host) => sum + more(host), 0)).toBeGreaterThanOrEqual(1);
    let log: readonly string[] = [];
    for (let tries = 0; tries < 30 && !log.some((line) => line.includes(socket.mark)); tries += 1) {
      await sleep(1000);
      log = await logged('/websocket?');
    }
    expect(log.filter((line) => line.includes(socket.mark))).toHaveLength(1);
    const gevents = GEVENTS.map((host) => `${addressOf(host)}:8072`);
    for (const line of log) expect(gevents).toContain(upstreamOf(line));
    for (const host of APPS) {
      const open = await full.must(
        host,
        `ss -Htn state established '( sport = :8072 or sport = :8073 )'`,
      );
      expect(open).toBe('');
    }
  });

  it('is told clearly when Redis is down, is never taken for a stranger, and goes on afterwards', async () => {
    const info = { jsonrpc: '2.0', method: 'call', params: {} };
    const since = (await full.must('app1', 'date +%s')).trim();
    await full.must('redis1', 'systemctl stop redis-server');
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      statuses.push((await fetchIn(page, '/web/session/get_session_info', info)).status);
    }
    statuses.push((await fetchIn(page, '/web/login')).status);
    await full.must('redis1', 'systemctl start redis-server');
    expect(new Set(statuses)).toEqual(new Set([503]));
    const logs = await Promise.all(
      APPS.map((host) => full.must(host, `journalctl -q -o cat -u odoo-app --since=@${since}`)),
    );
    const errors = logs.flatMap(lines).filter((line) => line.includes(' ERROR '));
    expect(errors.join('\n')).toMatch(/Redis/);
    const answer = await fetchIn(page, '/web/session/get_session_info', info);
    const text = Buffer.from(answer.body, 'base64').toString('utf8');
    expect((JSON.parse(text) as { result: { username: string } }).result.username).toBe('admin');
  });
});

/** Open connections from outside to the websocket port of each gevent host. */
async function connections(): Promise<Readonly<Record<string, number>>> {
  const counts = GEVENTS.map(async (host): Promise<[string, number]> => {
    const open = await full.must(host, `ss -Htn state established 'sport = :8072' | wc -l`);
    return [host, Number(open)];
  });
  return Object.fromEntries(await Promise.all(counts));
}

interface Upgraded {
  readonly status: number;
  readonly upgrade: string;
  /** In the address that was asked for. */
  readonly mark: string;
  close(): void;
}

/** Asks the edge for a websocket, as a browser does, and keeps it open. */
function upgrade(cookie: string): Promise<Upgraded> {
  const mark = randomBytes(6).toString('hex');
  return new Promise((resolve, reject) => {
    const sent = request({
      host: addressOf('edge1'),
      servername: domain,
      path: `/websocket?mark=${mark}`,
      rejectUnauthorized: false,
      headers: {
        host: domain,
        origin: `https://${domain}`,
        cookie,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
    });
    sent.on('upgrade', (answer, socket) => {
      socket.on('error', () => undefined);
      resolve({
        status: answer.statusCode ?? 0,
        upgrade: answer.headers.upgrade ?? '',
        mark,
        close: () => socket.destroy(),
      });
    });
    sent.on('response', (answer) => reject(new Error(`no upgrade: ${String(answer.statusCode)}`)));
    sent.on('error', reject);
    sent.end();
  });
}
