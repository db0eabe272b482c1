import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { powerCut, powerOn } from '../../src/lab/index.js';
import { convergedCluster, type FullCluster } from '../support/full-lab.js';
import {
  changed,
  fingerprint,
  invocations,
  lines,
  planned,
  restarted,
} from '../support/host-state.js';
import {
  hostRecaps,
  odooProv,
  printed,
  type JsonEvent,
  type ProgramEnd,
} from '../support/program.js';

let full: FullCluster;
/** What the inventory said before a test changed it. */
let inventory: string;

beforeAll(async () => {
  full = await convergedCluster();
  inventory = readFileSync(full.inventory, 'utf8');
});

function failures(end: ProgramEnd): readonly JsonEvent[] {
  return end.events.filter(({ type }) => type === 'host-failed');
}

async function expectNoChanges(): Promise<void> {
  const end = await full.apply(['--detailed-exitcode']);
  expect([end.code, ...planned(end)], printed(end)).toEqual([0]);
}

describe('a database that is gone', () => {
  const data = '/var/lib/postgresql/17/main';
  const config = '/etc/postgresql/17/main';

  it('is not replaced by an empty one: apply refuses and changes nothing', async () => {
    await full.must(
      'pg1',
      `systemctl stop postgresql@17-main && mv ${data} /root/data.away && mv ${config} /root/config.away`,
    );
    // Something harmless elsewhere, to see that not even that is done.
    await full.must('edge2', 'rm /etc/apt/apt.conf.d/52odoo-prov');
    const before = await fingerprint(full);
    const end = await full.apply();
    const after = await fingerprint(full);
    const there = await full.must('pg1', `ls -d ${data} ${config} 2>/dev/null || :`);
    const shown = `${end.stdout}${end.stderr}`;
    await full.must(
      'pg1',
      `rm -rf ${data} ${config} && mv /root/data.away ${data} && mv /root/config.away ${config} && systemctl start postgresql@17-main`,
    );
    expect(end.code, printed(end)).toBe(5);
    expect(shown).toContain('would create');
    expect(shown).toContain('records the PostgreSQL cluster');
    expect(there).toBe('');
    expect(after).toEqual(before);
  });

  it('comes back as it was, and only the other thing is mended', async () => {
    const end = await full.apply(['--detailed-exitcode']);
    expect(end.code, printed(end)).toBe(2);
    // Odoo's connections were cut: its services may have ended and be back by themselves.
    expect(changed(end).filter((key) => !/ (unit:odoo-|check:)/.test(key))).toEqual([
      'edge2 file:/etc/apt/apt.conf.d/52odoo-prov',
    ]);
    await expectNoChanges();
  });

  it('is not looked for elsewhere while its host is down: nothing is created, wherever it is applied', async () => {
    await powerCut(full.lab, 'pg1');
    const all = await full.apply();
    const one = await full.apply(['--limit', 'app1']);
    await powerOn(full.lab, 'pg1');
    expect(all.code, printed(all)).toBe(4);
    // app1 by itself lacks nothing that a run could mend: whether it ends well is up to Odoo's own health page.
    expect(one.events.length, printed(one)).toBeGreaterThan(0);
    const made = [...changed(all), ...changed(one)];
    expect(made.filter((key) => /postgres|odooDatabase/.test(key))).toEqual([]);
    const count = await full.must(
      'pg1',
      `for i in $(seq 60); do runuser -u postgres -- psql -XAtqc 'select count(*) from res_users' odoo 2>/dev/null && exit; sleep 1; done; exit 1`,
    );
    expect(Number(count)).toBeGreaterThan(0);
    for (let tries = 0; tries < 20; tries += 1) {
      if ((await full.apply(['--detailed-exitcode'])).code === 0) break;
    }
    await expectNoChanges();
  });
});

describe('a part of the cluster', () => {
  it('is looked at and changed alone with --limit and --role', async () => {
    const break52 = 'rm -f /etc/apt/apt.conf.d/52odoo-prov';
    await Promise.all(['edge1', 'edge2', 'cron1'].map((host) => full.must(host, break52)));
    const limited = await full.apply(['--limit', 'edge2']);
    expect(limited.code, printed(limited)).toBe(0);
    expect(Object.keys(hostRecaps(limited))).toEqual(['edge2']);
    expect(changed(limited)).toEqual(['edge2 file:/etc/apt/apt.conf.d/52odoo-prov']);
    const role = await full.apply(['--role', 'cron']);
    expect(Object.keys(hostRecaps(role)).sort()).toEqual(['cron1', 'cron2']);
    expect(changed(role)).toEqual(['cron1 file:/etc/apt/apt.conf.d/52odoo-prov']);
    const rest = await full.apply();
    expect(changed(rest)).toEqual(['edge1 file:/etc/apt/apt.conf.d/52odoo-prov']);
    const none = await odooProv(['apply', full.inventory, '--limit', 'edge9']);
    expect(none.code).toBe(1);
  });
});

