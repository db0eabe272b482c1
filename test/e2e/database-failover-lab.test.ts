import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseLab } from '../support/database-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import { asynchronousLab, type FailoverSuite } from '../support/failover-suite.js';
import { odooProv, printed } from '../support/program.js';
import { repositoryRoot } from '../support/repository.js';

/** Seconds: a machine heals after 180; the rest is for PostgreSQL to follow again. */
const HEALED_WITHIN = 180 + 60;

let db: DatabaseLab;
let suite: FailoverSuite;

beforeAll(async () => {
  ({ db, suite } = await asynchronousLab());
});

/** Shell text for db2: whether PostgreSQL on db1 answers it. */
function answers(): string {
  return `timeout 3 pg_isready -q -h ${db.address('db1')} -t 2`;
}

/** What is under test, killed as soon as db1 is broken. */
async function killedWhile(scenario: string): Promise<void> {
  const words = ['failover-test', db.inventory, '--yes', '--scenario', scenario];
  const child = spawn(process.execPath, [join(repositoryRoot, 'bin/odoo-prov'), ...words], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await suite.untilWriting('db1');
  await suite.until('db2', `! ${answers()}`, 120);
  child.kill('SIGKILL');
  await ended;
}

describe('faults of whole machines, which only a lab has', () => {
  it('are passed: frozen, cable pulled, power cut with failover, rejoin and the way back', async () => {
    const end = await suite.test('host-frozen,cable-cut,power-cut');
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    expect(report.skipped).toEqual([]);
    for (const { scenario, verdict, figures } of report.scenarios) {
      expect(verdict, scenario).toBe('recovered');
      // Nobody wrote meanwhile: it really was away. The frozen ones for 8 s, the lost one until the promotion.
      expect(figures?.gaps.all, scenario).toBeGreaterThan(scenario === 'power-cut' ? 1000 : 7000);
    }
    expect(await suite.primary()).toBe('db1');
    await suite.nothingLeft();
    await suite.unchanged();
  });

  it('fail where nothing keeps the old primary from starting', async () => {
    const planted = '/etc/systemd/system/postgresql@*.service.d/zz-planted.conf';
    const running = suite.test('power-cut');
    await suite.untilWriting('db1');
    const plant = db.must(
      'db1',
      `printf '[Service]\\nExecStartPre=\\n' >"$(echo /etc/systemd/system/postgresql@*.service.d)/zz-planted.conf"
systemctl disable --now odoo-prov-postgres-guard`,
    );
    const [end] = await Promise.all([running, plant]);
    await db.must('db1', `rm ${planted} && systemctl daemon-reload`);
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toContain('power-cut primary.old-is-fenced');
    await suite.mend('db1');
  });

  it.each(['host-frozen', 'power-cut'])(
    'heal by a process of their own after the program was killed in %s',
    async (scenario) => {
      await killedWhile(scenario);
      const at = performance.now();
      const second = await odooProv(['failover-test', db.inventory, '--yes', '--json']);
      // What is frozen takes connections, and says nothing.
      expect(second.code, printed(second)).toBe(scenario === 'host-frozen' ? 3 : 4);
      expect(second.stderr).toContain('db1');
      expect(second.stderr).not.toContain('takes writes');
      await suite.until('db2', answers(), HEALED_WITHIN);
      const seconds = (performance.now() - at) / 1000;
      process.stderr.write(`  ${scenario}: well again ${seconds.toFixed(0)} s after the kill\n`);
      expect(seconds).toBeGreaterThan(100);
      await suite.untilStreaming('db2');
      expect(await suite.primary()).toBe('db1');
      await suite.unchanged();
    },
  );
});
