import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { labOf, labSpecHere } from '../../src/cli/lab.js';
import { loadSoundCluster } from '../../src/cli/load-inventory.js';
import { labUp } from '../../src/lab/index.js';
import { labShell, must, type HostShell } from '../support/host-shell.js';
import { TEST_LAB_PREFIX } from '../support/lab.js';
import { buildProgram, odooProv, printed, recapOf, type ProgramEnd } from '../support/program.js';

const NAME = `${TEST_LAB_PREFIX}files`;
const INVENTORY = `cluster: ${NAME}
odoo: { database: acme, users: 5 }
postgres: { backup: { host: backup1, keep: 1 } }
hosts:
  web1: { address: 198.51.100.11, roles: [edge, app, cron, gevent, pgbouncer, redis, pg-primary] }
  backup1: { address: 198.51.100.12 }
`;
const FILES = '/var/lib/odoo/filestore/acme';
const REPOSITORY = '/var/lib/pgbackrest/filestore';
/** Every file by its hash, name, owner, group and mode. */
const LISTING = `cd ${FILES} && find . -path ./checklist -prune -o -type f -printf '%p %u %g %m ' -exec sha1sum {} \\; | sort`;
/** Milliseconds: Odoo is installed. */
const INSTALLATION = 3_600_000;

let written: string;
let inventory: string;
/** The operator's key: in a place of its own, so that it can be lost. */
let keyFile: string;
let web: HostShell;
let keeper: HostShell;

const run = (...words: readonly string[]): Promise<ProgramEnd> =>
  odooProv(words, { environment: { ODOO_PROV_KEY_FILE: keyFile } });

async function ok(...words: readonly string[]): Promise<ProgramEnd> {
  const end = await run(...words);
  expect(end.code, printed(end)).toBe(0);
  return end;
}

async function nothingToDo(): Promise<void> {
  const end = await run('apply', inventory, '--json');
  expect(end.code, printed(end)).toBe(0);
  expect(recapOf(end).changed, printed(end)).toBe(0);
}

async function sql(text: string): Promise<string> {
  const script = `cd /tmp && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d acme <<'EOF'\n${text};\nEOF`;
  return (await must(web, script)).trim();
}

/** Puts an attachment where Odoo would; its path. */
async function attach(content: string): Promise<string> {
  const name = createHash('sha1').update(content).digest('hex');
  const path = `${FILES}/${name.slice(0, 2)}/${name}`;
  await must(
    web,
    `runuser -u odoo -- sh -c 'umask 027; mkdir -p ${FILES}/${name.slice(0, 2)}; printf %s "$0" >${path}' '${content}'`,
  );
  return path;
}

const listing = async (): Promise<readonly string[]> =>
  (await must(web, LISTING)).trim().split('\n');

async function snapshots(): Promise<readonly string[]> {
  const text = await must(keeper, '/usr/lib/odoo-prov/filestore-repository list');
  return text.trim().split('\n');
}

beforeAll(async () => {
  buildProgram();
  const folder = join(tmpdir(), `odoo-prov-${NAME}`);
  mkdirSync(folder, { recursive: true });
  written = join(folder, 'files.yaml');
  writeFileSync(written, INVENTORY);
  const { lab, inventory: derived } = await labOf(loadSoundCluster(written, true));
  inventory = derived;
  keyFile = join(lab.directory, 'age.key');
  web = labShell(lab, 'web1');
  keeper = labShell(lab, 'backup1');
  const end = await run('apply', inventory, '--json');
  expect(end.code, printed(end)).toBe(0);
}, INSTALLATION);

