import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { labOf, labSpecHere } from '../../src/cli/lab.js';
import { loadSoundCluster } from '../../src/cli/load-inventory.js';
import { freeze, labUp, powerCut, thaw, type Lab } from '../../src/lab/index.js';
import { LIMITS } from '../../src/status/limits.js';
import { labShell, must, type HostShell } from '../support/host-shell.js';
import { labOptions, TEST_LAB_PREFIX } from '../support/lab.js';
import {
  buildProgram,
  hostRecaps,
  odooProv,
  printed,
  recapOf,
  type ProgramEnd,
} from '../support/program.js';

const NAME = `${TEST_LAB_PREFIX}backup`;
/** Odoo's hosts are there for the inventory and stay bare: nothing of the database needs them. */
const INVENTORY = `cluster: ${NAME}
odoo: { database: rows }
postgres: { backup: { host: backup1, filestore: off } }
hosts:
  web1: { address: 198.51.100.11, roles: [edge, app, cron, gevent, pgbouncer, redis] }
  db1: { address: 198.51.100.12, roles: [pg-primary] }
  db2: { address: 198.51.100.13, roles: [pg-standby] }
  backup1: { address: 198.51.100.14 }
`;
const HOSTS = ['db1', 'db2', 'backup1'];
/** Of the rows themselves, whatever their order. */
const FINGERPRINT = 'select count(*), sum(hashtextextended(t::text, 0)) from t';

/** A moment, as `--to-time` takes it. */
const NOW = `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"Z"')`;

let written: string;
let lab: Lab;
let inventory: string;
/** The operator's key: in a place of its own, so that it can be lost. */
let keyFile: string;
let on: (host: string) => HostShell;

const run = (...words: readonly string[]): Promise<ProgramEnd> =>
  odooProv(words, { environment: { ODOO_PROV_KEY_FILE: keyFile } });
const apply = (...words: readonly string[]): Promise<ProgramEnd> =>
  run('apply', inventory, '--json', '--limit', HOSTS.join(','), ...words);

async function sql(text: string, host = 'db1'): Promise<string> {
  const script = `cd /tmp && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d rows <<'EOF'\n${text};\nEOF`;
  return (await must(on(host), script)).trim();
}

/** Waits until a query to a host's own server, in Odoo's database, gives this. */
async function says(host: string, query: string, expected: string): Promise<void> {
  await must(
    on(host),
    `for i in $(seq 120); do
  found=$(cd /tmp && runuser -u postgres -- psql -XAtq -d rows 2>&1 <<'EOF'
${query}
EOF
) || :
  [ "$found" != '${expected}' ] || exit 0
  sleep 0.5
done
echo "$found"; exit 1`,
  );
}

async function ok(...words: readonly string[]): Promise<ProgramEnd> {
  const end = await run(...words);
  expect(end.code, printed(end)).toBe(0);
  return end;
}

async function nothingToDo(): Promise<void> {
  const end = await apply();
  expect(end.code, printed(end)).toBe(0);
  expect(recapOf(end).changed, printed(end)).toBe(0);
  for (const host of HOSTS) {
    expect(hostRecaps(end)[host]).toMatchObject({ wire: { connections: 1, execs: 1 } });
  }
}

beforeAll(async () => {
  buildProgram();
  const folder = join(tmpdir(), `odoo-prov-${NAME}`);
  mkdirSync(folder, { recursive: true });
  written = join(folder, 'backup.yaml');
  writeFileSync(written, INVENTORY);
  const up = await odooProv(['lab', 'up', written, ...labOptions()]);
  expect(up.code, printed(up)).toBe(0);
  ({ lab, inventory } = await labOf(loadSoundCluster(written, true)));
  keyFile = join(lab.directory, 'age.key');
  const shells = new Map(lab.hosts.map(({ name }) => [name, labShell(lab, name)]));
  on = (host) => {
    const shell = shells.get(host);
    if (shell === undefined) throw new Error(`no host ${host}`);
    return shell;
  };
  const end = await apply();
  expect(end.code, printed(end)).toBe(0);
});

