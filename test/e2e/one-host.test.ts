import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareCluster, type BareCluster } from '../support/bare-cluster.js';
import { must, type HostShell } from '../support/host-shell.js';
import { changed } from '../support/host-state.js';
import { testLabDown } from '../support/lab.js';
import { OdooClient } from '../support/odoo-client.js';
import {
  buildProgram,
  hostRecaps,
  printed,
  recapOf,
  type JsonEvent,
  type ProgramEnd,
} from '../support/program.js';
import { randomFrom } from '../support/random.js';

const HOST = 'server1';
const KILLS = 10;
const MEMORY = 6 * 1024 ** 3;
/** Milliseconds. Some three minutes on a quiet machine; others may be at work on this one. */
const INSTALLATION = 3_600_000;
const SECRETS = ['odoo-admin-password', 'odoo-db-password', 'redis-password'];

/** Services and the files that each must have been started after. */
const STARTED_AFTER: Readonly<Record<string, readonly string[]>> = {
  'odoo-app': ['/etc/odoo/app.conf', '/etc/systemd/system/odoo-app.service'],
  'odoo-cron': ['/etc/odoo/cron.conf', '/etc/systemd/system/odoo-cron.service'],
  'odoo-gevent': ['/etc/odoo/gevent.conf', '/etc/systemd/system/odoo-gevent.service'],
  'redis-server': [
    '/etc/redis/redis.conf',
    '/etc/systemd/system/redis-server.service.d/odoo-prov.conf',
  ],
};

let cluster: BareCluster;
let shell: HostShell;
/** Every run of the program, for what may be in no output. */
const ends: ProgramEnd[] = [];

async function run(...words: readonly string[]): Promise<ProgramEnd> {
  const end = await cluster.run(words);
  ends.push(end);
  return end;
}

const apply = (...words: readonly string[]): Promise<ProgramEnd> =>
  run('apply', cluster.file, '--json', ...words);

beforeAll(async () => {
  buildProgram();
  cluster = await bareCluster('one-host.yaml', { name: 'one', memory: MEMORY });
  shell = cluster.shell(HOST);
  await must(shell, WATCH_PROCESSES);
});
afterAll(() => testLabDown('one'));

/** Our services, as patterns for systemctl. */
const OURS = "'odoo*' 'pgbouncer*' 'postgresql*' 'redis*' 'nginx*'";