describe('the filestore', () => {
  it('is saved by the first apply, and the next has nothing to do', async () => {
    await nothingToDo();
    expect((await snapshots()).length).toBeGreaterThan(0);
    expect((await ok('backup', inventory, '--list')).stdout).toMatch(/^filestore: \d+ snapshot/m);
    const look = await run('status', inventory, '--json');
    const { hosts } = JSON.parse(look.stdout) as {
      readonly hosts: readonly { host: string; filestoreBackup: unknown }[];
    };
    expect(hosts.find(({ host }) => host === 'backup1')?.filestoreBackup).toMatchObject({
      age: expect.any(Number) as number,
      hourly: true,
    });
  });

  it('is encrypted, and its password is in no unit', async () => {
    await attach('seen by nobody');
    await ok('backup', inventory);
    expect((await keeper(`grep -rl 'seen by nobody' ${REPOSITORY}`)).stdout).toBe('');
    const unit = 'systemctl show -P ExecStart -P Environment odoo-prov-filestore-server';
    const password = await must(keeper, 'cat /etc/odoo-prov-filestore/server/password');
    expect(await must(keeper, unit)).not.toContain(password);
  });

  it('is taken in from who has a certificate of its own, and cannot be deleted by them', async () => {
    const own = '/etc/odoo-prov-filestore/client';
    const restic = (words: string): string =>
      `. ${own}/access; export RESTIC_REPOSITORY RESTIC_PASSWORD_FILE
restic --no-cache --cacert ${own}/authority.crt ${words} 2>&1`;
    const [newest = ''] = (await snapshots()).slice(-1);
    const id = newest.split(' ')[1] ?? '';
    const removing = await web(restic(`--tls-client-cert ${own}/identity.pem forget ${id}`));
    // restic itself ends well.
    expect(removing.stdout).toContain('403 Forbidden');
    expect(await snapshots()).toContain(newest);
    const nobody = await web(`timeout 20 sh -c '${restic('snapshots')}'`);
    expect(nobody.code).not.toBe(0);
    const other = '/etc/pgbackrest/tls';
    const stranger = `cat ${other}/host.key ${other}/host.crt >/tmp/other.pem
timeout 20 sh -c '${restic('--tls-client-cert /tmp/other.pem snapshots')}'; code=$?; rm /tmp/other.pem; exit $code`;
    expect((await web(stranger)).code).not.toBe(0);
  });

  it('that is missing is not saved as empty, and status tells', async () => {
    await must(web, `mv ${FILES} ${FILES}.away`);
    const before = await snapshots();
    const end = await run('backup', inventory);
    await must(web, `mv ${FILES}.away ${FILES}`);
    expect(end.code, printed(end)).toBe(3);
    expect(printed(end)).toContain('nothing is saved over them');
    expect(await snapshots()).toEqual(before);
    const look = await run('status', inventory);
    expect(look.code).toBe(3);
    expect(printed(look)).toContain('odoo-prov-filestore-backup on web1 is failed');
    const mended = await run('apply', inventory, '--json');
    expect(mended.code, printed(mended)).toBe(0);
    expect((await snapshots()).length).toBe(before.length + 1);
  });
});

describe('a restore in place', () => {
  it('brings back what was there at the moment, with its owner and mode, and removes nothing', async () => {
    const gone = [await attach('one'), await attach('two')];
    await sql('create table moments (v text)');
    const then = await listing();
    await ok('backup', inventory, '--name', 'both');
    const later = await attach('three');
    await sql(`insert into moments values ('later')`);
    await must(web, `rm ${gone.join(' ')}`);
    await ok('backup', inventory);
    const end = await ok('restore', inventory, '--to-name', 'both', '--confirm', NAME);
    expect(end.stdout).toContain('web1: 2 files were missing and are back');
    expect(await sql('select count(*) from moments')).toBe('0');
    const now = await listing();
    expect(then.filter((line) => !now.includes(line))).toEqual([]);
    expect(now.some((line) => line.includes(later.slice(-40)))).toBe(true);
    expect((await web(`ls -A ${FILES}/../.odoo-prov-restore`)).code).not.toBe(0);
    await nothingToDo();
  });

  it('leaves every attachment that the database names in its place', async () => {
    const names = await sql(
      'select distinct store_fname from ir_attachment where store_fname is not null',
    );
    const lacking = await web(
      `cd ${FILES} && while read -r name; do [ -e "$name" ] || echo "$name"; done <<'EOF'\n${names}\nEOF`,
    );
    expect(names.split('\n').length).toBeGreaterThan(5);
    expect(lacking.stdout).toBe('');
  });

  it('refuses a snapshot of which a file has another content than its name says', async () => {
    const path = await attach('honest');
    await must(web, `printf forged >${path}`);
    await ok('backup', inventory);
    const [newest = ''] = (await snapshots()).slice(-1);
    await must(web, `rm ${path}`);
    const end = await web(`/usr/lib/odoo-prov/filestore-restore ${newest.split(' ')[1] ?? ''}`);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(path.slice(-40));
    expect((await web(`ls ${path}`)).code).not.toBe(0);
    await ok('backup', inventory);
  });
});