describe('archive and backups', () => {
  it('are there after one apply, and the next has nothing to do', async () => {
    await nothingToDo();
    const end = await ok('backup', inventory, '--list');
    expect(end.stdout).toMatch(/^\d{8}-\d{6}F +full/m);
  });

  it('keep the passphrase on the repository host, and only what is encrypted in the repository', async () => {
    expect(await must(on('backup1'), 'grep -c cipher-pass /etc/pgbackrest/pgbackrest.conf')).toBe(
      '1\n',
    );
    expect((await on('db1')('grep -r cipher-pass /etc/pgbackrest')).code).toBe(1);
    await sql(
      `create table if not exists t (id serial primary key, v text); insert into t (v) values ('seen by nobody')`,
    );
    await ok('backup', inventory);
    const found = await on('backup1')(`grep -rl 'seen by nobody' /var/lib/pgbackrest`);
    expect(found.stdout).toBe('');
  });

  it('can be made at once, of each type', async () => {
    const end = await ok('backup', inventory, '--type', 'diff');
    expect(end.stdout).toMatch(/^backup \d{8}-\d{6}F_\d{8}-\d{6}D \(diff\): .* stored/m);
  });

  it('are told to whoever would stop the primary meanwhile', async () => {
    const made = run('backup', inventory, '--type', 'full');
    await says(
      'db1',
      `select count(*) > 0 from pg_stat_activity where application_name ~ 'backup'`,
      't',
    );
    const { stdout } = await ok('switchover', inventory, '--dry-run');
    const end = await made;
    expect(end.code, printed(end)).toBe(0);
    expect(stdout).toContain('a backup of db1 is being made, and breaks off when that stops');
    expect((await ok('switchover', inventory, '--dry-run')).stdout).not.toContain(
      'a backup of db1',
    );
  });

  it('let nobody in who has no certificate of this cluster', async () => {
    const address = (await must(on('backup1'), 'hostname -I')).trim().split(' ')[0] ?? '';
    const knock = (certificate: string, key: string): string =>
      `sleep 2 | timeout 4 openssl s_client -connect ${address}:8432 -cert ${certificate} -key ${key} -quiet 2>&1 || :`;
    const stranger = `openssl req -x509 -newkey ed25519 -noenc -subj /CN=db1 -keyout /tmp/key -out /tmp/cert 2>/dev/null
${knock('/tmp/cert', '/tmp/key')}`;
    expect(await must(on('db1'), stranger)).toContain('alert unknown ca');
    const own = knock('/etc/pgbackrest/tls/host.crt', '/etc/pgbackrest/tls/host.key');
    expect(await must(on('db1'), own)).not.toContain('alert');
  });

  it('that break are seen by the next look', async () => {
    await must(on('backup1'), 'systemctl stop odoo-prov-pgbackrest');
    await sql(`insert into t (v) values ('not archived'); select pg_switch_wal()`);
    await must(
      on('db1'),
      `for i in $(seq 120); do
  failed=$(echo 'select last_failed_time > last_archived_time from pg_stat_archiver' | runuser -u postgres -- psql -XAtq -d postgres)
  [ "$failed" != t ] || exit 0
  sleep 0.5
done
exit 1`,
    );
    const end = await run('apply', inventory, '--check', '--json', '--limit', 'db1');
    const changes = end.events.find(({ type }) => type === 'host-planned')?.changes ?? [];
    expect(changes.map(({ key }) => key)).toEqual(['check:wal-archived']);
    expect(end.stdout).toContain('archiving fails since');
    await must(on('backup1'), 'systemctl start odoo-prov-pgbackrest');
    const mended = await apply();
    expect(mended.code, printed(mended)).toBe(0);
  });
});