describe('one host with all roles', () => {
  it(
    `converges although the tool is killed at ${KILLS} moments of the first apply`,
    { timeout: INSTALLATION },
    async () => {
      const seed = Number(process.env['ODOO_PROV_TEST_SEED'] ?? Date.now() % 1_000_000);
      process.stderr.write(`  kills: again with ODOO_PROV_TEST_SEED=${seed}\n`);
      const random = randomFrom(seed);
      const planned = plannedChanges((await apply('--check')).events);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const moment = (planned * 0.97 * (kill + random())) / KILLS;
        const end = await applyKilledAt(planned, moment, Math.floor(random() * 4));
        expect(end.code, printed(end)).toBe('SIGKILL');
        expect(failures(end), printed(end)).toEqual([]);
      }
      const last = await apply();
      expect(last.code, printed(last)).toBe(0);
    },
  );

  it('has no half-written file and no half-installed package after that', async () => {
    expect(await must(shell, `find / -xdev -name '.*.odoo-prov.*'`)).toBe('');
    expect(await must(shell, 'dpkg --audit; apt-get -qq check; ls /var/lib/dpkg/updates')).toBe('');
    expect(await must(shell, 'systemctl --failed --no-legend --plain')).not.toMatch(
      /odoo|nginx|redis|postgres|pgbouncer/,
    );
  });

  it('has lost no restart: what runs is younger than its files', async () => {
    for (const [unit, files] of Object.entries(STARTED_AFTER)) {
      const [started = 0, ...written] = (
        await must(
          shell,
          `pid=$(systemctl show -P MainPID ${unit})
echo $(($(date +%s) - $(ps -o etimes= -p "$pid")))
stat -c %Y ${files.join(' ')}`,
        )
      )
        .trim()
        .split('\n')
        .map(Number);
      expect(written, unit).toHaveLength(files.length);
      // Ages of processes are told in whole seconds.
      expect(started + 1, unit).toBeGreaterThanOrEqual(Math.max(...written));
    }
    const pending = `runuser -u postgres -- psql -tAc 'SELECT count(*) FROM pg_settings WHERE pending_restart'`;
    expect(await must(shell, pending)).toBe('0\n');
  });

  it('finds nothing to do the next time, with one connection and one exec', async () => {
    const end = await apply('--detailed-exitcode');
    expect(end.code, printed(end)).toBe(0);
    expect(recapOf(end).changed).toBe(0);
    expect(hostRecaps(end)[HOST]?.wire).toMatchObject({ connections: 1, execs: 1 });
  });

  it('lets admin in over HTTPS, and keeps the session in Redis', async () => {
    const client = new OdooClient(cluster.addressOf(HOST), cluster.cluster.odoo.domain);
    await client.logIn('admin', await cluster.secret('odoo-admin-password'));
    expect(await client.whoAmI()).toBe('admin');
    const keys = await must(
      shell,
      `REDISCLI_AUTH='${await cluster.secret('redis-password')}' redis-cli --scan`,
    );
    expect(keys).toContain(client.sessionId.slice(0, 16));
    expect((await client.get('/web/health')).status).toBe(200);
  });

  it('has PostgreSQL again by itself after its first process was killed', async () => {
    const pid = 'head -n 1 /var/lib/postgresql/*/main/postmaster.pid';
    const before = await must(shell, pid);
    await must(
      shell,
      `kill -KILL "$(${pid})"
for i in $(seq 120); do
  [ "$(cd / && runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()' 2>/dev/null)" = f ] &&
    systemctl is-active --quiet 'postgresql@*' && exit 0
  sleep 0.5
done
exit 1`,
    );
    expect(await must(shell, pid)).not.toBe(before);
    // What lost its connections may be starting anew at this moment.
    await must(
      shell,
      `calm=0
for i in $(seq 120); do
  [ -z "$(systemctl list-units --plain --no-legend --state=activating,deactivating,failed ${OURS})" ] || calm=-1
  calm=$((calm + 1))
  [ "$calm" -lt 5 ] || exit 0
  sleep 1
done
systemctl list-units --plain --no-legend --state=activating,deactivating,failed ${OURS} >&2
exit 1`,
    );
    const end = await apply();
    expect(end.code, printed(end)).toBe(0);
    // PgBouncer asks a server that did not answer again after 15 s: that is waited for.
    expect(
      changed(end).filter((key) => !key.includes('check:')),
      printed(end),
    ).toEqual([]);
  });

  it('is verified on request', async () => {
    const end = await apply('--verify');
    expect(end.code, printed(end)).toBe(0);
    const checks = end.events.filter(({ type }) => type === 'verify-checked');
    expect(checks.length).toBeGreaterThanOrEqual(5);
    expect(checks.filter(({ ok }) => ok !== true)).toEqual([]);
  });
});

describe('two runs on one host', () => {
  const DRIFT = 'rm /etc/odoo/cron.conf';

  it('waits for the step that a killed run left running', async () => {
    await must(shell, DRIFT);
    // As a killed run leaves it: a shell without a connection that has the lock.
    await must(
      shell,
      `touch /run/held
setsid sh -c 'exec 9>>/run/odoo-prov/lock; flock 9
printf "%s\\n" "somebody since then" "$$" >/run/odoo-prov/holder; touch /run/holds
while [ -e /run/held ]; do sleep 0.2; done' </dev/null >/dev/null 2>&1 &
until [ -e /run/holds ]; do sleep 0.2; done`,
    );
    const end = await cluster.run(['apply', cluster.file, '--json'], {
      onEvent: ({ type }) => {
        if (type === 'host-waiting') void shell('rm /run/held');
      },
    });
    ends.push(end);
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('"type":"host-waiting"');
    expect(end.stdout).toContain('somebody since then');
  });

  it('refuses while another run is alive, and names it', async () => {
    await must(shell, DRIFT);
    const other = shell(`touch /run/held; exec 9>>/run/odoo-prov/lock; flock 9
printf '%s\\n' 'somebody else since now' "$$" >/run/odoo-prov/holder
while [ -e /run/held ]; do sleep 0.2; done`);
    await must(shell, "until grep -q 'somebody else' /run/odoo-prov/holder; do sleep 0.2; done");
    const refused = await apply();
    await must(shell, 'rm /run/held');
    await other;
    expect(refused.code, printed(refused)).toBe(5);
    expect(refused.stdout).toContain('another run is changing this host');
    expect(refused.stdout).toContain('somebody else since now, process ');
    const end = await apply();
    expect(end.code, printed(end)).toBe(0);
  });
});

