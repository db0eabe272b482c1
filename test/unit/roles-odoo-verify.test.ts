import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { verify } from '../../playbooks/verify.js';
import type { VerifyCheck } from '../../playbooks/verify-check.js';
import { checkLogin } from '../../playbooks/verify-login.js';
import { Failure } from '../../src/failure/failure.js';
import type { RunEvent } from '../../src/run/event.js';
import { Secret } from '../../src/shell/index.js';
import type { Session } from '../../src/transport/session.js';
import { LocalSession } from '../support/local-session.js';
import { testCluster, testHost } from '../support/site.js';

const hosts = [
  testHost('front', 1, ['edge', 'pgbouncer', 'pg-primary']),
  testHost('cache', 2, ['redis']),
  testHost('odoo1', 3, ['app', 'cron', 'gevent']),
];
const cluster = testCluster(hosts);
const secrets = { get: (name: string) => new Secret(`secret-${name}`) };

type Say = (text: string) => { stdout: string; code?: number };

/** A session that answers by the rendered script, and keeps what was printable of it. */
function fake(name: string, say: Say, shown: string[]): [string, Session] {
  const host = hosts.find((h) => h.name === name);
  if (host === undefined) throw new Error(name);
  return [
    name,
    {
      host,
      use: { connections: 1, execs: 0, bytesSent: 0, bytesReceived: 0 },
      run: async (script, { onLine, feed } = {}) => {
        shown.push(String(script));
        const { stdout, code = 0 } = say(script.render());
        stdout.split('\n').forEach((line) => onLine?.(line));
        // A shell that has not failed lives until its stdin ends.
        if (code === 0 && feed !== undefined) for await (const more of feed) say(more.render());
        return { stdout, code, stderr: '' };
      },
      close: () => Promise.resolve(),
    },
  ];
}

const ID = 'AbCdEfGhIjKlMnOp';
const front: Say = (text) => {
  return { stdout: text.includes('csrf_token') ? `session ${ID}\n` : '200\n200\n200\n' };
};
const redis: Say = () => ({ stdout: `odoo:session:${ID}rest\n` });
const odoo: Say = () => ({ stdout: 'ok\n' });

async function run(
  say: Readonly<Record<string, Say>>,
  chosen: readonly string[] = hosts.map((host) => host.name),
): Promise<{ checks: readonly VerifyCheck[]; events: RunEvent[]; shown: string[] }> {
  const events: RunEvent[] = [];
  const shown: string[] = [];
  const sessions = new Map(Object.entries(say).map(([name, s]) => fake(name, s, shown)));
  const among = hosts.filter((host) => chosen.includes(host.name));
  const checks = await verify(cluster, among, sessions, secrets, (event) => events.push(event));
  return { checks, events, shown };
}

function failed(checks: readonly VerifyCheck[]): string[] {
  return checks
    .filter(({ ok }) => !ok)
    .map(({ check, host, detail }) => `${host} ${check}: ${detail}`);
}

describe('verification', () => {
  it('looks at every edge, app, gevent and cron host, and logs in', async () => {
    const { checks, events, shown } = await run({ front, cache: redis, odoo1: odoo });
    expect(failed(checks)).toEqual([]);
    expect(checks.map(({ check }) => check).sort()).toEqual([
      'cron alive',
      'login page',
      'odoo1 /web/health',
      'odoo1 /websocket/health',
      'session stored in Redis',
    ]);
    expect(events[0]).toEqual({ type: 'verify-started', checks: checks.length });
    expect(events.slice(1)).toEqual(checks.map((check) => ({ type: 'verify-checked', ...check })));
    expect(shown.join('\n')).not.toMatch(/secret-/);
  });

  it('asks only the hosts that the run chose, and logs in only where all it takes is among them', async () => {
    const say = { front, cache: redis, odoo1: odoo };
    const names = async (chosen: readonly string[]): Promise<readonly string[]> =>
      (await run(say, chosen)).checks.map(({ check }) => check).sort();
    expect(await names(['odoo1'])).toEqual(['cron alive']);
    expect(await names(['front'])).toEqual([
      'login page',
      'odoo1 /web/health',
      'odoo1 /websocket/health',
    ]);
    expect(await names(['cache'])).toEqual([]);
    expect(await names(['front', 'cache'])).toContain('session stored in Redis');
  });

  it('names what does not answer, and what to do', async () => {
    const { checks } = await run({
      front: (text) => (text.includes('/web/health') ? { stdout: '200\n000\n200\n' } : front(text)),
      cache: redis,
      odoo1: () => ({ stdout: '1 of 2 cron workers run\n' }),
    });
    expect(failed(checks).sort()).toEqual([
      'front odoo1 /web/health: expected 200, found 000; next: on odoo1: systemctl status odoo-app; between front and it: port 8069 must be open',
      'odoo1 cron alive: expected ok, found 1 of 2 cron workers run; next: on odoo1: journalctl -u odoo-cron -n 50',
    ]);
  });

  it('is not content with a session that Redis does not have', async () => {
    const { checks } = await run({
      front,
      cache: () => ({ stdout: '' }),
      odoo1: odoo,
    });
    expect(failed(checks)).toHaveLength(1);
    expect(failed(checks)[0]).toMatch(/^front session stored in Redis: .* is not in Redis/);
  });

  it('says that the password may have been changed when admin is not let in', async () => {
    const { checks } = await run({
      front: (text) =>
        text.includes('csrf_token')
          ? { stdout: 'the login was answered with 200 instead of a redirect\n', code: 1 }
          : front(text),
      cache: redis,
      odoo1: odoo,
    });
    expect(failed(checks)[0]).toMatch(/answered with 200.*secrets FILE set odoo-admin-password/);
  });

  it('counts a host that cannot be asked as failed', async () => {
    const { checks } = await run({
      front,
      cache: redis,
      odoo1: () => {
        throw new Failure({ reason: 'timeout', message: 'no answer within 15 s', remedy: 'wait' });
      },
    });
    expect(failed(checks)).toEqual(['odoo1 cron alive: no answer within 15 s']);
    const alone = await run({ cache: redis, odoo1: odoo });
    expect(failed(alone.checks)).toHaveLength(4);
  });
});