describe('a repository that is full', () => {
  const FULL = '/var/lib/pgbackrest/fills-the-disk';
  const moved = (...script: readonly string[]): Promise<string> =>
    must(
      on('backup1'),
      [
        'set -e; systemctl stop odoo-prov-pgbackrest',
        ...script,
        'systemctl start odoo-prov-pgbackrest',
      ].join('\n'),
    );
  const backups = async (): Promise<string> =>
    (await ok('backup', inventory, '--list')).stdout.replaceAll(/^any moment.*$/gm, '');

  it('is told by everything within seconds, takes nothing, and goes on by itself once there is room', async () => {
    // A small disk in its place.
    await moved(
      'mount -t tmpfs -o size=300m,mode=0751 small /mnt; cp -a /var/lib/pgbackrest/. /mnt',
      'chown postgres: /mnt; mount --bind /mnt /var/lib/pgbackrest',
    );
    const before = await backups();
    await must(on('backup1'), `dd if=/dev/zero of=${FULL} bs=1M 2>/dev/null || :`);
    await sql(`insert into t (v) values ('waits for room'); select pg_switch_wal()`);
    await says('db1', 'select last_failed_time > last_archived_time from pg_stat_archiver', 't');

    const alert = async (id: string): Promise<string> => {
      const { stdout } = await run('status', inventory, '--json');
      const { alerts } = JSON.parse(stdout) as {
        alerts: readonly { id: string; message: string; next: string }[];
      };
      return alerts
        .filter((one) => one.id === id)
        .map((one) => `${one.message}; ${one.next}`)
        .join('\n');
    };
    // Its last attempt may have met the repository while it was stopped for the other disk: the next comes within a minute.
    await expect
      .poll(() => alert('postgres.archive'), { timeout: 100_000, interval: 2000 })
      .toMatch(
        /^db1 cannot archive .*, and has archived nothing for .* pgBackRest says: unable to write '\/var\/lib\/pgbackrest\/.*\[28\] No space left on device; make room in \/var\/lib\/pgbackrest on backup1/,
      );
    expect(await alert('backup.repository')).toMatch(
      /backup1 is full: \S+ \S+ left in \/var\/lib\/pgbackrest/,
    );

    const began = Date.now();
    const ends = [
      await apply(),
      await run('backup', inventory),
      await run('backup', inventory, '--name', 'no-room'),
    ];
    // Three runs: not one of them waits for the archive for its minute.
    expect((Date.now() - began) / 1000).toBeLessThan(45);
    expect(ends.map(({ code }) => code)).toEqual([3, 5, 5]);
    for (const end of ends) {
      expect(printed(end)).toMatch(/room/);
      expect(printed(end)).toContain('/var/lib/pgbackrest');
    }
    expect(await backups()).toBe(before);

    await must(on('backup1'), `rm ${FULL}`);
    const mended = await apply();
    expect(mended.code, printed(mended)).toBe(0);
    await ok('backup', inventory, '--verify');
    await moved(
      'umount /var/lib/pgbackrest; find /var/lib/pgbackrest -mindepth 1 -delete',
      'cp -a /mnt/. /var/lib/pgbackrest; umount /mnt',
    );
  });
});

describe('a backup that failed', () => {
  it('is told until another one has succeeded; a full one, until a full one has', async () => {
    const fail = (type: string): Promise<string> =>
      must(
        on('backup1'),
        `cd /var/lib/pgbackrest/backup/${NAME}; chmod 000 backup.info*
systemctl start odoo-prov-backup@${type} || :
chmod 640 backup.info*`,
      );
    const failed = async (): Promise<string> =>
      must(on('backup1'), 'systemctl list-units --failed --plain --no-legend | cut -d " " -f 1');
    await fail('diff');
    await fail('full');
    expect(await failed()).toBe('odoo-prov-backup@diff.service\nodoo-prov-backup@full.service\n');
    await ok('backup', inventory);
    expect(await failed()).toBe('odoo-prov-backup@full.service\n');
    await ok('backup', inventory, '--type', 'full');
    expect(await failed()).toBe('');
  });
});

