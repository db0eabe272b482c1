import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { databaseLab, type DatabaseLab } from '../support/database-lab.js';
import { printed, recapOf, type ProgramEnd } from '../support/program.js';

const DATABASES = ['db1', 'db2', 'db3', 'db4'];
/** What of a server tells that it was restarted, and with what it runs. */
const RUNNING = `select to_char(pg_postmaster_start_time(), 'YYYYMMDDHH24MISSUS') || ' ' ||
  current_setting('max_connections') || ' ' || current_setting('work_mem')`;

interface Running {
  readonly started: string;
  readonly connections: string;
  readonly workMem: string;
}

let db: DatabaseLab;
let primary: string;
let standbys: readonly string[];
let written: string;

beforeAll(async () => {
  db = await databaseLab();
  written = readFileSync(db.inventory, 'utf8');
  await settle(100, '8MB');
  const recovering = await Promise.all(
    DATABASES.map((host) => db.sql(host, 'select pg_is_in_recovery()')),
  );
  primary = DATABASES.find((_, i) => recovering[i] === 'f') ?? '';
  standbys = DATABASES.filter((host) => host !== primary);
});

/** The hosts as the other suites want them. */
afterAll(async () => {
  writeFileSync(db.inventory, written);
  const end = await db.apply('--restart-primary');
  expect(end.code, printed(end)).toBe(0);
});

function write(connections: number, workMem: string): void {
  const inventory = parseDocument(written);
  inventory.setIn(['postgres', 'settings', 'max_connections'], connections);
  inventory.setIn(['postgres', 'settings', 'work_mem'], workMem);
  writeFileSync(db.inventory, inventory.toString());
}

async function settle(connections: number, workMem: string): Promise<void> {
  write(connections, workMem);
  const end = await db.apply('--restart-primary');
  expect(end.code, printed(end)).toBe(0);
}

async function running(): Promise<Readonly<Record<string, Running>>> {
  const all = await Promise.all(
    DATABASES.map(async (host): Promise<[string, Running]> => {
      const [started = '', connections = '', workMem = ''] = (await db.sql(host, RUNNING)).split(
        ' ',
      );
      return [host, { started, connections, workMem }];
    }),
  );
  return Object.fromEntries(all);
}

/** The hosts that were restarted since, in the order in which their servers started. */
async function restarted(before: Readonly<Record<string, Running>>): Promise<readonly string[]> {
  const now = await running();
  const started = (host: string): string => now[host]?.started ?? '';
  return DATABASES.filter((host) => started(host) !== before[host]?.started).sort((a, b) =>
    started(a).localeCompare(started(b)),
  );
}

function waits(end: ProgramEnd): void {
  expect(end.code, printed(end)).toBe(5);
  expect(end.stdout).toContain('--restart-primary');
  expect(recapOf(end)).toMatchObject({ failed: 0, waiting: 1 });
}

describe('a setting that needs a restart and is raised', () => {
  it('is named by --check, with the restart of the primary and how it is had', async () => {
    write(130, '9MB');
    const end = await db.apply('--check');
    expect(end.code, printed(end)).toBe(0);
    const planned = end.stdout
      .split('\n')
      .filter((line) => line.includes('"host-planned"') && line.includes(`"host":"${primary}"`));
    expect(planned[0]).toContain('{"field":"max_connections","have":"100","want":"130"}');
    expect(planned[0]).toContain('restarted only with --restart-primary');
  });

  it('comes to the standbys one after the other; the primary waits for consent, and takes the rest', async () => {
    const before = await running();
    waits(await db.apply());
    expect(await restarted(before)).toEqual(standbys);
    const now = await running();
    expect(now[primary]).toMatchObject({ connections: '100', workMem: '9MB' });
    for (const host of standbys) expect(now[host]?.connections).toBe('130');
    expect(
      await db.sql(primary, "select count(*) from pg_stat_replication where state = 'streaming'"),
    ).toBe('3');
  });

  it('restarts the primary alone once that is allowed; then nothing is left', async () => {
    const before = await running();
    const end = await db.apply('--restart-primary');
    expect(end.code, printed(end)).toBe(0);
    expect(await restarted(before)).toEqual([primary]);
    expect((await running())[primary]?.connections).toBe('130');
    const again = await db.apply();
    expect(again.code, printed(again)).toBe(0);
    expect(recapOf(again).changed, printed(again)).toBe(0);
  });
});

describe('a setting that a standby needs as much of as its primary, and that is lowered', () => {
  it('stays everywhere as it is without consent: a standby starts as before', async () => {
    write(110, '10MB');
    const before = await running();
    waits(await db.apply());
    expect(await restarted(before)).toEqual([]);
    const [standby = ''] = standbys;
    await db.must(standby, "systemctl restart 'postgresql@*'");
    for (const one of Object.values(await running())) {
      expect(one).toMatchObject({ connections: '130', workMem: '10MB' });
    }
  });

  it('comes to the primary first, then to its standbys one after the other', async () => {
    const before = await running();
    const end = await db.apply('--restart-primary');
    expect(end.code, printed(end)).toBe(0);
    expect(await restarted(before)).toEqual([primary, ...standbys]);
    for (const one of Object.values(await running())) expect(one.connections).toBe('110');
    const again = await db.apply();
    expect(again.code, printed(again)).toBe(0);
    expect(recapOf(again).changed, printed(again)).toBe(0);
  });
});

