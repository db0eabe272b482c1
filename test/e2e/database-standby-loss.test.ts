import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { printed, recapOf } from '../support/program.js';

/** Commits wait for db2 and db3; db4 is a replica, for which they do not. */
const STANDBYS = ['db2', 'db3'];
const UNIT = 'postgresql@17-main';
const ALONE = '60-odoo-prov-alone.conf';
const QUORUM = "select count(*) from pg_stat_replication where sync_state = 'quorum'";

let db: DatabaseLab;
let written: string;

beforeAll(async () => {
  db = await databaseLab();
  written = readFileSync(db.inventory, 'utf8');
  await converge();
  await db.moveTo('db1');
  await db.must('pool1', asOdoo('drop table if exists saved; create table saved (n int)', 20));
});

afterAll(async () => {
  writeFileSync(db.inventory, written);
  await db.run('rejoin', '--yes');
  await db.moveTo('db1');
  await converge();
});

async function converge(): Promise<void> {
  const end = await db.apply();
  expect(end.code, printed(end)).toBe(0);
}

async function onStandbyLoss(way: 'block' | 'continue'): Promise<void> {
  const inventory = parseDocument(written);
  inventory.setIn(['postgres', 'replication', 'on_standby_loss'], way);
  writeFileSync(db.inventory, inventory.toString());
  await converge();
}

/** Shell words for the pooler's host: a query of Odoo's, with its limit in seconds. */
function asOdoo(query: string, limit: number): string {
  return `PGPASSFILE=/etc/odoo-prov/pgbouncer.pgpass timeout ${String(limit)} psql -XAtqw -h 127.0.0.1 -p 6432 -U odoo -d acme -v ON_ERROR_STOP=1 -c '${query}'`;
}

/** Saves a row as Odoo does. @returns whether it was acknowledged in time */
async function save(n: number, seconds: number): Promise<boolean> {
  const { code } = await db.on('pool1')(asOdoo(`insert into saved values (${String(n)})`, seconds));
  return code === 0;
}

async function each(command: 'stop' | 'start'): Promise<void> {
  for (const host of STANDBYS) await db.must(host, `systemctl ${command} ${UNIT}`);
}

/** Commits wait for both standbys again. */
async function together(): Promise<void> {
  await expect.poll(() => db.sql('db1', QUORUM), { timeout: 60_000, interval: 1000 }).toBe('2');
}

function audit(host: string): Promise<string> {
  return db.must(host, 'tail -n 20 /var/log/odoo-prov/audit.log');
}

describe('a synchronous primary that loses its last standby', () => {
  it('lets commits wait, as the inventory says nothing else, and status tells it', async () => {
    await each('stop');
    expect(await save(1, 25)).toBe(false);
    const status = await db.run('status', '--json');
    expect(status.stdout, printed(status)).toContain('postgres.synchronous');
    await each('start');
    await together();
    expect(await save(2, 20)).toBe(true);
  });

  it('saves alone with on_standby_loss: continue, and says so', async () => {
    await onStandbyLoss('continue');
    await each('stop');
    expect(await save(3, 60)).toBe(true);
    expect(await audit('db1')).toContain('commits wait for no standby: none is left');
    const status = await db.run('status', '--json');
    expect(status.stdout, printed(status)).toContain('postgres.alone');
  });

  it('is not what apply would undo', async () => {
    const end = await db.run('apply', '--json', '--check', '--limit', 'db1');
    expect(end.code, printed(end)).toBe(0);
    expect(recapOf(end).changed, printed(end)).toBe(0);
  });

  it('waits again as soon as one has caught up', async () => {
    await each('start');
    await together();
    expect(await audit('db1')).toContain('commits wait for a standby again: one has caught up');
    await db.must('db1', `! ls /etc/postgresql/*/main/conf.d/${ALONE} 2>/dev/null`);
    expect(await save(4, 20)).toBe(true);
    expect(await db.must('pool1', asOdoo('select n from saved where n > 1 order by n', 20))).toBe(
      '2\n3\n4\n',
    );
    const end = await db.apply();
    expect(recapOf(end).changed, printed(end)).toBe(0);
  });
});

describe('a failover that leaves no standby', () => {
  it('asks what commits shall do', async () => {
    await onStandbyLoss('block');
    await db.must('db2', `systemctl stop ${UNIT}`);
    await db.must('db1', `systemctl stop ${UNIT}`);
    const end = await db.run('failover', '--yes');
    expect(end.code, printed(end)).toBe(1);
    expect(end.stderr).toContain('--on-standby-loss block|continue');
  });

  it('goes on alone when told to, until one is back', async () => {
    const end = await db.run('failover', '--on-standby-loss', 'continue', '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('db3 saves alone until a standby is back');
    expect(await audit('db3')).toContain('commits wait for no standby: a failover left none');
    expect(await save(5, 20)).toBe(true);
    const rejoined = await db.run('rejoin', '--yes');
    expect(rejoined.code, printed(rejoined)).toBe(0);
    await expect.poll(() => db.sql('db3', QUORUM), { timeout: 60_000, interval: 1000 }).toBe('2');
    const again = await db.apply();
    expect(recapOf(again).changed, printed(again)).toBe(0);
  });
});