describe('a restore in place', () => {
  const at: Record<string, string> = {};
  let moment: string;

  beforeAll(async () => {
    await sql(`insert into t (v) select md5(i::text) from generate_series(1, 1000) i`);
    at['named'] = await sql(FINGERPRINT);
    await ok('backup', inventory, '--name', 'before-import');
    await sql(`insert into t (v) values ('first'); update t set v = 'changed' where id % 7 = 0`);
    at['timed'] = await sql(FINGERPRINT);
    await sleep(1100);
    moment = await sql(NOW);
    await sleep(1100);
    await sql(`insert into t (v) values ('second'); delete from t where id % 5 = 0`);
    at['last'] = await sql(FINGERPRINT);
  });

  it('refuses without the right name, to an unknown point, to a time before all backups', async () => {
    for (const words of [
      ['--latest', '--confirm', 'another'],
      ['--to-name', 'never-made', '--confirm', NAME],
      ['--to-time', '2020-01-01 00:00', '--confirm', NAME],
    ]) {
      const end = await run('restore', inventory, ...words);
      expect(end.code, printed(end)).toBe(5);
    }
    expect(await sql(FINGERPRINT)).toBe(at['last']);
  });

  it('refuses a moment behind the end of the archive where the primary does not run, and stops nobody', async () => {
    await must(on('db1'), "systemctl stop 'postgresql@*'");
    try {
      await sleep(1500);
      const late = new Date().toISOString();
      const end = await run('restore', inventory, '--to-time', late, '--confirm', NAME);
      expect(end.code, printed(end)).toBe(5);
      expect(printed(end)).toContain('db1: that moment cannot be restored');
      expect(printed(end)).toContain('nothing was stopped');
      expect(await sql('select pg_is_in_recovery()', 'db2')).toBe('t');
    } finally {
      await must(on('db1'), 'systemctl start postgresql@17-main');
    }
    await says('db2', 'select status from pg_stat_wal_receiver', 'streaming');
    expect(await sql(FINGERPRINT)).toBe(at['last']);
  });

  it('tells in a dry run what it would do, and does nothing', async () => {
    const end = await ok('restore', inventory, '--to-time', moment, '--dry-run');
    expect(end.stdout).toContain('db2: cloned anew');
    expect(await sql(FINGERPRINT)).toBe(at['last']);
  });

  it('to a time between two transactions gives the rows of that moment, on the standby too', async () => {
    await ok('restore', inventory, '--to-time', moment, '--confirm', NAME);
    expect(await sql(FINGERPRINT)).toBe(at['timed']);
    expect(await sql('select pg_is_in_recovery()')).toBe('f');
    await nothingToDo();
    await says('db2', FINGERPRINT, at['timed'] ?? '');
  });

  it('to a name, given on the timeline that was left, gives the rows of that moment', async () => {
    await ok('restore', inventory, '--to-name', 'before-import', '--confirm', NAME);
    expect(await sql(FINGERPRINT)).toBe(at['named']);
  });

  it('to a time that is only on the timeline that was left finds it there', async () => {
    await sql(`insert into t (v) values ('on the newest timeline')`);
    await ok('restore', inventory, '--to-time', moment, '--confirm', NAME);
    expect(await sql(FINGERPRINT)).toBe(at['timed']);
  });

  it('is followed by backups that work, and keeps the data from before until told otherwise', async () => {
    await ok('backup', inventory);
    await nothingToDo();
    const kept = 'ls /var/lib/postgresql/.odoo-prov-kept 2>/dev/null | wc -l';
    expect(await must(on('db1'), kept)).toBe('3\n');
    const status = await run('status', inventory, '--limit', 'db1');
    expect(status.stdout).toMatch(/^kept +db1: .*\.odoo-prov-kept\/\d{8}T\d{6},/m);
    const dry = await ok('restore', inventory, '--discard-old', '--dry-run');
    expect(printed(dry)).toMatch(/^db1: would remove \S+\.odoo-prov-kept: \d/m);
    expect(await must(on('db1'), kept)).toBe('3\n');
    const unasked = await run('restore', inventory, '--discard-old', '--confirm', 'another');
    expect(unasked.code, printed(unasked)).toBe(5);
    expect(await must(on('db1'), kept)).toBe('3\n');
    await ok('restore', inventory, '--discard-old', '--confirm', NAME);
    expect(await must(on('db1'), kept)).toBe('0\n');
  });
});