describe('standbys that paused since somebody raised the primary alone', () => {
  it('get as much before the primary is lowered, and then what is wanted', async () => {
    await db.sql(primary, 'alter system set max_connections = 150');
    await db.must(primary, "systemctl restart 'postgresql@*'");
    const paused =
      "select pg_get_wal_replay_pause_state() || ' ' || current_setting('max_connections')";
    for (const host of standbys) {
      await expect.poll(() => db.sql(host, paused), { timeout: 30_000 }).toBe('paused 110');
    }
    const left = await db.run('apply', '--json', '--limit', primary, '--restart-primary');
    expect(left.code, printed(left)).toBe(5);
    expect(left.stdout).toContain('replays nothing');
    expect((await running())[primary]?.connections).toBe('150');
    const end = await db.apply('--restart-primary');
    expect(end.code, printed(end)).toBe(0);
    for (const host of standbys) expect(await db.sql(host, paused)).toBe('not paused 110');
    expect((await running())[primary]?.connections).toBe('110');
  });
});

describe('a standby that alone has been given more', () => {
  it('is named by status; a switchover to it is refused, and a failover says who pauses till the apply', async () => {
    await settle(110, '10MB');
    const [larger = '', ...others] = standbys;
    const [other = ''] = others;
    write(140, '10MB');
    const alone = await db.run('apply', '--json', '--limit', larger);
    expect(alone.code, printed(alone)).toBe(0);
    expect(await statusText()).toContain(
      `${larger} runs with max_connections 140, the primary ${primary} with max_connections 110: ${primary} could not follow ${larger}`,
    );
    for (const words of [['--dry-run'], ['--yes']]) {
      const end = await db.run('switchover', '--to', larger, ...words);
      expect(end.code, printed(end)).toBe(5);
      const found = others.map((host) => `${host} runs with max_connections 110 instead of 140`);
      expect(printed(end)).toContain(
        [`${primary} would start with max_connections 110 instead of 140`, ...found].join('; '),
      );
    }
    expect(await db.sql(primary, 'select pg_is_in_recovery()')).toBe('f');
    const less = `${other}: receives from the new primary and does not replay: max_connections 110 instead of 140`;
    const end = await db.run('failover', '--force', '--to', larger, '--yes');
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain(less);
    expect(end.stdout).not.toContain(`${other}: follows`);
    // The apply at its end has given it as much.
    const state = 'select pg_get_wal_replay_pause_state()';
    expect(await db.sql(other, state)).toBe('not paused');
    // It does not start with less than the new primary: the apply at the end gives it as much, and starts it.
    const rejoined = await db.run('rejoin', '--yes');
    expect(rejoined.code, printed(rejoined)).toBe(0);
    expect(rejoined.stdout).toContain(
      `${primary}: has less than its primary (max_connections 110 instead of 140): apply gives it as much`,
    );
    const back = await db.apply();
    expect(back.code, printed(back)).toBe(0);
    expect(recapOf(back).changed, printed(back)).toBe(0);
    expect(await db.sql(primary, state)).toBe('not paused');
    await db.moveTo(primary);
  });
});

/** What `status` says, without its line ends. */
async function statusText(): Promise<string> {
  return (await db.run('status')).stdout.replace(/\s+/g, ' ');
}

describe('a file of the operator that is read after ours', () => {
  it('is named with its line by --check and apply, which change nothing for it', async () => {
    const file = '/etc/postgresql/*/main/conf.d/99-mine.conf';
    const folder = '/etc/postgresql/*/main/conf.d';
    await db.must(primary, `echo 'max_connections = 300' >$(echo ${folder})/99-mine.conf`);
    await db.must(primary, `chmod 644 ${file} && systemctl reload 'postgresql@*'`);
    const before = await running();
    try {
      for (const words of [['--check'], []]) {
        const end = await db.apply(...words);
        expect(end.code, printed(end)).toBe(3);
        expect(end.stdout).toContain('300 (conf.d/99-mine.conf:1)');
      }
      const told = await statusText();
      expect(told).toMatch(/take in max_connections of \S+\/conf\.d\/99-mine\.conf line 1/);
      expect(told).not.toContain('--restart-primary');
      expect(await restarted(before)).toEqual([]);
    } finally {
      await db.must(primary, `rm ${file}`);
    }
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(await restarted(before)).toEqual([]);
  });
});

