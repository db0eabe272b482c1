import { describe, expect, it } from 'vitest';
import { ROLES_WITHOUT_ARCHIVING } from '../../playbooks/primary/archive-away.js';
import { archive } from '../../roles/archive/index.js';
import { backup } from '../../roles/backup/index.js';
import { pgPrimary } from '../../roles/pg-primary/index.js';
import { settingsOf } from '../../src/postgres/settings.js';
import { kinds } from '../../src/resource/index.js';
import { keyOf } from '../../src/resource/kind.js';
import { Secret } from '../../src/shell/index.js';
import { testCluster, testHost, testSite } from '../support/site.js';
import { fileAt, textAt, wantedBy } from '../support/wanted.js';

const WANTED = {
  host: 'backup1',
  full: 'Sun *-*-* 01:00:00',
  diff: 'Mon..Sat *-*-* 01:00:00',
  keep: 2,
  path: '/var/lib/pgbackrest',
};
const web = testHost('web1', 21, ['app', 'cron', 'gevent', 'pgbouncer', 'redis']);
const db = { ...testHost('db1', 31, ['pg-primary']), cores: 8 };
const keeper = testHost('backup1', 61, []);
const plain = testCluster([web, db]).postgres;
const apart = testCluster([web, db, keeper], { postgres: { ...plain, backup: WANTED } });
const together = testCluster([web, db], {
  postgres: { ...plain, backup: { ...WANTED, host: 'db1' } },
});
const CONFIG = '/etc/pgbackrest/pgbackrest.conf';

describe('the repository host', () => {
  const all = wantedBy(backup, apart, keeper);

  it('is the one that the inventory names, whatever roles it has', () => {
    expect(apart.hosts.filter((host) => backup.on(host, apart))).toEqual([keeper]);
    expect(together.hosts.filter((host) => backup.on(host, together))).toEqual([db]);
  });

  it('has an encrypted repository and reaches every database host over TLS', () => {
    expect(textAt(all, CONFIG))
      .toBe(`# Written by odoo-prov from the topology, which replaces changes made here.

[global]
repo1-path=/var/lib/pgbackrest
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=secret-pgbackrest-cipher
repo1-retention-full=2
repo1-bundle=y
repo1-block=y
compress-type=zst
process-max=1
archive-async=y
spool-path=/var/spool/pgbackrest
start-fast=y
log-level-console=info
log-level-file=detail
tls-server-address=198.51.100.61
tls-server-ca-file=/etc/pgbackrest/tls/authority.crt
tls-server-cert-file=/etc/pgbackrest/tls/host.crt
tls-server-key-file=/etc/pgbackrest/tls/host.key
tls-server-auth=db1=acme
tls-server-auth=scratch.odoo-prov=acme

[acme]
pg1-host=198.51.100.31
pg1-host-type=tls
pg1-host-ca-file=/etc/pgbackrest/tls/authority.crt
pg1-host-cert-file=/etc/pgbackrest/tls/host.crt
pg1-host-key-file=/etc/pgbackrest/tls/host.key
pg1-path=/var/lib/postgresql/17/main
pg1-socket-path=/var/run/postgresql
`);
    expect(fileAt(all, CONFIG)).toMatchObject({ owner: 'postgres', mode: '0640' });
    expect(fileAt(all, CONFIG).content).toBeInstanceOf(Secret);
  });

  it('leaves out what is a trial in the version of Debian 12', () => {
    const old = backup.configure(testSite(apart, keeper, { debian: 12 }));
    expect(textAt(old, CONFIG)).not.toContain('repo1-block');
    expect(textAt(old, CONFIG)).toContain('pg1-path=/var/lib/postgresql/15/main');
  });

  it('lists all database hosts in the order of the inventory, whichever is the primary', () => {
    const two = testCluster([testHost('db2', 32, ['pg-standby']), db, keeper], {
      postgres: apart.postgres,
    });
    const config = textAt(wantedBy(backup, two, keeper), CONFIG);
    expect(config).toMatch(/tls-server-auth=db2=acme\ntls-server-auth=db1=acme\n/);
    expect(config).toMatch(/pg1-host=198\.51\.100\.32\n[^]*pg2-host=198\.51\.100\.31\n/);
  });

  it('backs up by timers', () => {
    expect(textAt(all, '/etc/systemd/system/odoo-prov-backup-full.timer')).toContain(
      '\nOnCalendar=Sun *-*-* 01:00:00\n',
    );
    expect(textAt(all, '/etc/systemd/system/odoo-prov-backup-diff.timer')).toContain(
      '\nUnit=odoo-prov-backup@diff.service\n',
    );
    expect(textAt(all, '/etc/systemd/system/odoo-prov-backup@.service')).toContain(
      '/usr/bin/pgbackrest --stanza=acme --type=%i backup\n',
    );
  });

  it('ends with its stanza, which is checked again after any change', () => {
    const last = all.at(-1);
    expect(last && keyOf(last)).toBe('backupStanza:acme');
    expect(kinds['backupStanza']?.confirms).toBe(true);
  });

  it('on the only database host keeps its repository without any server', () => {
    const config = textAt(wantedBy(backup, together, db), CONFIG);
    expect(config).toContain('repo1-path=/var/lib/pgbackrest\n');
    expect(config).toContain('\n[acme]\npg1-path=/var/lib/postgresql/17/main\n');
    expect(config).not.toContain('tls-server');
    expect(config).not.toContain('pg1-host');
  });
});