describe('a copy beside everything else', () => {
  it('gives the rows of a moment on the repository host and on another, and leaves production alone', async () => {
    const before = await sql(FINGERPRINT);
    await ok('backup', inventory, '--name', 'for-a-copy');
    await sql(`insert into t (v) values ('later')`);
    const now = await sql(FINGERPRINT);
    const dry = await ok('restore', inventory, '--latest', '--on', 'web1', '--dry-run');
    expect(printed(dry)).toMatch(
      /^web1 gets a copy of the database of .*\n 1 {2}web1: installing /m,
    );
    for (const host of ['backup1', 'web1']) {
      const none = await ok('restore', inventory, '--on', host, '--discard-old');
      expect(printed(none)).toContain(`${host}: there is no copy`);
      await ok('restore', inventory, '--to-name', 'for-a-copy', '--on', host);
      const look = `cd /tmp && echo '${FINGERPRINT}' |
  runuser -u postgres -- psql -XAtq -h /var/lib/postgresql/.odoo-prov-scratch -p 5433 -d rows`;
      expect((await must(on(host), look)).trim(), host).toBe(before);
      await ok('restore', inventory, '--on', host, '--discard-old');
      expect((await on(host)('ls /var/lib/postgresql/.odoo-prov-scratch')).code).toBe(2);
    }
    expect(await sql(FINGERPRINT)).toBe(now);
  });

  const copied = `cd /tmp && echo '${FINGERPRINT}' |
  runuser -u postgres -- psql -XAtq -h /var/lib/postgresql/.odoo-prov-scratch -p 5433 -d rows`;

  it('gives a moment that is not archived yet; where the archive takes nothing it is refused before anything is copied', async () => {
    const then = await sql(FINGERPRINT);
    const at = await sql(NOW);
    await sql(`insert into t (v) values ('a moment later')`);
    const given = await ok('restore', inventory, '--to-time', at, '--on', 'backup1');
    expect(printed(given)).toContain('db1: handing what was written to the archive');
    expect((await must(on('backup1'), copied)).trim()).toBe(then);
    await ok('restore', inventory, '--on', 'backup1', '--discard-old');
    await must(on('backup1'), 'systemctl stop odoo-prov-pgbackrest');
    try {
      const end = await run('restore', inventory, '--to-time', await sql(NOW), '--on', 'backup1');
      expect(end.code, printed(end)).toBe(5);
      expect(printed(end)).toContain('the archive ends before');
      expect((await on('backup1')('ls /var/lib/postgresql/.odoo-prov-scratch')).code).toBe(2);
    } finally {
      await must(on('backup1'), 'systemctl start odoo-prov-pgbackrest');
    }
  });

  it('is not of the future', async () => {
    const at = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, '');
    const end = await run('restore', inventory, '--to-time', at, '--on', 'backup1');
    expect(end.code, printed(end)).toBe(1);
    expect(printed(end)).toContain('has not been yet');
  });

  it('is refused on a host that holds the database', async () => {
    const end = await run('restore', inventory, '--latest', '--on', 'db2');
    expect(end.code, printed(end)).toBe(1);
  });

  it('proves the newest backup', async () => {
    const end = await ok('backup', inventory, '--verify');
    expect(end.stdout).toMatch(/^backup \S+ gives every row: 1 table, \d+ rows/m);
    expect((await on('backup1')('ls /var/lib/postgresql/.odoo-prov-scratch')).code).toBe(2);
    await nothingToDo();
  });
});

describe('a setting that the primary had more of since the backup than whoever restores has', () => {
  const wished = '230';
  async function restarted(change: string, ...hosts: readonly string[]): Promise<void> {
    for (const host of hosts) {
      await sql(change, host);
      await must(on(host), 'systemctl restart "postgresql@$(ls /etc/postgresql)-main"');
      await says(host, 'select 1', '1');
    }
  }

  it('holds up neither a copy nor a restore in place: PostgreSQL alone pauses there', async () => {
    await restarted(`alter system set max_connections = ${wished}`, 'db2', 'db1');
    expect(await sql('show max_connections')).toBe(wished);
    await sql(`insert into t (v) values ('with more connections')`);
    const rows = await sql(FINGERPRINT);
    await ok('backup', inventory, '--name', 'with-more');
    await ok('restore', inventory, '--to-name', 'with-more', '--on', 'backup1');
    await ok('restore', inventory, '--on', 'backup1', '--discard-old');
    await restarted('alter system reset max_connections', 'db1', 'db2');
    expect(await sql('show max_connections')).not.toBe(wished);
    await sql(`insert into t (v) values ('later')`);
    await ok('restore', inventory, '--to-name', 'with-more', '--confirm', NAME);
    expect(await sql(FINGERPRINT)).toBe(rows);
    expect(await sql('show hot_standby')).toBe('on');
    await nothingToDo();
  });
});

