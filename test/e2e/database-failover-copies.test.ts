import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseLab } from '../support/database-lab.js';
import { failures, reportOf } from '../support/failover-report.js';
import { asynchronousLab, type FailoverSuite } from '../support/failover-suite.js';
import { printed } from '../support/program.js';
import { repositoryRoot } from '../support/repository.js';

const SCENARIO = 'point-in-time-recovery';
/** pool2 has the repository, and so gets the copies. */
const KEEPER = 'pool2';
const COPY = '/var/lib/postgresql/.odoo-prov-scratch';

let db: DatabaseLab;
let suite: FailoverSuite;

beforeAll(async () => {
  ({ db, suite } = await asynchronousLab());
});

async function noCopyLeft(): Promise<void> {
  expect(
    await db.must(
      KEEPER,
      `ls -d ${COPY} /var/lib/odoo-prov/failover-test-copy 2>/dev/null || :
systemctl list-timers --all --no-legend 'odoo-prov-failover-test-*'`,
    ),
  ).toBe('');
}

describe('copies of moments before and after a switchover', () => {
  it('have the rows of their moments, along their timelines, and are removed', async () => {
    const end = await suite.test(SCENARIO);
    const report = reportOf(end);
    expect(failures(report)).toEqual([]);
    expect(end.code, printed(end)).toBe(0);
    const [one] = report.scenarios;
    expect(one?.verdict).toBe('recovered');
    const copied = (one?.checks ?? []).filter(({ id }) => id.startsWith('copy.'));
    process.stderr.write(`  ${copied.map(({ text }) => text).join('\n  ')}\n`);
    expect(copied.map(({ id }) => id)).toEqual([
      ...['copy.missing', 'copy.surplus', 'copy.timeline'],
      ...['copy.missing', 'copy.surplus', 'copy.timeline'],
    ]);
    const number = (at: number): number => Number(/\d+/.exec(copied[at]?.text ?? '')?.[0]);
    // Rows on both sides of both moments, more of them by the later one, and one timeline further.
    expect(number(0)).toBeGreaterThan(50);
    expect(number(3)).toBeGreaterThan(number(0) + 50);
    expect(number(4)).toBeGreaterThan(50);
    expect(number(0) + number(1)).toBe(one?.figures?.acknowledged);
    expect(number(3) + number(4)).toBe(one?.figures?.acknowledged);
    expect(number(5)).toBe(number(2) + 1);
    expect(await suite.primary()).toBe('db1');
    await noCopyLeft();
    await suite.nothingLeft();
    await suite.unchanged();
  });

  it('are found wrong where a restore does not end at its moment', async () => {
    const end = await suite.testWith(
      {
        host: KEEPER,
        // Forgets the target: it replays all of the timeline.
        plant: `cp -p /usr/bin/pgbackrest /var/tmp/pgbackrest
cat >/var/tmp/planted <<'EOF'
#!/bin/sh
case " $* " in *' restore '*)
  for word; do
    shift
    case $word in --type=* | --target=* | --target-action=*) ;; *) set -- "$@" "$word" ;; esac
  done ;;
esac
exec /var/tmp/pgbackrest "$@"
EOF
chmod 755 /var/tmp/planted && mount --bind /var/tmp/planted /usr/bin/pgbackrest`,
        remove: 'umount -l /usr/bin/pgbackrest && rm /var/tmp/planted /var/tmp/pgbackrest',
      },
      SCENARIO,
    );
    expect(end.code, printed(end)).toBe(3);
    expect(failures(reportOf(end))).toEqual(
      ['copy.surplus', 'copy.timeline', 'copy.surplus', 'copy.timeline'].map(
        (id) => `${SCENARIO} ${id}`,
      ),
    );
    expect(end.stderr).toMatch(/found {5}\d+ rows too many/);
    await noCopyLeft();
    await suite.unchanged();
  });

  it('are not made over a copy that somebody else has made, nor on a database host', async () => {
    await db.must(KEEPER, `install -d ${COPY}`);
    const end = await suite.test(SCENARIO);
    await db.must(KEEPER, `rmdir ${COPY}`);
    expect(end.code, printed(end)).toBe(3);
    expect(reportOf(end).skipped).toEqual([
      {
        scenario: SCENARIO,
        why: `${KEEPER} has a copy already: odoo-prov restore FILE --on ${KEEPER} --discard-old removes it`,
      },
    ]);
    const wrong = await db.run('failover-test', '--scenario', SCENARIO, '--on', 'db2', '--list');
    expect(wrong.code, printed(wrong)).toBe(1);
    expect(wrong.stderr).toContain('db2 holds the database itself');
  });

  it('are removed by their host after the program was killed', async () => {
    const words = ['failover-test', db.inventory, '--yes', '--scenario', SCENARIO];
    const child = spawn(process.execPath, [join(repositoryRoot, 'bin/odoo-prov'), ...words], {
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await suite.until(KEEPER, 'systemctl is-active --quiet odoo-prov-scratch', 600);
    child.kill('SIGKILL');
    await ended;
    const timer = "systemctl list-timers --no-legend 'odoo-prov-failover-test-copy.timer' | wc -l";
    expect(await db.must(KEEPER, timer)).toBe('1\n');
    // What the timer does when its time comes.
    await db.must(KEEPER, 'systemctl start odoo-prov-failover-test-copy.service');
    await suite.until(KEEPER, `! [ -e ${COPY} ]`, 60);
    await noCopyLeft();
    const end = await suite.test('standby-down');
    expect(end.code, printed(end)).toBe(0);
    await suite.nothingLeft();
    await suite.unchanged();
  });
});
