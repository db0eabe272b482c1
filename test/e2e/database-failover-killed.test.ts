import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseLab } from '../support/database-lab.js';
import { asynchronousLab, type FailoverSuite, psql, WITH_NFT } from '../support/failover-suite.js';
import { printed } from '../support/program.js';
import { repositoryRoot } from '../support/repository.js';

/** Seconds: a host heals after 180; the rest is for PostgreSQL to follow again. */
const HEALED_WITHIN = 180 + 60;

interface Case {
  readonly scenario: string;
  readonly host: string;
  /** Shell text that is true while it is broken; not given where it does not stay broken. */
  readonly broken?: string;
  /** Shell text, on the same host, that is true when it is well. */
  readonly well: string;
}

const ANSWERS = 'timeout 5 pg_isready -q';
const ARCHIVES = `[ "$(${psql('select coalesce(last_archived_time > last_failed_time, last_failed_time is null) from pg_stat_archiver')})" = t ]`;
/** Each fault of the database tier; a replica's is the standby's. */
const CASES: readonly Case[] = [
  {
    scenario: 'standby-down',
    host: 'db2',
    broken: `! ${ANSWERS}`,
    well: `[ "$(${psql('select status from pg_stat_wal_receiver')} 2>/dev/null)" = streaming ]`,
  },
  {
    scenario: 'archive-unreachable',
    host: 'pool2',
    broken: '! systemctl is-active --quiet odoo-prov-pgbackrest',
    well: 'systemctl is-active --quiet odoo-prov-pgbackrest',
  },
  {
    scenario: 'pgbouncer-down',
    host: 'pool1',
    broken: '! systemctl is-active --quiet pgbouncer',
    well: 'systemctl is-active --quiet pgbouncer',
  },
  // systemd starts it again at once, whatever became of the test: the timer finds it well.
  { scenario: 'primary-killed', host: 'db1', well: ANSWERS },
  {
    scenario: 'primary-frozen',
    host: 'db1',
    broken: `grep -q '^State:.T' "/proc/$(head -n 1 /var/lib/postgresql/*/main/postmaster.pid)/status"`,
    well: ANSWERS,
  },
  {
    scenario: 'primary-cut-off',
    host: 'db1',
    broken: 'nft list table inet odoo_prov_failover_test >/dev/null 2>&1',
    well: '! nft list table inet odoo_prov_failover_test >/dev/null 2>&1',
  },
];

let db: DatabaseLab;
let suite: FailoverSuite;

beforeAll(async () => {
  ({ db, suite } = await asynchronousLab());
  await db.must('db1', WITH_NFT);
});

/** Runs a scenario and kills the program as soon as it has broken something. */
async function killedWhile({ scenario, host, broken }: Case): Promise<void> {
  const words = ['failover-test', db.inventory, '--yes', '--scenario', scenario];
  const child = spawn(process.execPath, [join(repositoryRoot, 'bin/odoo-prov'), ...words], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const armed = `systemctl is-active --quiet odoo-prov-heal-${scenario}.timer`;
  await db.must(
    host,
    `for i in $(seq 1800); do if ${armed} && ${broken ?? ':'}; then exit 0; fi; sleep 0.1; done; exit 1`,
  );
  child.kill('SIGKILL');
  await ended;
}

describe('killed in the middle of a fault', () => {
  it.each(CASES)(
    'leaves $host to heal by itself after $scenario, and refuses another run until then',
    async (one) => {
      const { scenario, host, broken, well } = one;
      await killedWhile(one);
      const at = performance.now();
      const second = await suite.test(scenario);
      expect(second.code, printed(second)).toBe(5);
      const file = `/run/odoo-prov/failover-test/${scenario}`;
      const left = Number(/heals by itself in (\d+) s/.exec(second.stderr)?.[1]);
      expect(left, printed(second)).toBeGreaterThan(0);
      expect(left, printed(second)).toBeLessThan(180);
      expect(second.stderr).toContain(`sh ${file}`);
      if (host.startsWith('db')) {
        const moved = await db.run('switchover', '--yes');
        expect(moved.code, printed(moved)).toBe(5);
        expect(moved.stderr).toContain(`At once, as root on ${host}: sh ${file}`);
      }
      if (broken !== undefined) {
        expect((await db.on(host)(broken)).code, 'it is still broken').toBe(0);
      }
      // As one line: the screen wraps.
      const told = printed(await db.run('status')).replace(/\s+/g, ' ');
      expect(told).toContain(`has left ${scenario} broken on ${host}; it heals by itself in`);
      expect(told).not.toContain('on purpose');
      const timer = `systemctl is-active --quiet odoo-prov-heal-${scenario}.timer`;
      await suite.until(host, `! ${timer} && ${well}`, HEALED_WITHIN);
      const seconds = (performance.now() - at) / 1000;
      expect(await db.must(host, 'ls -A /run/odoo-prov/failover-test')).toBe('');
      process.stderr.write(`  ${scenario}: well again ${seconds.toFixed(0)} s after the kill\n`);
      await suite.untilStreaming('db2');
      // PostgreSQL tries again once a minute what it could not archive, and apply says that it fails until then.
      await suite.until('db1', ARCHIVES, 120);
      // PgBouncer asks a server that did not answer again after 15 s.
      await sleep(16_000);
      expect(await suite.primary()).toBe('db1');
      await suite.unchanged();
    },
  );

  it('leaves rows, which the next run removes', async () => {
    const end = await suite.test('pgbouncer-down');
    expect(end.code, printed(end)).toBe(0);
    await suite.nothingLeft();
    await suite.unchanged();
  });
});