describe('an archive that has a hole', () => {
  it('is not restored over it as if it ended there: refused before anything is touched, until a backup lies behind it', async () => {
    await sql(`insert into t (v) values ('before the hole')`);
    const reached = await sql(FINGERPRINT);
    await sleep(1100);
    const moment = await sql(NOW);
    await sleep(1100);
    const whole = await sql('select pg_walfile_name(pg_switch_wal())');
    await says('db1', `select last_archived_wal >= '${whole}' from pg_stat_archiver`, 't');
    await sql(`insert into t (v) values ('lost')`);
    const lost = await sql('select pg_walfile_name(pg_switch_wal())');
    await sql(`insert into t (v) values ('behind the hole')`);
    await ok('backup', inventory, '--name', 'behind-the-hole');
    const before = await sql(FINGERPRINT);
    const away = '/var/tmp/planted';
    const file = (
      await must(on('backup1'), `find /var/lib/pgbackrest/archive -name '${lost}-*'`)
    ).trim();
    await must(on('backup1'), `mkdir -p ${away} && mv ${file} ${away}/`);
    const now = await sql(NOW);
    for (const words of [['--latest'], ['--to-name', 'behind-the-hole'], ['--to-time', now]]) {
      for (const where of [['--confirm', NAME], ['--dry-run'], ['--on', 'web1']]) {
        const end = await run('restore', inventory, ...words, ...where);
        expect(end.code, printed(end)).toBe(5);
        expect(end.stderr).toContain(`a hole in the archive: ${lost} is missing`);
      }
    }
    expect(await sql(FINGERPRINT)).toBe(before);
    await ok('restore', inventory, '--to-time', moment, '--dry-run');
    const list = await ok('backup', inventory, '--list');
    expect(list.stdout).toContain(`up to a hole in the archive: segment ${lost} is missing`);
    const holes = async (): Promise<string> => {
      const end = await run('status', inventory, '--limit', HOSTS.join(','));
      return end.stdout.split('\n').find((line) => line.includes('the archive lacks')) ?? '';
    };
    expect(await holes()).toContain(`problem  the archive lacks ${lost}`);
    await ok('backup', inventory);
    expect(await holes()).toBe('');
    await ok('restore', inventory, '--latest', '--dry-run');
    // No transaction ended between this moment and the hole: PostgreSQL alone would break off there.
    await ok('restore', inventory, '--to-time', moment, '--confirm', NAME);
    expect(await sql(FINGERPRINT)).toBe(reached);
    await must(on('backup1'), `mv ${away}/* ${file} && rmdir ${away}`);
  });

  it('at its end is seen too, where nothing later comes that would show it; any backup mends it', async () => {
    await sql(`create table if not exists t (id serial primary key, v text)`);
    // Nothing may hand over a later segment while this waits.
    await sql(`alter system set archive_timeout = 0`);
    await sql(`alter system set archive_command = 'true'; select pg_reload_conf()`);
    await says('db1', 'show archive_command', 'true');
    await sql(`insert into t (v) select 'in the hole' from generate_series(1, 1000)`);
    const lost = await sql('select pg_walfile_name(pg_switch_wal())');
    await says('db1', `select last_archived_wal = '${lost}' from pg_stat_archiver`, 't');
    await sql(`alter system reset archive_command; select pg_reload_conf()`);
    const holes = async (): Promise<readonly string[]> => {
      const { stdout } = await run('status', inventory, '--json', '--limit', HOSTS.join(','));
      const { alerts } = JSON.parse(stdout) as {
        readonly alerts: readonly { readonly id: string; readonly message: string }[];
      };
      return alerts.filter(({ id }) => id === 'backup.hole').map(({ message }) => message);
    };
    await sleep((LIMITS.archiveArrival + 2) * 1000);
    expect(await holes()).toEqual([
      expect.stringContaining(`the archive lacks ${lost}, which db1 counts as archived`),
    ]);
    await sql(`alter system reset archive_timeout; select pg_reload_conf()`);
    const made = await ok('backup', inventory);
    expect(made.stdout).toMatch(/\(incr\): /);
    expect(await holes()).toEqual([]);
    const proof = await ok('backup', inventory, '--verify');
    expect(proof.stdout).toMatch(/^backup \S+I gives every row/m);
  });
});

