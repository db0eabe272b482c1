import { writeFileSync } from 'node:fs';
import { databaseLab, type DatabaseLab } from '../test/support/database-lab.js';
import { printed, type ProgramEnd } from '../test/support/program.js';
import { two } from './report.js';
import { spread } from './statistics.js';

/*
 * `npm run bench:copies [-- RUNS]`: how fast a database is copied to a standby and restored from its backup, beside `cp`
 * of the same files on the same disk. Every figure is of the whole command as an operator runs it.
 */

const MACHINE = { memory: '2GB', cores: 2 };
const INVENTORY = {
  odoo: { source: { debian: { accept_unstable: true } }, database: 'acme', users: 20 },
  postgres: { backup: { host: 'backup1', filestore: 'off' } },
  hosts: {
    web1: {
      address: '198.51.100.11',
      roles: ['edge', 'app', 'cron', 'gevent', 'pgbouncer', 'redis'],
      ...MACHINE,
    },
    db1: { address: '198.51.100.71', roles: ['pg-primary'], ...MACHINE },
    db2: { address: '198.51.100.72', roles: ['pg-standby'], ...MACHINE },
    backup1: { address: '198.51.100.81', ...MACHINE },
  },
};
const HOSTS = 'db1,db2,backup1';
const FOLDER = '/var/lib/postgresql/17/main';
/** Rows of 300 bytes or so, which compress to a third. */
const FILL = `create table if not exists filling as
  select i, md5(i::text) || md5((i * 7)::text) || repeat(md5((i % 1000)::text), 6) as text from generate_series(1, 2500000) i;
checkpoint;`;

function must(end: ProgramEnd): ProgramEnd {
  if (end.code !== 0) throw new Error(printed(end));
  return end;
}

/** Seconds that some work takes, read from the disk and written to it. */
async function timed(lab: DatabaseLab, work: () => Promise<unknown>): Promise<number> {
  // Of the machine that all hosts of the lab share; what is not on the disk yet would stay in memory.
  await lab.must('db1', 'sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
  const began = performance.now();
  await work();
  await lab.must('db1', 'sync -f /var/lib/postgresql');
  return (performance.now() - began) / 1000;
}

async function copied(lab: DatabaseLab): Promise<number> {
  await lab.must('db1', 'rm -rf /var/lib/postgresql/copied');
  const seconds = await timed(lab, () =>
    lab.must('db1', `cp -a ${FOLDER} /var/lib/postgresql/copied`),
  );
  await lab.must('db1', 'rm -rf /var/lib/postgresql/copied');
  return seconds;
}

async function cloned(lab: DatabaseLab): Promise<number> {
  await lab.must('db2', `systemctl stop postgresql@17-main && rm -rf ${FOLDER}`);
  return timed(lab, async () => must(await lab.run('apply', '--json', '--limit', HOSTS)));
}

async function restored(lab: DatabaseLab): Promise<number> {
  const seconds = await timed(lab, async () =>
    must(await lab.run('restore', '--latest', '--on', 'backup1')),
  );
  must(await lab.run('restore', '--on', 'backup1', '--discard-old'));
  return seconds;
}

const runs = Number(process.argv[2] ?? 3);
const lab = await databaseLab('copies', INVENTORY);
must(await lab.run('apply', '--json', '--limit', HOSTS));
await lab.sql('db1', FILL);
const backup = await timed(lab, async () => must(await lab.run('backup', '--type', 'full')));
const megabytes = Number(await lab.must('db1', `du -sm ${FOLDER} | cut -f 1`));

const seconds = { cp: [] as number[], clone: [] as number[], restore: [] as number[] };
for (let run = 0; run < runs; run += 1) {
  seconds.cp.push(await copied(lab));
  seconds.clone.push(await cloned(lab));
  seconds.restore.push(await restored(lab));
  process.stderr.write(`run ${String(run + 1)} of ${String(runs)}\n`);
}
const cp = spread(seconds.cp).median;
const row = (what: string, values: readonly number[]): string => {
  const { min, median, max } = spread(values);
  const figures = [min, median, max, megabytes / median, median / cp];
  return what.padEnd(40) + figures.map((value) => two(value).padStart(8)).join('');
};
process.stdout.write(
  [
    `${`${String(megabytes)} MiB, ${String(runs)} runs`.padEnd(40)}   s min     p50     max   MiB/s    ÷ cp`,
    row('cp -a of the data folder', seconds.cp),
    row('apply clones an empty standby', seconds.clone),
    row('restore --latest --on a scratch host', seconds.restore),
    row('backup --type full (once)', [backup]),
    '',
  ].join('\n'),
);