describe('what ALTER SYSTEM says', () => {
  const ALTERED = ['fsync = off', 'max_connections = 300', "synchronous_standby_names = ''"];

  it('is named and taken back before the server reads it, and nobody is restarted', async () => {
    const before = await running();
    for (const text of ALTERED) await db.sql(primary, `alter system set ${text}`);
    const check = await db.apply('--check');
    expect(check.code, printed(check)).toBe(0);
    expect(check.stdout).toContain("fsync off, max_connections 300, synchronous_standby_names ''");
    await takenBack(before);
  });

  it('is taken back without a restart where it waits for one', async () => {
    const before = await running();
    // The second is nobody's: PostgreSQL goes on saying that it waits.
    for (const text of ['max_connections = 300', 'max_prepared_transactions = 5']) {
      await db.sql(primary, `alter system set ${text}`);
    }
    await db.must(primary, "systemctl reload 'postgresql@*'; sleep 1");
    await takenBack(before);
    expect(await statusText()).not.toContain('waits for a restart');
  });

  it('is taken out of the file of a server that is stopped, before its start', async () => {
    const [standby = ''] = standbys;
    await db.sql(standby, 'alter system set fsync = off');
    await db.must(standby, "systemctl stop 'postgresql@*'");
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    // Nothing was left for a second pass: it started without.
    expect(end.stdout).not.toContain('"field":"fsync"');
    expect(await db.sql(standby, 'show fsync')).toBe('on');
    const again = await db.apply();
    expect(recapOf(again).changed, printed(again)).toBe(0);
  });

  async function takenBack(before: Readonly<Record<string, Running>>): Promise<void> {
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(
      await db.sql(
        primary,
        "select name from pg_file_settings where sourcefile like '%/postgresql.auto.conf'",
      ),
    ).toBe('');
    expect(await restarted(before)).toEqual([]);
    const again = await db.apply();
    expect(recapOf(again).changed, printed(again)).toBe(0);
  }
});

describe('a configuration that was damaged', () => {
  const conf = '/etc/postgresql/*/main';

  it('is told by status; apply has its settings read again before the server reloads, and restarts nobody', async () => {
    const before = await running();
    // By default it is on.
    expect(await db.sql(primary, 'show jit')).toBe('off');
    await db.must(
      primary,
      `sed -i '/^include_dir/d' ${conf}/postgresql.conf; rm ${conf}/conf.d/50-odoo-prov.conf`,
    );
    const told = await db.run('status');
    expect(told.code, printed(told)).toBe(3);
    expect(told.stdout).toContain(`PostgreSQL on ${primary} does not read its settings`);
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(end.stdout).toContain('not read by postgresql.conf');
    expect(await db.sql(primary, 'show jit')).toBe('off');
    expect(await restarted(before)).toEqual([]);
    const again = await db.apply();
    expect(recapOf(again).changed, printed(again)).toBe(0);
  });

  it('is told where PostgreSQL would not start again, by file and line', async () => {
    const [standby = ''] = standbys;
    await db.must(standby, `echo 'no such thing' >$(echo ${conf}/conf.d)/99-mine.conf`);
    await db.must(standby, `chmod 644 ${conf}/conf.d/99-mine.conf`);
    try {
      const told = await db.run('status');
      expect(told.code, printed(told)).toBe(3);
      expect(told.stdout).toContain(`PostgreSQL on ${standby} would not start again`);
      for (const words of [['--check'], []]) {
        const end = await db.apply(...words);
        expect(end.code, printed(end)).toBe(3);
        expect(end.stdout).toContain('syntax error (conf.d/99-mine.conf:1)');
      }
      await db.must(standby, "systemctl restart 'postgresql@*' || :");
      expect(await statusText()).toMatch(
        /its last start failed: Error: invalid line 1 in \S+99-mine.conf next/,
      );
    } finally {
      await db.must(standby, `rm ${conf}/conf.d/99-mine.conf`);
    }
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
  });

  it('is told where a file is of no use that its next start or log-in needs; apply puts it back', async () => {
    const [standby = ''] = standbys;
    const folder = '/usr/lib/odoo-prov';
    const passFile = '/var/lib/postgresql/.odoo-prov-pgpass';
    expect(await statusText()).not.toContain('cannot use');
    await db.must(
      standby,
      `rm ${folder}/past-fork; chmod 644 ${folder}/postgres-guard; chown root ${passFile}`,
    );
    expect(await statusText()).toContain(
      `PostgreSQL on ${standby} cannot use ${folder}/past-fork (missing), ${folder}/postgres-guard (not executable) and ${passFile} (not readable by postgres)`,
    );
    const end = await db.apply();
    expect(end.code, printed(end)).toBe(0);
    expect(await statusText()).not.toContain('cannot use');
  });
});

describe('a standby that does not start with what is wanted', () => {
  it('runs again with what it had; nobody after it is restarted, the primary neither', async () => {
    const inventory = parseDocument(written);
    inventory.setIn(
      ['postgres', 'settings', 'shared_preload_libraries'],
      'pg_stat_statements,there_is_no_such_library',
    );
    writeFileSync(db.inventory, inventory.toString());
    const [standby = ''] = standbys;
    // Without consent it is a failure as well, and no advice leads to the same end.
    const without = await db.apply();
    expect(without.code, printed(without)).toBe(3);
    expect(without.stdout).toContain(`first mend what this run says of ${standby}`);
    const before = await running();
    const end = await db.apply('--restart-primary');
    expect(end.code, printed(end)).toBe(3);
    expect(await restarted(before)).toEqual([standby]);
    expect(await db.sql(standby, 'select status from pg_stat_wal_receiver')).toBe('streaming');
  });
});