describe('an archive that goes away in the middle of a restore', () => {
  const keeper = '"$(sed -n s/^repo1-host=//p /etc/pgbackrest/pgbackrest.conf)"';
  const replayed = `cat /var/log/postgresql/odoo-prov/*.log | grep -c 'restored log file'`;

  it('breaks it off rather than end there, and the same command again brings every row, and keeps only what was there before both', async () => {
    const kept = async (): Promise<number> =>
      Number(await must(on('db1'), 'ls /var/lib/postgresql/.odoo-prov-kept 2>/dev/null | wc -l'));
    const keptBefore = await kept();
    for (let segment = 0; segment < 8; segment += 1) {
      await sql(`insert into t (v) values ('segment ${String(segment)}'); select pg_switch_wal()`);
    }
    const before = await sql(FINGERPRINT);
    await must(
      on('db1'),
      `systemd-run --quiet --unit=planted sh -c '
start=$(${replayed.replaceAll("'", '"')})
until [ "$(${replayed.replaceAll("'", '"')})" -gt $((start + 2)) ]; do sleep 0.02; done
exec ip route add unreachable ${keeper}'`,
    );
    const end = await run('restore', inventory, '--latest', '--confirm', NAME);
    await must(on('db1'), `ip route del unreachable ${keeper}`);
    expect(end.code, printed(end)).toBe(3);
    expect(end.stderr).toContain('was the archive away?');
    expect(end.stderr).toMatch(/FATAL: .*could not restore file/);
    await ok('restore', inventory, '--latest', '--confirm', NAME);
    expect(await sql(FINGERPRINT)).toBe(before);
    expect(await kept()).toBe(keptBefore + 1);
    await nothingToDo();
  });
});

describe('a restore that is killed', () => {
  it('lets nobody in before it is finished, and knows still what was written before', async () => {
    const before = await sql(FINGERPRINT);
    const moment = await sql(NOW);
    await sleep(1100);
    await sql(`insert into t (v) values ('too late')`);
    const later = await sql(NOW);
    await sleep(1100);
    const cut = await odooProv(['restore', inventory, '--to-time', moment, '--confirm', NAME], {
      killAt: /^db1: replaying and promoting$/m,
      environment: { ODOO_PROV_KEY_FILE: keyFile },
    });
    expect(cut.code, printed(cut)).toBe('SIGKILL');
    const refused = await apply();
    expect(refused.code, printed(refused)).toBe(5);
    expect(printed(refused)).toContain('a restore of the database has not come to its end');
    const again = `--to-time '${moment.replace('Z', '+00')}' again`;
    expect(printed(refused)).toContain(again);
    const status = await run('status', inventory, '--json', '--limit', HOSTS.join(','));
    expect(status.stdout).toContain('"postgres.restoring"');
    expect(status.stdout).toContain(again);
    const discard = await run('restore', inventory, '--discard-old');
    expect(discard.code, printed(discard)).toBe(5);
    expect(discard.stderr).toContain('what is kept may be all that there is');
    await ok('restore', inventory, '--to-time', moment, '--confirm', NAME);
    expect(await sql(FINGERPRINT)).toBe(before);
    await nothingToDo();
    // What was there before the first attempt is found on the timeline that it left.
    await ok('restore', inventory, '--to-time', later, '--on', 'backup1');
    const copy = `cd /tmp && echo "select count(*) from t where v = 'too late'" |
  runuser -u postgres -- psql -XAtq -h /var/lib/postgresql/.odoo-prov-scratch -p 5433 -d rows`;
    expect((await must(on('backup1'), copy)).trim()).toBe('1');
    await ok('restore', inventory, '--on', 'backup1', '--discard-old');
  });
});

