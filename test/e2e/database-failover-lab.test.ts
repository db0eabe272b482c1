import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { filestoreHidden } from '../../playbooks/failover-test/fault.js';
import { loadSoundCluster } from '../../src/cli/load-inventory.js';
import { findWatcher, powerCut, powerOn } from '../../src/lab/index.js';
import { attachments } from '../../src/odoo/layout.js';
import type { DatabaseLab } from '../support/database-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import { asynchronousLab, psql, type FailoverSuite } from '../support/failover-suite.js';
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

/** Waits for the end of a process of this machine. */
async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; existsSync(`/proc/${String(pid)}`); tries += 1) {
    if (tries > 100) throw new Error(`process ${String(pid)} still runs`);
    await sleep(100);
  }
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

  it('are healed at Ctrl-C; after a promotion it says how the old primary is taken back, and that is so', async () => {
    const promoted = `[ "$(${psql('select pg_is_in_recovery()')})" = f ]`;
    const end = await suite.interruptedAt('power-cut', { host: 'db2', script: promoted });
    process.stderr.write(`  ended ${end.seconds.toFixed(0)} s after Ctrl-C\n`);
    expect(end.code, end.text).toBe(130);
    expect(end.text).toContain('1 interrupted (power-cut)');
    expect(end.text).toContain('for the cluster to be healthy: ');
    expect(end.text).not.toContain('cluster.timeline');
    const [, steps = ''] = end.text.split(
      'db2 is primary; db1 was, before. The way back, in this order:\n',
    );
    expect(steps.split('\n').slice(0, 3)).toEqual([
      `  1  odoo-prov rejoin ${db.inventory} --host db1`,
      `  2  odoo-prov switchover ${db.inventory} --to db1`,
      `  3  odoo-prov apply ${db.inventory}`,
    ]);
    expect(end.seconds).toBeLessThan(120);
    const rejoined = await db.run('rejoin', '--host', 'db1', '--yes');
    expect(rejoined.code, printed(rejoined)).toBe(0);
    await suite.mend('db1');
  });

  it.each(['host-frozen', 'power-cut'])(
    'heal by a process of their own after the program was killed in %s',
    async (scenario) => {
      await killedWhile(scenario);
      const at = performance.now();
      const second = await odooProv(['failover-test', db.inventory, '--yes', '--json']);
      expect(second.code, printed(second)).toBe(5);
      expect(second.stderr).toContain('db1: a failover-test has broken this machine');
      expect(second.stderr).toMatch(/heals by itself within 1\d\d s/);
      expect(second.stderr).toContain(`lab heal ${db.lab.name} db1`);
      await suite.until('db2', answers(), HEALED_WITHIN);
      const seconds = (performance.now() - at) / 1000;
      process.stderr.write(`  ${scenario}: well again ${seconds.toFixed(0)} s after the kill\n`);
      expect(seconds).toBeGreaterThan(100);
      await suite.untilStreaming('db2');
      // PostgreSQL answers before systemd takes a machine that has just started for started.
      await db.must('db1', 'systemctl is-system-running --wait || :');
      expect(await suite.primary()).toBe('db1');
      await suite.unchanged();
    },
  );

  it('are healed at once by `lab heal`, which ends the process that would do it later', async () => {
    await killedWhile('host-frozen');
    const watcher = await findWatcher(db.lab.name, 'db1');
    if (watcher === undefined) throw new Error('nobody heals db1 later');
    const healed = await odooProv(['lab', 'heal', db.lab.name, 'db1']);
    expect(healed.code, printed(healed)).toBe(0);
    await suite.until('db2', answers(), 30);
    expect(await findWatcher(db.lab.name, 'db1')).toBeUndefined();
    await untilGone(watcher.pid);
    await suite.untilStreaming('db2');
    const next = await suite.test('standby-down');
    expect(next.code, printed(next)).toBe(0);
    await suite.unchanged();
  });
});

describe('the cover of filestore-down', () => {
  it('is gone after a restart of the host, with nothing below it touched; healing it then is no error', async () => {
    const cluster = loadSoundCluster(db.inventory, true);
    const web = cluster.hosts.find(({ name }) => name === 'web1');
    if (web === undefined) throw new Error('the inventory has no web1');
    const { breaks, heals } = filestoreHidden(web, cluster, false);
    const file = `${attachments(cluster)}/planted`;
    await db.must('web1', `mkdir -p ${attachments(cluster)} && echo kept >${file}`);
    await db.must('web1', breaks);
    expect((await db.on('web1')(`cat ${file}`)).code).not.toBe(0);
    await powerCut(db.lab, 'web1');
    await powerOn(db.lab, 'web1');
    expect(await db.must('web1', `cat ${file}`)).toBe('kept\n');
    await db.must('web1', heals);
    expect(await db.must('web1', `cat ${file} && rm ${file}`)).toBe('kept\n');
  });
});
