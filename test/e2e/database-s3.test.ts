import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInventory } from '../../src/inventory/index.js';
import { createRecoveryKey, openSealed } from '../../src/secrets/index.js';
import { Secret } from '../../src/shell/index.js';
import { bareCluster, type BareCluster } from '../support/bare-cluster.js';
import { saveFilesWithoutOdoo } from '../support/files-without-odoo.js';
import { must } from '../support/host-shell.js';
import { testLab, testLabDown, TEST_LAB_PREFIX } from '../support/lab.js';
import {
  buildProgram,
  hostRecaps,
  printed,
  recapOf,
  type ProgramEnd,
  type ProgramOptions,
} from '../support/program.js';
import { s3Server, type S3Server } from '../support/s3-server.js';

const NAME = `${TEST_LAB_PREFIX}s3`;
/** web1 has a filestore and what saves it, and copies for a while; nothing of Odoo is installed. */
const INVENTORY = `cluster: ${NAME}
odoo: { database: rows }
hosts:
  web1: { address: 198.51.100.11, roles: [edge, app, cron, gevent, redis] }
  pool1: { address: 198.51.100.14, roles: [pgbouncer] }
  db1: { address: 198.51.100.12, roles: [pg-primary] }
  db2: { address: 198.51.100.13, roles: [pg-standby] }
`;
const HOSTS = ['db1', 'db2'];
const FILES = '/var/lib/odoo/filestore/rows';
const PRUNE = 'odoo-prov-filestore-prune';
const MEMORY = 6 * 1024 ** 3;
/** Of the rows themselves, whatever their order. */
const FINGERPRINT = 'select count(*), sum(hashtextextended(t::text, 0)) from t';
/** Nobody's word but this, to be looked for where it must not be. */
const SEEN_BY_NOBODY = 'seen by nobody but the database';
/** Notes the command line of every process that runs on the host. */
const WATCH_PROCESSES = `setsid sh -c 'while :; do
  cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" "\\n" >>/run/processes; sleep 0.2
done' </dev/null >/dev/null 2>&1 &`;

let store: S3Server;
let folder: string;
let cluster: BareCluster;
/** Every run of the program, for what may be in no output. */
const ends: ProgramEnd[] = [];

async function run(words: readonly string[], options?: ProgramOptions): Promise<ProgramEnd> {
  const [command = '', ...rest] = words;
  const end = await cluster.run([command, cluster.file, ...rest], options);
  ends.push(end);
  return end;
}

async function ok(...words: readonly string[]): Promise<ProgramEnd> {
  const end = await run(words);
  expect(end.code, printed(end)).toBe(0);
  return end;
}

const apply = (...words: readonly string[]): Promise<ProgramEnd> =>
  run(['apply', '--json', '--limit', [...HOSTS, 'pool1'].join(','), ...words]);

async function setSecret(name: string, input: string): Promise<void> {
  const end = await run(['secrets', 'set', name], { input });
  expect(end.code, printed(end)).toBe(0);
}

async function nothingToDo(): Promise<void> {
  const end = await apply();
  expect(end.code, printed(end)).toBe(0);
  expect(recapOf(end).changed, printed(end)).toBe(0);
  for (const host of HOSTS) {
    expect(hostRecaps(end)[host]).toMatchObject({ wire: { connections: 1, execs: 1 } });
  }
}

async function sql(text: string, host = 'db1'): Promise<string> {
  const script = `cd /tmp && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d rows <<'EOF'\n${text};\nEOF`;
  return (await must(cluster.shell(host), script)).trim();
}