describe('the login on the edge', () => {
  /** A shell of this machine in which `curl` is an Odoo that keeps a diary. */
  function edgeShell(): { edge: LocalSession; diary: () => string; left: () => readonly string[] } {
    const edge = new LocalSession('front');
    const curl = join(edge.folder, 'curl');
    writeFileSync(curl, FAKE_CURL, { mode: 0o755 });
    vi.stubEnv('PATH', `${edge.folder}:${process.env['PATH'] ?? ''}`);
    vi.stubEnv('DIARY', join(edge.folder, 'diary'));
    onTestFinished(() => void vi.unstubAllEnvs());
    return {
      edge,
      diary: () => readFileSync(join(edge.folder, 'diary'), 'utf8'),
      left: () => readdirSync(edge.folder).filter((name) => name.startsWith('run-verify')),
    };
  }
  const login = (edge: Session, found: Session['run']) =>
    checkLogin(
      cluster,
      new Map([
        ['front', edge],
        ['cache', { host: edge.host, use: edge.use, run: found, close: () => edge.close() }],
      ]),
      secrets,
      edge.host,
    );

  it('logs in, waits for the look, logs out, and leaves nothing, not even of an earlier one', async () => {
    const { edge, diary, left } = edgeShell();
    mkdirSync(join(edge.folder, 'run-verify.old'));
    utimesSync(join(edge.folder, 'run-verify.old'), 1, 1);
    const seen: string[] = [];
    const check = await login(edge, () => {
      seen.push(diary(), ...left());
      return Promise.resolve({
        code: 0,
        stdout: 'odoo:session:0123456789abcdefrest\n',
        stderr: '',
      });
    });
    expect(check).toMatchObject({ ok: true });
    expect(seen).toEqual(['login\nlogin\n', expect.stringMatching(/^run-verify\.\w{6}$/)]);
    expect(diary()).toBe('login\nlogin\nlogout\n');
    expect(left()).toEqual([]);
  });

  it('logs out when the look fails', async () => {
    const { edge, diary, left } = edgeShell();
    const lost = new Failure({ reason: 'unreachable', message: 'gone', remedy: 'wait' });
    const check = await login(edge, () => Promise.reject(lost));
    expect(check).toMatchObject({ ok: false, detail: 'gone' });
    expect(diary()).toBe('login\nlogin\nlogout\n');
    expect(left()).toEqual([]);
  });

  it.each(['HUP', 'TERM'])('logs out when its shell gets SIG%s', async (signal) => {
    const { edge, diary, left } = edgeShell();
    await login(edge, () => {
      const shell = readFileSync(join(edge.folder, 'shell'), 'utf8');
      process.kill(Number(shell), `SIG${signal}` as NodeJS.Signals);
      return Promise.resolve({ code: 0, stdout: '', stderr: '' });
    });
    expect(diary()).toBe('login\nlogin\nlogout\n');
    expect(left()).toEqual([]);
  });
});

const FAKE_CURL = `#!/bin/sh
[ -e "\${0%/*}/shell" ] || echo $PPID >"\${0%/*}/shell"
jar= out=/dev/null said=
while [ $# -gt 0 ]; do
  case $1 in -c) jar=$2 ;; -o) out=$2 ;; -w) said=303 ;; */web/login) what=login ;; */web/session/logout) what=logout ;; esac
  shift
done
echo "$what" >>"$DIARY"
echo '<input name="csrf_token" value="t0ken"/>' >"$out"
printf 'erp\\tFALSE\\t/\\tTRUE\\t0\\tsession_id\\t0123456789abcdef%s\\n' ghij >"$jar"
printf %s "$said"
`;