describe('a database host', () => {
  const all = wantedBy(pgPrimary, apart, db);

  it('pushes to the repository, does not know its passphrase, and admits nobody else', () => {
    const config = textAt(all, CONFIG);
    expect(config).toContain('repo1-host=198.51.100.61\nrepo1-host-type=tls\n');
    expect(config).toContain('tls-server-auth=backup1=acme\n');
    expect(config).toContain('process-max=4\n');
    expect(config).toContain('[global:archive-push]\narchive-timeout=10\n');
    expect(config).not.toContain('cipher');
  });

  it('archives, and can fetch back, by its settings', () => {
    const reach = `timeout 1 bash -c ': </dev/tcp/198.51.100.61/8432' && `;
    expect(settingsOf(testSite(apart, db))).toMatchObject({
      archive_mode: 'on',
      archive_command: `${reach}pgbackrest --stanza=acme archive-push %p`,
      archive_timeout: '60s',
      restore_command: '/usr/lib/odoo-prov/fetch-wal %f "%p" acme 198.51.100.61 8432',
    });
  });

  it('needs no network where the repository is its own', () => {
    expect(settingsOf(testSite(together, db))['archive_command']).toBe(
      'pgbackrest --stanza=acme archive-push %p',
    );
  });

  it('has pgBackRest before the settings that name it', () => {
    const keys = all.map(keyOf);
    expect(keys.indexOf(`file:${CONFIG}`)).toBeLessThan(keys.indexOf('postgresSettings:17/main'));
    expect(keys).toContain('package:pgbackrest');
  });

  it('has nothing of it where nothing is backed up', () => {
    const cluster = testCluster([web, db]);
    const keys = wantedBy(pgPrimary, cluster, db).map(keyOf);
    expect(keys.filter((key) => key.includes('pgbackrest'))).toEqual([]);
    expect(settingsOf(testSite(cluster, db))).not.toHaveProperty('archive_mode');
    expect(archive.on(db, cluster)).toBe(false);
  });

  it('is asked in every look whether it archives, after the repository is there', () => {
    expect(archive.on(db, apart)).toBe(true);
    expect(archive.on(keeper, apart)).toBe(false);
    expect(archive.after).toContain('backup');
    const all = wantedBy(archive, apart, db);
    expect(all.at(-1)).toMatchObject({ id: 'wal-archived' });
    // Debian 12's pgBackRest does not say that there is no room.
    expect(all.at(-1)).toMatchObject({
      command: expect.stringContaining(
        "when error ~ 'client state is ''data-get'' but expected ''idle''' then 'no room on backup1 in /var/lib/pgbackrest, most likely: '",
      ) as string,
      hopeless: 'no room on backup1 in /var/lib/pgbackrest[:,] *',
    });
    // After a move while the archive is away nothing waits for that, and all else is as ever.
    const unawaited = ROLES_WITHOUT_ARCHIVING.find(({ name }) => name === archive.name);
    if (unawaited === undefined) throw new Error('the role is gone');
    expect(wantedBy(unawaited, apart, db)).toEqual(all.slice(0, -1));
  });
});

describe('backupStanza', () => {
  const stanza = kinds['backupStanza'];
  const wanted = wantedBy(backup, apart, keeper).filter(({ kind }) => kind === 'backupStanza');
  const look = (active: string, info: unknown): unknown =>
    stanza?.parse(`${active}\n${JSON.stringify([info])}`, wanted).get('acme');

  it('is as it should be with a full backup, or one that is being made', () => {
    const ok = { stanza: 'ok', 'full backup': 'made or under way' };
    const there = { status: { code: 0 }, backup: [{ type: 'diff' }, { type: 'full' }] };
    expect(look('inactive', there)).toEqual(ok);
    expect(look('activating', { status: { code: 2 }, backup: [] })).toEqual(ok);
    expect(look('failed', { status: { code: 2 }, backup: [] })).toEqual({
      ...ok,
      'full backup': 'none',
    });
  });

  it('is absent before it was made, and what is wrong otherwise is named', () => {
    expect(stanza?.parse('inactive\n', wanted).get('acme')).toBe('absent');
    expect(look('inactive', { status: { code: 1 } })).toBe('absent');
    expect(look('inactive', { status: { code: 99, message: 'other' }, backup: [] })).toEqual({
      stanza: 'other',
      'full backup': 'none',
    });
    expect(stanza?.parse('inactive\nERROR: [041]: unable to open', wanted).get('acme')).toEqual({
      unknown: 'ERROR: [041]: unable to open',
    });
  });
});