describe('old snapshots', () => {
  it('go with the backups of the database that need them', async () => {
    const before = await snapshots();
    await ok('backup', inventory, '--type', 'full');
    await ok('backup', inventory);
    await must(keeper, 'systemctl start odoo-prov-filestore-prune');
    const after = await snapshots();
    expect(after.length).toBeLessThan(before.length);
    // The last one before the backup that is kept, and the two since.
    expect(after[0]).toBe(before.at(-1));
    expect(after.length).toBe(3);
    await nothingToDo();
  });
});

describe('all hosts but that of the backups, and the operator’s secrets, are lost', () => {
  const ROWS = `select 'res_users', count(*), sum(hashtextextended(t::text, 0)) from res_users t
union all select 'ir_attachment', count(*), sum(hashtextextended(t::text, 0)) from ir_attachment t
union all select 'ir_model_data', count(*), sum(hashtextextended(t::text, 0)) from ir_model_data t
union all select 'moments', count(*), sum(hashtextextended(t::text, 0)) from moments t`;
  let folder: string;
  let recoveryKey: string;
  let rows: string;
  let files: readonly string[];

  beforeAll(async () => {
    folder = join(inventory, '..');
    const made = await ok('secrets', inventory, 'recovery-key');
    recoveryKey = join(folder, 'recovery.key');
    writeFileSync(recoveryKey, made.stdout, { mode: 0o600 });
    await nothingToDo();
    await attach('worth keeping');
    await sql(`insert into moments values ('worth keeping')`);
    // Nobody writes while it is looked at.
    await must(web, 'systemctl stop odoo-app odoo-cron odoo-gevent');
    rows = await sql(ROWS);
    files = await listing();
    await ok('backup', inventory, '--name', 'before-the-fire');
    await sql(`insert into moments values ('later')`);
  });

  it('leaves a copy of the secrets that only the recovery key opens', async () => {
    const copy = await must(keeper, 'cat /var/lib/pgbackrest/odoo-prov-recovery.age');
    expect(copy).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----/);
    for (const name of readdirSync(folder)) {
      if (name === 'recovery.key' || !/\.(age|json|yaml|key)$/.test(name)) continue;
      expect(readFileSync(join(folder, name), 'utf8'), name).not.toContain(
        readFileSync(recoveryKey, 'utf8').trim(),
      );
    }
  });

  it('is refused while a database host holds data', async () => {
    const end = await run('restore', inventory, '--new-hosts', '--latest', '--confirm', NAME);
    expect(end.code, printed(end)).toBe(5);
    expect(printed(end)).toContain('this host holds a database');
  });

  it('gives every row and every file back on a bare host', { timeout: INSTALLATION }, async () => {
    const spec = labSpecHere(loadSoundCluster(written, true));
    const tell = (): void => undefined;
    await labUp({ ...spec, hosts: spec.hosts.filter(({ name }) => name === 'backup1') }, tell);
    await labUp(spec, tell);
    expect((await web('ls /etc/postgresql /var/lib/odoo')).code).not.toBe(0);
    for (const name of readdirSync(folder)) {
      if (/^inventory\.(secrets|state)|^age\.key$/.test(name)) rmSync(join(folder, name));
    }
    const restore = ['restore', inventory, '--new-hosts', '--to-name', 'before-the-fire'];
    const asked = await run(...restore, '--confirm', NAME);
    expect(asked.code, printed(asked)).toBe(1);
    expect(printed(asked)).toContain('--recovery-key-file');
    await ok(...restore, '--recovery-key-file', recoveryKey, '--confirm', NAME);
    await must(web, 'systemctl stop odoo-app odoo-cron odoo-gevent');
    expect(await sql('select v from moments')).toBe('worth keeping');
    const now = await listing();
    expect(files.filter((line) => !now.includes(line))).toEqual([]);
    // Odoo has run since, and logged somebody in: rows of users and of its own books may have moved on.
    expect((await sql(ROWS)).split('\n').filter((line) => /moments|model_data/.test(line))).toEqual(
      rows.split('\n').filter((line) => /moments|model_data/.test(line)),
    );
    const mended = await run('apply', inventory, '--json');
    expect(mended.code, printed(mended)).toBe(0);
    await nothingToDo();
    await ok('backup', inventory, '--type', 'full');
    await ok('backup', inventory, '--verify');
  });
});