describe('a role that is taken away', () => {
  const config = '/etc/odoo/cron.conf';
  afterAll(() => writeFileSync(full.inventory, inventory));

  /** The inventory with these roles for gevent2. */
  function giveGevent2(...roles: readonly string[]): void {
    const data = parse(inventory) as { hosts: Record<string, object> };
    data.hosts['gevent2'] = { ...data.hosts['gevent2'], roles };
    writeFileSync(full.inventory, stringify(data));
  }

  it('is left over until it is pruned, then stopped and disabled, with its files kept', async () => {
    giveGevent2('cron', 'gevent');
    const given = await full.apply(['--limit', 'gevent2']);
    expect(given.code, printed(given)).toBe(0);
    expect(await full.must('gevent2', 'systemctl is-active odoo-cron')).toBe('active\n');

    writeFileSync(full.inventory, inventory);
    const left = await full.apply(['--limit', 'gevent2', '--detailed-exitcode']);
    const leftOver = left.events.find(({ type }) => type === 'host-planned')?.leftOver;
    expect([left.code, leftOver], printed(left)).toEqual([0, ['cron']]);
    expect(await full.must('gevent2', 'systemctl is-active odoo-cron')).toBe('active\n');

    const before = await invocations(full);
    const pruned = await full.apply(['--limit', 'gevent2', '--prune']);
    expect(pruned.code, printed(pruned)).toBe(0);
    expect(changed(pruned)).toContain('gevent2 unit:odoo-cron.service');
    const state = await full.must(
      'gevent2',
      `systemctl is-active odoo-cron; systemctl is-enabled odoo-cron; ls ${config}`,
    );
    expect(lines(state)).toEqual(['inactive', 'disabled', config]);
    const after = await invocations(full);
    expect(restarted(before, after)).toEqual(['gevent2 odoo-cron.service']);
    const again = await full.apply(['--limit', 'gevent2', '--prune', '--detailed-exitcode']);
    expect([
      again.code,
      again.events.find(({ type }) => type === 'host-planned')?.leftOver,
    ]).toEqual([0, []]);
  });

  it('leaves a cluster in which nothing differs', expectNoChanges);
});

describe('two runs at once, and Ctrl-C', () => {
  const file = '/etc/apt/apt.conf.d/52odoo-prov';

  it('names the first run to the second, ends after the running step, and gives the lock back', async () => {
    // Installing takes a quarter of a minute, whatever else the machine does.
    await full.must(
      'cron1',
      `DEBIAN_FRONTEND=noninteractive apt-get remove -y -q unattended-upgrades
rm ${file}
echo 'DPkg::Pre-Install-Pkgs {"sleep 15";};' > /etc/apt/apt.conf.d/99-odoo-prov-test`,
    );
    let second: Promise<ProgramEnd> | undefined;
    const first = await full.apply(['--limit', 'cron1'], {
      onEvent: (event, kill) => {
        if (event.type !== 'resource-started' || second !== undefined) return;
        second = full.apply(['--limit', 'cron1']);
        void second.then(() => kill('SIGINT'));
      },
    });
    const other = await second;
    await full.must('cron1', 'rm /etc/apt/apt.conf.d/99-odoo-prov-test');
    if (other === undefined) throw new Error(`the first run did nothing: it ${printed(first)}`);
    expect(other.code, printed(other)).toBe(5);
    const [failure] = failures(other);
    expect(failure?.failure?.reason).toBe('run-lock');
    expect(failure?.failure?.found).toMatch(/^\S+@\S+ since \d{4}-\d\d-\d\dT.*, odoo-prov \d/);

    expect(first.code, printed(first)).toBe(130);
    expect(changed(first)).toEqual(['cron1 package:unattended-upgrades']);
    const state = await full.must(
      'cron1',
      `dpkg-query -W -f '\${db:Status-Status}\\n' unattended-upgrades; ls ${file} 2>/dev/null || echo missing; flock -n /run/odoo-prov/lock echo free`,
    );
    expect(lines(state)).toEqual(['installed', 'missing', 'free']);
  });

  it('goes on where it stopped', async () => {
    const end = await full.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(changed(end)).toEqual([`cron1 file:${file}`]);
    await expectNoChanges();
  });
});