describe('a primary that is lost while the host of the archive is frozen', () => {
  it('is replaced: the promotion does not wait for an archive that says nothing', async () => {
    await sql(`insert into t (v) values ('the last of the old primary')`);
    await says('db2', FINGERPRINT, await sql(FINGERPRINT));
    await freeze(lab, 'backup1');
    try {
      await powerCut(lab, 'db1');
      // PostgreSQL's own limit of 60 s: without a bound of ours it would be hours.
      expect(await sql('select pg_promote()', 'db2')).toBe('t');
    } finally {
      await thaw(lab, 'backup1');
    }
    await sql(`insert into t (v) values ('the first of the new one')`, 'db2');
  });

  it('does not hold up whoever mends the host of the archive: the check is of those that answer', async () => {
    await must(on('backup1'), 'systemctl stop odoo-prov-pgbackrest');
    const end = await run('apply', inventory, '--json', '--limit', 'backup1,db2');
    expect(end.code, printed(end)).toBe(0);
    await must(on('backup1'), 'systemctl is-active --quiet odoo-prov-pgbackrest');
    expect(await must(on('backup1'), 'ls /run')).not.toContain('odoo-prov-pgbackrest.');
  });
});

describe('primary and standby, and the operator’s secrets, are lost', () => {
  let rows: string;

  it('come back from repository, inventory and recovery key: every row, and the standby streams', async () => {
    const folder = join(inventory, '..');
    const made = await ok('secrets', inventory, 'recovery-key');
    const recoveryKey = join(folder, 'recovery.key');
    writeFileSync(recoveryKey, made.stdout, { mode: 0o600 });
    // Whatever it finds of the primary that is off, it brings the copy of the secrets up to date.
    await run('apply', inventory, '--json', '--limit', 'backup1');
    rows = await sql(FINGERPRINT, 'db2');
    const segment = await sql('select pg_walfile_name(pg_switch_wal())', 'db2');
    await says('db2', `select last_archived_wal >= '${segment}' from pg_stat_archiver`, 't');

    const spec = labSpecHere(loadSoundCluster(written, true));
    const tell = (): void => undefined;
    await labUp({ ...spec, hosts: spec.hosts.filter(({ name }) => !name.startsWith('db')) }, tell);
    await labUp(spec, tell);
    for (const host of ['db1', 'db2']) {
      expect((await on(host)('ls /etc/postgresql /usr/bin/pgbackrest')).stdout).toBe('');
    }
    for (const name of readdirSync(folder)) {
      if (/^inventory\.(secrets|state)|^age\.key$/.test(name)) rmSync(join(folder, name));
    }
    // Odoo takes minutes to install, and the database does not wait for it.
    await powerCut(lab, 'web1');
    const late = ['--to-time', new Date().toISOString(), '--dry-run'];
    const refused = await run(
      ...['restore', inventory, '--new-hosts', ...late, '--recovery-key-file', recoveryKey],
    );
    expect(refused.code, printed(refused)).toBe(5);
    expect(printed(refused)).toContain('the archive ends before');
    const restore = ['restore', inventory, '--new-hosts', '--latest', '--confirm', NAME];
    const end = await run(...restore, '--recovery-key-file', recoveryKey);
    expect(end.code, printed(end)).toBe(3);
    expect(end.stderr).toContain('the database is set back, but not all that follows from it');
    expect(await sql(FINGERPRINT)).toBe(rows);
    await says('db2', FINGERPRINT, rows);
    expect(await sql('select status from pg_stat_wal_receiver', 'db2')).toBe('streaming');
    await nothingToDo();
    await ok('backup', inventory, '--type', 'full');
  });
});