/** Waits until a query on a host says this. */
async function says(host: string, query: string, wanted: string): Promise<void> {
  await must(
    cluster.shell(host),
    `for i in $(seq 240); do
  said=$(cd /tmp && echo "${query}" | runuser -u postgres -- psql -XAtq -d rows) || said=
  [ "$said" != '${wanted}' ] || exit 0
  sleep 0.5
done
echo "it says $said" >&2; exit 1`,
  );
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const objects = (): readonly string[] =>
  filesBelow(folder).filter((file) => file.endsWith('_S3rver_object'));

const locks = (): readonly string[] =>
  objects().filter((file) => file.includes('/filestore/locks/'));

const snapshotsInBucket = (): number =>
  objects().filter((file) => file.includes('/filestore/snapshots/')).length;

/** Puts an attachment where Odoo would; its path. */
async function attach(content: string): Promise<string> {
  const name = createHash('sha1').update(content).digest('hex');
  const path = `${FILES}/${name.slice(0, 2)}/${name}`;
  await must(
    cluster.shell('web1'),
    `runuser -u odoo -- sh -c 'umask 027; mkdir -p ${FILES}/${name.slice(0, 2)}; printf %s "$0" >${path}' '${content}'`,
  );
  return path;
}

/** Every attachment by its hash, name, owner, group and mode. */
const attached = (): Promise<string> =>
  must(
    cluster.shell('web1'),
    `cd ${FILES} && find . -type f -printf '%p %u %g %m ' -exec sha1sum {} \\; | sort`,
  );

/** Sets up web1, which has no Odoo; what failed there. */
async function webFailure(file = cluster.file): Promise<string> {
  const inventory = readInventory(file);
  if (!inventory.ok) throw new Error(inventory.text);
  const events = await saveFilesWithoutOdoo(inventory.cluster, cluster.keyFile);
  const failed = events.find((event) => event.type === 'host-failed');
  return failed === undefined ? '' : `${failed.failure.message}\n${failed.failure.details.remedy}`;
}

/** Seconds since 1970 and the id of each snapshot, oldest first. */
async function snapshots(host = 'db1'): Promise<readonly string[]> {
  const text = await must(cluster.shell(host), '/usr/lib/odoo-prov/filestore-repository list');
  return text.trim().split('\n');
}

/** Lines with the key of the bucket in logs, and in command lines of all that ran. */
async function toldOn(host: string, values: readonly string[]): Promise<readonly string[]> {
  const shell = cluster.shell(host);
  expect(Number(await must(shell, 'wc -l </run/processes'))).toBeGreaterThan(100);
  const told = await must(
    shell,
    `{ journalctl -a -o cat --no-pager; cat /run/processes; } | grep -aF -e TESTKEY -e secret/of -e secret=of | head -n 3 || :
grep -rahF -e TESTKEY -e secret/of -e secret=of /var/log --exclude-dir=journal | head -n 3 || :`,
  );
  return told.split('\n').filter((line) => values.some((value) => line.includes(value)));
}

async function fullBackups(): Promise<readonly string[]> {
  const { stdout } = await ok('backup', '--list');
  return [...stdout.matchAll(/^(\d{8}-\d{6}F) +full/gm)].map(([, label = '']) => label);
}

beforeAll(async () => {
  buildProgram();
  const written = join(tmpdir(), `${NAME}.yaml`);
  writeFileSync(written, INVENTORY);
  cluster = await bareCluster(written, {
    name: 's3',
    memory: MEMORY,
    change: (data, lab) => {
      const ca = join(lab.directory, 'store.pem');
      folder = join(lab.directory, 'store');
      const s3 = { endpoint: `${lab.gateway}:9443`, bucket: 'acme-backup', region: 'lab-1', ca };
      writeFileSync(ca, '-----BEGIN CERTIFICATE-----\n');
      // Nobody gives Odoo out there: where all is applied, it is not waited for.
      const key = join(lab.directory, 'nobody.asc');
      writeFileSync(key, '-----BEGIN PGP PUBLIC KEY BLOCK-----\n');
      const source = { apt: { uri: `http://${lab.gateway}:9/`, key } };
      return {
        ...data,
        odoo: { ...(data['odoo'] as object), source },
        postgres: { backup: { s3 } },
      };
    },
  });
  store = await s3Server(cluster.lab.gateway, folder);
  writeFileSync(join(cluster.lab.directory, 'store.pem'), store.authority);
  await Promise.all([...HOSTS, 'web1'].map((host) => must(cluster.shell(host), WATCH_PROCESSES)));
});
afterAll(async () => {
  await store.close();
  await testLabDown('s3');
});

describe('backups in a bucket', () => {
  it('need its key, and say so before any host is contacted', async () => {
    const end = await apply();
    expect(end.code, printed(end)).toBe(1);
    expect(end.stderr).toContain('needs s3-key and s3-secret');
    expect(end.stderr).toContain('set s3-secret');
    expect(end.events.map(({ type }) => type)).toEqual(['failure']);
  });

  it('whose secret is wrong say so, and what to do', async () => {
    await setSecret('s3-key', store.key);
    await setSecret('s3-secret', 'not/the+secret=of#the-lab');
    const end = await apply();
    expect(end.code, printed(end)).toBe(3);
    const failed = end.events.find(({ type }) => type === 'host-failed');
    expect(failed?.host).toBe('db1');
    expect(failed?.failure?.message).toBe('the bucket of the backups does not let this key in');
    expect(failed?.failure?.remedy).toMatch(/odoo-prov secrets \/\S+ set s3-key/);
  });

  it('are there with the right one, and the next apply has nothing to do', async () => {
    await setSecret('s3-secret', store.secret);
    const end = await apply();
    expect(end.code, printed(end)).toBe(0);
    await nothingToDo();
    expect(await fullBackups()).toHaveLength(1);
  });

  it('take the filestore in, from a host that says when the key is wrong', async () => {
    expect(await must(cluster.shell('db1'), '/usr/lib/odoo-prov/filestore-repository list')).toBe(
      '',
    );
    await setSecret('s3-secret', 'not/the+secret=of#the-lab');
    const refused = await webFailure();
    expect(refused).toContain('the bucket of the backups does not let this key in');
    expect(refused).toContain('set s3-key');
    await setSecret('s3-secret', store.secret);
    expect(await webFailure()).toBe('');
    await attach(SEEN_BY_NOBODY);
  });

  it('are made at once, of each type, and nothing in the bucket can be read', async () => {
    await sql(`create table t (id serial primary key, v text);
insert into t (v) select '${SEEN_BY_NOBODY}' from generate_series(1, 1000)`);
    expect((await ok('backup')).stdout).toMatch(/^backup \S+I \(incr\): .* stored/m);
    expect((await ok('backup', '--type', 'diff')).stdout).toMatch(/^backup \S+D \(diff\)/m);
    expect(objects().length).toBeGreaterThan(5);
    expect(objects().filter((file) => readFileSync(file).includes(SEEN_BY_NOBODY))).toEqual([]);
    const ofDatabase = objects().filter((file) => /\/(archive|backup)\//.test(file));
    expect(ofDatabase.length).toBeGreaterThan(5);
    // The cipher's mark, which pgBackRest leaves out where it bundles files: there it is that no file of zstd can be seen,
    // of which a bundle has hundreds (four bytes may be those by chance).
    const plain = ofDatabase.filter((file) =>
      file.includes('/bundle/')
        ? readFileSync(file, 'latin1').split('\x28\xb5\x2f\xfd').length > 4
        : readFileSync(file).subarray(0, 8).toString() !== 'Salted__',
    );
    expect(plain).toEqual([]);
    const ofFiles = objects().filter((file) => file.includes('/filestore/data/'));
    expect(ofFiles.length).toBeGreaterThan(0);
    expect((await snapshots()).length).toBe(2);
    expect((await ok('backup', '--list')).stdout).toMatch(/^filestore: 2 snapshots/m);
  });
});

describe('a restore from a bucket', () => {
  const at: Record<string, string> = {};
  let lost: readonly string[];
  let later: string;

  beforeAll(async () => {
    await sql(`insert into t (v) select md5(i::text) from generate_series(1, 1000) i`);
    at['named'] = await sql(FINGERPRINT);
    lost = [await attach('one'), await attach('two')];
    at['files'] = await attached();
    await ok('backup', '--name', 'before-import');
    await must(cluster.shell('web1'), `rm ${lost.join(' ')}`);
    later = await attach('three');
    await sql(`update t set v = 'changed' where id % 7 = 0`);
  });

  it('to a name gives the rows of that moment on another host, and needs to be told which', async () => {
    const now = await sql(FINGERPRINT);
    const end = await run(['backup', '--verify']);
    expect(end.code, printed(end)).toBe(1);
    expect(end.stderr).toContain('on which host is not said');
    await ok('restore', '--to-name', 'before-import', '--on', 'web1');
    const look = `cd /tmp && echo '${FINGERPRINT}' |
  runuser -u postgres -- psql -XAtq -h /var/lib/postgresql/.odoo-prov-scratch -p 5433 -d rows`;
    expect((await must(cluster.shell('web1'), look)).trim()).toBe(at['named']);
    await ok('restore', '--on', 'web1', '--discard-old');
    expect(await sql(FINGERPRINT)).toBe(now);
    expect((await ok('backup', '--verify', '--on', 'web1')).stdout).toContain('gives every row');
  });

  it('in place gives them too, on the standby as well', async () => {
    const end = await ok('restore', '--to-name', 'before-import', '--confirm', NAME);
    expect(await sql(FINGERPRINT)).toBe(at['named']);
    await says('db2', FINGERPRINT, at['named'] ?? '');
    expect(end.stdout).toContain('web1: 2 files were missing and are back');
    const now = (await attached()).split('\n');
    expect((at['files'] ?? '').split('\n').filter((line) => !now.includes(line))).toEqual([]);
    expect(now.some((line) => line.includes(later.slice(-40)))).toBe(true);
    await ok('restore', '--discard-old', '--confirm', NAME);
    await nothingToDo();
  });
});

describe('after the primary was moved', () => {
  it('the archive goes on, and the new primary makes the backups', async () => {
    await ok('switchover', '--to', 'db2', '--yes');
    await sql(`insert into t (v) values ('after the move')`, 'db2');
    const segment = await sql('select pg_walfile_name(pg_switch_wal())', 'db2');
    const archived = `select coalesce(last_archived_wal >= '${segment}', false) from pg_stat_archiver`;
    await says('db2', archived, 't');
    await ok('backup', '--type', 'diff');
    const log = `journalctl -o cat --no-pager -u odoo-prov-backup@diff | grep -c 'backup command end: completed'`;
    expect(Number(await must(cluster.shell('db2'), log))).toBe(1);
    await nothingToDo();
  });

  it('the schedule of the other skips it, and is no failure', async () => {
    const before = await fullBackups();
    const unit = 'odoo-prov-backup@full.service';
    const said = await must(
      cluster.shell('db1'),
      `systemctl start ${unit} || :; systemctl show -P Result ${unit}; systemctl is-failed ${unit} || :`,
    );
    expect(said).toBe('exec-condition\ninactive\n');
    expect(await fullBackups()).toEqual(before);
    expect(
      await must(cluster.shell('db1'), 'systemctl is-active odoo-prov-backup-full.timer'),
    ).toBe('active\n');
  });

  it('old backups go, in the bucket too', async () => {
    const [oldest = ''] = await fullBackups();
    await ok('backup', '--type', 'full');
    await ok('backup', '--type', 'full');
    const left = await fullBackups();
    expect(left).toHaveLength(2);
    expect(left).not.toContain(oldest);
    const list = `cd / && runuser -u postgres -- pgbackrest repo-ls backup/${NAME}`;
    expect(await must(cluster.shell('db2'), list)).not.toContain(oldest);
  });

  it('and snapshots that no moment needs, by the primary alone', async () => {
    const before = await snapshots('db2');
    const info = `cd / && runuser -u postgres -- pgbackrest info --output=json --log-level-console=off`;
    const [stanza] = JSON.parse(await must(cluster.shell('db2'), info)) as readonly {
      readonly backup: readonly { readonly timestamp: { readonly stop: number } }[];
    }[];
    const oldest = stanza?.backup[0]?.timestamp.stop ?? 0;
    const last = before.findLastIndex((line) => Number(line.split(' ')[0]) <= oldest);
    expect(last).toBeGreaterThan(0);
    const start = `systemctl start ${PRUNE}; systemctl show -P Result ${PRUNE}`;
    expect(await must(cluster.shell('db1'), start)).toBe('exec-condition\n');
    expect(await snapshots('db1')).toEqual(before);
    expect(await must(cluster.shell('db2'), start)).toBe('success\n');
    expect(await snapshots('db2')).toEqual(before.slice(last));
  });

  it('a snapshot that is killed is in nobody’s way, but that a removal waits for it', async () => {
    const unit = 'odoo-prov-filestore-backup';
    await must(
      cluster.shell('web1'),
      `systemctl stop ${PRUNE}.timer 2>/dev/null; head -c 200M /dev/urandom >${FILES}/large && chown odoo: ${FILES}/large
systemctl start --no-block ${unit}`,
    );
    while (locks().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await must(
      cluster.shell('web1'),
      `systemctl kill -s KILL ${unit}; rm ${FILES}/large
while [ "$(systemctl is-active ${unit})" = activating ]; do sleep 0.2; done`,
    );
    expect(locks()).toHaveLength(1);
    const before = await snapshots('db2');
    await ok('backup');
    expect(await snapshots('db2')).toHaveLength(before.length + 1);
    await must(
      cluster.shell('db2'),
      `systemctl start --no-block ${PRUNE}
until journalctl -o cat --no-pager -u ${PRUNE} | grep -q 'to himself: waiting'; do sleep 0.5; done`,
    );
    // A day later it would be half an hour old: what the operator can do at once.
    const unlock = `FOLDER=/etc/odoo-prov-filestore/server; . /usr/lib/odoo-prov/filestore-restic; restic_ unlock --remove-all`;
    await must(cluster.shell('db2'), unlock);
    await must(
      cluster.shell('db2'),
      `while [ "$(systemctl is-active ${PRUNE})" = activating ]; do sleep 0.5; done
systemctl show -P Result ${PRUNE} | grep -x success`,
    );
    expect(locks()).toEqual([]);
  });

  it('status knows the newest backup and snapshot, from the primary', async () => {
    const end = await run(['status', '--json', '--limit', HOSTS.join(',')]);
    const status = JSON.parse(end.stdout) as {
      readonly hosts: readonly {
        readonly host: string;
        readonly backup: { type: string } | null;
        readonly filestoreBackup: { age: number | null; hourly: boolean } | null;
      }[];
      readonly alerts: readonly { readonly id: string }[];
    };
    const known = status.hosts.filter(({ backup }) => backup !== null).map(({ host }) => host);
    expect(known).toEqual(['db2']);
    const saved = status.hosts.filter(({ filestoreBackup }) => filestoreBackup !== null);
    expect(saved).toMatchObject([{ host: 'db2', filestoreBackup: { hourly: true } }]);
    expect(saved[0]?.filestoreBackup?.age).toBeLessThan(3600);
    expect(status.alerts.filter(({ id }) => id.startsWith('backup.'))).toEqual([]);
  });

  it('a segment that the bucket lacks is told, and named', async () => {
    const ended: string[] = [];
    for (let segment = 0; segment < 3; segment += 1) {
      await sql('create table planted (); drop table planted', 'db2');
      ended.push(await sql('select pg_walfile_name(pg_switch_wal())', 'db2'));
    }
    const [, lost = '', last = ''] = ended;
    await says('db2', `select last_archived_wal >= '${last}' from pg_stat_archiver`, 't');
    const [object = ''] = objects().filter((file) => file.includes(`/${lost}-`));
    const aside = join(cluster.lab.directory, 'aside');
    renameSync(object, aside);
    try {
      const status = await run(['status', '--json', '--limit', HOSTS.join(',')]);
      expect(status.code, printed(status)).toBe(3);
      expect(status.stdout).toContain(`the archive lacks ${lost}`);
      expect((await ok('backup', '--list')).stdout).toContain(`segment ${lost} is missing`);
    } finally {
      renameSync(aside, object);
    }
    expect((await ok('backup', '--list')).stdout).not.toContain('is missing');
  });

  it('a store that is away is told, and nothing is lost', async () => {
    await store.close();
    await sql(`insert into t (v) values ('while it was away'); select pg_switch_wal()`, 'db2');
    await says(
      'db2',
      `select coalesce(last_failed_time > last_archived_time, false) from pg_stat_archiver`,
      't',
    );
    const look = await run(['apply', '--check', '--json', '--limit', 'db2']);
    expect(look.stdout).toContain('archiving fails since');
    store = await s3Server(cluster.lab.gateway, folder);
    const mended = await apply();
    expect(mended.code, printed(mended)).toBe(0);
    await nothingToDo();
  });
});

describe('a move to a host, and back', () => {
  const units = ['odoo-prov-filestore-prune.timer', 'odoo-prov-backup-full.timer'];
  const states = async (host: string, names: readonly string[]): Promise<readonly string[]> => {
    const answer = await cluster.shell(host)(`systemctl is-active ${names.join(' ')}`);
    return answer.stdout.trim().split('\n');
  };

  it('stops the timers on database hosts, and leaves the key on no host', async () => {
    const moved = cluster.variant('moved', (data) => ({
      ...data,
      postgres: { backup: { host: 'pool1' } },
    }));
    const limit = ['--limit', [...HOSTS, 'pool1'].join(',')];
    const end = await cluster.run(['apply', moved, '--json', ...limit]);
    expect(end.code, printed(end)).toBe(0);
    expect(await webFailure(moved)).toBe('');
    for (const host of HOSTS) expect(await states(host, units)).toEqual(['inactive', 'inactive']);
    for (const host of [...HOSTS, 'web1', 'pool1']) {
      const search =
        'grep -rlF -e secret/of /etc /var/lib/odoo-prov* /var/cache /run/odoo-prov || :';
      expect(await must(cluster.shell(host), search)).toBe('');
    }
    expect(await states('pool1', units)).toEqual(['active', 'active']);
    expect(await snapshots('pool1')).toHaveLength(1);
  });

  it('and back, what was on the host is stopped by --prune', async () => {
    const before = snapshotsInBucket();
    const end = await apply('--prune');
    expect(end.code, printed(end)).toBe(0);
    expect(await webFailure()).toBe('');
    expect(await states('pool1', [...units, 'odoo-prov-filestore-server'])).toEqual(
      Array.from({ length: 3 }, () => 'inactive'),
    );
    for (const host of HOSTS) expect(await states(host, units)).toEqual(['active', 'active']);
    expect(await snapshots()).toHaveLength(before + 1);
    await nothingToDo();
    // Between the two places segments are missing.
    await ok('backup', '--type', 'full');
  });
});

describe('the key of the bucket', () => {
  it('is in files of PostgreSQL and of the snapshots alone, in no log, no command line and no output', async () => {
    const values = [store.key, store.secret, 'not/the+secret=of#the-lab'];
    for (const host of HOSTS) {
      const shell = cluster.shell(host);
      expect(await must(shell, `stat -c '%a %U' /etc/pgbackrest/pgbackrest.conf`)).toBe(
        '640 postgres\n',
      );
      expect(await toldOn(host, values)).toEqual([]);
    }
    expect(await toldOn('web1', values)).toEqual([]);
    const web = cluster.shell('web1');
    const holding = `grep -rlF --exclude=processes -e secret/of /etc /var/lib /var/cache /usr/lib/odoo-prov /run /tmp || :`;
    const access = '/etc/odoo-prov-filestore/client/access';
    expect(await must(web, holding)).toBe(`${access}\n`);
    expect(await must(web, `stat -c '%a %U %G' ${access}`)).toBe('640 root odoo-prov-backup\n');
    expect((await web(`runuser -u odoo -- cat ${access}`)).code).not.toBe(0);
    const shown = 'systemctl show odoo-prov-filestore-backup odoo-prov-filestore-prune';
    expect(await must(web, shown)).not.toContain(store.secret);
    const output = ends.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    for (const value of values) expect(output.includes(value)).toBe(false);
  });
});

describe('a cluster of which only the bucket is left', () => {
  /** As the operator gives it. */
  let moment = '';
  const restore = (): readonly string[] => [
    ...['restore', '--new-hosts', '--to-time', moment, '--confirm', NAME],
  ];
  const keyFile = (name: string): string => join(cluster.folder, `${name}.key`);
  const restoreWith = (key: string): Promise<ProgramEnd> =>
    run([...restore(), '--recovery-key-file', keyFile(key)]);
  const asPostgres = 'cd / && runuser -u postgres --';
  let rows: string;
  let files: string;

  async function left(): Promise<void> {
    expect((await cluster.shell('db1')('ls -d /run/odoo-prov-recovery')).code).not.toBe(0);
  }

  beforeAll(async () => {
    await ok('switchover', '--to', 'db1', '--yes');
    const shown = await ok('secrets', 'recovery-key');
    writeFileSync(keyFile('recovery'), shown.stdout, { mode: 0o600 });
    const other = await createRecoveryKey();
    writeFileSync(keyFile('other'), other.identity.reveal(), { mode: 0o600 });
    await sql(`insert into t (v) values ('worth keeping')`);
    await attach('worth keeping');
    rows = await sql(FINGERPRINT);
    files = await attached();
    await ok('backup');
    await sql('select pg_sleep(2)');
    moment = await sql(`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')`);
    await sql('select pg_sleep(1)');
    await sql(`insert into t (v) values ('burnt')`);
  });

  it('has a copy of the secrets in it, which the recovery key opens', async () => {
    const end = await apply();
    expect(end.code, printed(end)).toBe(0);
    const list = await must(cluster.shell('db1'), `${asPostgres} pgbackrest repo-ls`);
    expect(list.split('\n')).toContain('odoo-prov-recovery.age');
    const get = `${asPostgres} pgbackrest repo-get --raw odoo-prov-recovery.age`;
    const copy = await must(cluster.shell('db1'), get);
    const key = new Secret(readFileSync(keyFile('recovery'), 'utf8').trim());
    const opened = await openSealed(copy, key, 'the copy');
    expect(opened.get('s3-secret')?.reveal()).toBe(store.secret);
    expect([...opened.keys()]).toContain('pgbackrest-cipher');
  });

  it('is asked for nothing while it lives: a database host holds data', async () => {
    const segment = await sql('select pg_walfile_name(pg_switch_wal())');
    await says('db1', `select last_archived_wal >= '${segment}' from pg_stat_archiver`, 't');
    for (const name of readdirSync(cluster.folder)) {
      if (/\.(secrets\.age|state\.json)$|^age\.key$/.test(name)) rmSync(join(cluster.folder, name));
    }
    const keyless = await restoreWith('recovery');
    expect(keyless.code, printed(keyless)).toBe(1);
    expect(keyless.stderr).toContain('needs s3-key and s3-secret');
    await setSecret('s3-key', store.key);
    await setSecret('s3-secret', 'not/the+secret=of#the-lab');
    const end = await restoreWith('recovery');
    expect(end.code, printed(end)).toBe(5);
    expect(end.stderr).toContain('this host holds a database');
    expect(end.stdout).not.toContain('installing');
  });

  it('says on bare hosts what is wrong with which key', async () => {
    const hosts = cluster.lab.hosts.map(({ name }) => ({ name }));
    await testLab('s3', { hosts: hosts.filter(({ name }) => name === 'pool1') });
    await testLab('s3', { hosts });
    await Promise.all([...HOSTS, 'web1'].map((host) => must(cluster.shell(host), WATCH_PROCESSES)));
    const bare = 'ls /etc/postgresql /usr/bin/pgbackrest';
    const plan = await ok(...restore(), '--dry-run');
    expect(plan.stdout).toContain('is made anew from the backups in the bucket acme-backup');
    for (const host of HOSTS) expect((await cluster.shell(host)(bare)).stdout).toBe('');

    const wrongSecret = await restoreWith('recovery');
    expect(wrongSecret.code, printed(wrongSecret)).toBe(3);
    expect(wrongSecret.stderr).toContain('the secret does not fit the key for the bucket');
    expect(wrongSecret.stderr).toContain('then run the same command again');
    await left();
    await setSecret('s3-secret', store.secret);
    const wrongKey = await restoreWith('other');
    expect(wrongKey.code, printed(wrongKey)).toBe(1);
    expect(wrongKey.stderr).toContain('this recovery key does not open odoo-prov-recovery.age in');
    await left();
  });

  it('comes back with the recovery key and the key of the bucket', async () => {
    // Nobody gives Odoo out: the database and the filestore do not wait for it, and this suite neither.
    const end = await restoreWith('recovery');
    expect(end.code, printed(end)).toBe(3);
    expect(end.stderr).toContain('the database is set back, but not all that follows from it');
    expect(await sql(FINGERPRINT)).toBe(rows);
    expect(await attached()).toBe(files);
    await left();
    for (const host of [...HOSTS, 'web1']) {
      expect(await toldOn(host, [store.key, store.secret])).toEqual([]);
    }
    const mended = await apply();
    expect(mended.code, printed(mended)).toBe(0);
    await nothingToDo();
    await says('db2', FINGERPRINT, rows);
    expect(await webFailure()).toBe('');
    await ok('backup', '--type', 'full');
  });
});
