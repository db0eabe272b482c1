import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { odooProv, printed, recapOf } from '../support/program.js';

/** web1 is Odoo's host, db4 the replica that it reads from. */
const REPLICA = 'db4';

let db: DatabaseLab;
let written: string;

beforeAll(async () => {
  db = await databaseLab();
  written = readFileSync(db.inventory, 'utf8');
  const inventory = parseDocument(written);
  inventory.setIn(['postgres', 'reporting'], { from: [db.address('web1')], connections: 3 });
  writeFileSync(db.inventory, inventory.toString());
  const end = await db.apply('--restart-primary');
  expect(end.code, printed(end)).toBe(0);
  await db.moveTo('db1');
  // Odoo is not installed in this lab.
  await db.must(
    'web1',
    'apt-get update -qq && apt-get install -y -qq postgresql-client >/dev/null',
  );
});

afterAll(async () => {
  writeFileSync(db.inventory, written);
  const end = await db.apply('--restart-primary');
  expect(end.code, printed(end)).toBe(0);
});

async function secret(name: string): Promise<string> {
  const end = await odooProv(['secrets', db.inventory, 'show', name]);
  expect(end.code).toBe(0);
  return end.stdout.trim();
}

/** A query from web1. @returns what psql printed, and its exit code */
async function ask(
  host: string,
  user: string,
  query: string,
): Promise<{ code: number | null; text: string }> {
  const password = await secret(
    user === 'odoo' ? 'odoo-db-password' : 'postgres-reporting-password',
  );
  const { code, stdout, stderr } = await db.on('web1')(
    `umask 077; printf '*:*:*:*:%s\\n' '${password}' >/run/pgpass
PGPASSFILE=/run/pgpass PGCONNECT_TIMEOUT=5 timeout 20 psql -XAtqw "host=${db.address(host)} dbname=acme user=${user} sslmode=require" <<'EOF' 2>&1
${query}
EOF`,
  );
  return { code, text: `${stdout}${stderr}`.trim() };
}

describe('the role for reports', () => {
  it('reads on the replica, and cannot write', async () => {
    expect(await ask(REPLICA, 'reporting', 'select pg_is_in_recovery()')).toEqual({
      code: 0,
      text: 't',
    });
    const end = await ask(
      REPLICA,
      'reporting',
      "select current_setting('transaction_read_only'), current_setting('statement_timeout')",
    );
    expect(end.text).toBe('on|15min');
  });

  it('is let in nowhere else', async () => {
    for (const host of ['db1', 'db2', 'db3']) {
      const { code, text } = await ask(host, 'reporting', 'select 1');
      expect(code, text).not.toBe(0);
      expect(text).toContain('pg_hba.conf');
    }
  });

  it('has as many connections as it was given, mended when somebody changes it', async () => {
    await db.sql(
      'db1',
      "alter role reporting connection limit 50; alter role reporting set statement_timeout = '3h'",
    );
    const check = await db.apply('--check');
    expect(check.stdout).toContain('{"field":"connection_limit","have":50,"want":3}');
    expect(check.stdout).toContain('statement_timeout=3h');
    const end = await db.apply();
    expect(recapOf(end).changed, printed(end)).toBe(1);
    expect(
      await db.sql(
        'db1',
        "select rolconnlimit || ' ' || (rolconfig @> '{statement_timeout=15min}') from pg_roles where rolname = 'reporting'",
      ),
    ).toBe('3 true');
  });
});

describe('a replica that lags', () => {
  const REFUSED = /Connection refused/;

  it('is closed to Odoo, its idle connections too', async () => {
    expect((await ask(REPLICA, 'odoo', 'select 1')).text).toBe('1');
    await db.must(
      'web1',
      `PGPASSFILE=/run/pgpass setsid sh -c '(echo "select 1;"; sleep 100) | psql -XAtqw "host=${db.address(REPLICA)} dbname=acme user=odoo sslmode=require application_name=idle"' </dev/null >/dev/null 2>&1 &`,
    );
    await expect
      .poll(
        () =>
          db.sql(REPLICA, "select count(*) from pg_stat_activity where application_name = 'idle'"),
        { timeout: 15_000 },
      )
      .toBe('1');
    await db.sql(REPLICA, 'select pg_wal_replay_pause()');
    await db.sql(
      'db1',
      'create table wal as select repeat(n::text, 100) from generate_series(1, 60000) n; drop table wal',
    );
    await expect
      .poll(async () => (await ask(REPLICA, 'odoo', 'select 1')).text, {
        timeout: 60_000,
        interval: 1000,
      })
      .toMatch(REFUSED);
    await expect
      .poll(
        () =>
          db.sql(REPLICA, "select count(*) from pg_stat_activity where application_name = 'idle'"),
        { timeout: 15_000 },
      )
      .toBe('0');
  });

  it('is not what apply or the other database hosts would notice', async () => {
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(recapOf(end).changed, printed(end)).toBe(0);
  });

  it('is open again when it has caught up', async () => {
    await db.sql(REPLICA, 'select pg_wal_replay_resume()');
    await expect
      .poll(async () => (await ask(REPLICA, 'odoo', 'select 1')).text, {
        timeout: 60_000,
        interval: 1000,
      })
      .toBe('1');
    const journal = await db.must(
      REPLICA,
      'journalctl -q -o cat -u odoo-prov-postgres-replica-gate',
    );
    expect(journal).toMatch(
      /closed to Odoo: it lags by more than 16777216 bytes\n[^]*open to Odoo again: it has caught up/,
    );
  });
});