describe('what is left behind', () => {
  it('is an audit log that says who did what and how it ended', async () => {
    const log = await must(shell, 'cat /var/log/odoo-prov/audit.log');
    expect(log).toMatch(/^\S+Z \S+@\S+ since \S+, odoo-prov \S+ .*package:redis-server.* exit 0$/m);
    expect(log).toMatch(/ .*file:\/etc\/odoo\/cron\.conf exit 0$/m);
  });

  it('is no secret but in the files that are meant to hold it', async () => {
    const listed = (await run('secrets', cluster.file, 'list')).stdout.trim().split('\n');
    expect(listed).toEqual(expect.arrayContaining(SECRETS));
    const values = await Promise.all(listed.map((name) => cluster.secret(name)));

    const patterns = `cat <<'EOF'\n${values.join('\n')}\nEOF\n`;
    const held = await must(
      shell,
      `patterns() { ${patterns} }
patterns | grep -rlaF -f - /etc /var /run /root /home /tmp /opt /usr/lib/odoo-prov 2>/dev/null |
  xargs -r -d '\\n' stat -c '%a %n'`,
    );
    const modes = held
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    expect(modes.length).toBeGreaterThan(2);
    for (const [mode = '', file = ''] of modes) {
      expect(parseInt(mode, 8) & ~0o640, file).toBe(0);
      expect(file).not.toMatch(/^\/(var\/log|run\/log|tmp|run\/processes)/);
    }
    const told = `patterns() { ${patterns} }
{ journalctl -a -o cat --no-pager; cat /run/processes; } | { patterns >/run/patterns; grep -caF -f /run/patterns; }
rm /run/patterns`;
    expect(await must(shell, 'wc -l </run/processes')).not.toBe('0\n');
    expect(await must(shell, told)).toBe('0\n');

    const output = ends.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    const state = readFileSync(cluster.file.replace('.yaml', '.state.json'), 'utf8');
    for (const value of values) {
      expect(output.includes(value)).toBe(false);
      expect(state.includes(value)).toBe(false);
    }
  });

  it('is a file of secrets and its key that nobody else may read', () => {
    const secrets = cluster.file.replace('.yaml', '.secrets.age');
    expect(statSync(secrets).mode & 0o777).toBe(0o600);
    expect(statSync(cluster.keyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(secrets, 'utf8')).toMatch(/^age-encryption\.org|^-----BEGIN AGE/);
  });
});

describe('exec', () => {
  it('runs a command as root and says whose output it is', async () => {
    const end = await run('exec', cluster.file, '--limit', HOST, '--', 'id -un; hostname');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toBe(`${HOST}  root\n${HOST}  ${HOST}\n`);
  });

  it('ends with 3 when the command fails, and hides secrets', async () => {
    const show = `cat /etc/odoo-prov/redis.auth; exit 7`;
    const end = await run('exec', cluster.file, '--limit', HOST, '--', show);
    expect(end.code, printed(end)).toBe(3);
    expect(end.stderr).toContain('exit code 7');
    expect(end.stdout + end.stderr).not.toContain(await cluster.secret('redis-password'));
  });
});

/** Notes the command line of every process that runs on the host, until it is restarted. */
const WATCH_PROCESSES = `setsid sh -c 'while :; do
  cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" "\\n" >>/run/processes; sleep 0.5
done' </dev/null >/dev/null 2>&1 &`;

function plannedChanges(events: readonly JsonEvent[]): number {
  return events
    .filter(({ type, pass }) => type === 'host-planned' && pass === 1)
    .flatMap(({ changes = [] }) => changes.filter(({ confirm }) => !confirm)).length;
}

/**
 * Kills an apply at a moment of the whole first installation: when so many of its changes are begun, by
 * this run or those before it, and some events more.
 */
async function applyKilledAt(planned: number, moment: number, more: number): Promise<ProgramEnd> {
  let begun = 0;
  let left = more;
  const end = await cluster.run(['apply', cluster.file, '--json'], {
    onEvent: (event, kill) => {
      if (event.type === 'host-planned' && event.pass === 1) {
        begun = planned - plannedChanges([event]);
      }
      if (event.type === 'resource-started') begun += 1;
      if (begun < moment) return;
      if (left === 0) kill();
      left -= 1;
    },
  });
  ends.push(end);
  const at = end.events.at(-1);
  process.stderr.write(`  kills: ${begun} of ${planned} begun, ${at?.type} ${at?.key ?? ''}\n`);
  return end;
}

function failures(end: ProgramEnd): readonly string[] {
  return end.events.flatMap(({ failure }) => (failure === undefined ? [] : [failure.message]));
}
