import { describe, expect, it } from 'vitest';
import { archive } from '../../roles/archive/index.js';
import { backup } from '../../roles/backup/index.js';
import { pgPrimary } from '../../roles/pg-primary/index.js';
import { pgStandby } from '../../roles/pg-standby/index.js';
import { settingsOf } from '../../src/postgres/settings.js';
import { fetchRecoveryCopy } from '../../src/postgres/bucket-recovery.js';
import { addToHistory } from '../../src/postgres/repository-files.js';
import { kinds } from '../../src/resource/index.js';
import type { JobResource } from '../../src/resource/job.js';
import { keyOf } from '../../src/resource/kind.js';
import { Secret } from '../../src/shell/index.js';
import { readTemplates } from '../../src/template/package-files.js';
import { renderTemplate } from '../../src/template/render.js';
import { bucketFailure } from '../../src/transport/bucket-failure.js';
import { testCluster, testHost, testSite } from '../support/site.js';
import { fileAt, textAt, wantedBy } from '../support/wanted.js';

const PUBLIC = {
  endpoint: 's3.example.net',
  port: 443,
  bucket: 'acme-backup',
  region: 'eu-central-1',
  uriStyle: 'host',
} as const;
const BUCKET = {
  ...PUBLIC,
  port: 9443,
  uriStyle: 'path',
  ca: '-----BEGIN CERTIFICATE-----\n',
} as const;
const WANTED = {
  s3: BUCKET,
  full: 'Sun *-*-* 01:00:00',
  diff: 'Mon..Sat *-*-* 01:00:00',
  keep: 2,
  path: '/acme',
};
const web = testHost('web1', 21, ['app', 'cron', 'gevent', 'pgbouncer', 'redis']);
const db1 = testHost('db1', 31, ['pg-primary']);
const db2 = testHost('db2', 32, ['pg-standby']);
const plain = testCluster([web, db1, db2]).postgres;
const cluster = testCluster([web, db1, db2], { postgres: { ...plain, backup: WANTED } });
const CONFIG = '/etc/pgbackrest/pgbackrest.conf';
const SERVICE = '/etc/systemd/system/odoo-prov-backup@.service';

describe('a database host, with a bucket', () => {
  const all = wantedBy(pgPrimary, cluster, db1);

  it('speaks to the store itself', () => {
    expect(textAt(all, CONFIG))
      .toBe(`# Written by odoo-prov from the topology, which replaces changes made here.

[global]
repo1-type=s3
repo1-s3-endpoint=s3.example.net
repo1-s3-bucket=acme-backup
repo1-s3-region=eu-central-1
repo1-s3-uri-style=path
repo1-s3-key=secret-s3-key
repo1-s3-key-secret=secret-s3-secret
repo1-storage-port=9443
repo1-storage-ca-file=/etc/pgbackrest/s3-authority.crt
repo1-path=/acme
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

[global:archive-push]
archive-timeout=10

[acme]
pg1-path=/var/lib/postgresql/17/main
pg1-socket-path=/var/run/postgresql
`);
    expect(fileAt(all, CONFIG)).toMatchObject({ owner: 'postgres', mode: '0640' });
    expect(fileAt(all, CONFIG).content).toBeInstanceOf(Secret);
    expect(textAt(all, '/etc/pgbackrest/s3-authority.crt')).toBe(BUCKET.ca);
    const server = all.filter((one) => keyOf(one).includes('odoo-prov-pgbackrest'));
    // Nobody comes to this host: one that served a backup host before does so no more.
    expect(server).toMatchObject([{ running: false, enabled: false }]);
  });

  it('has no timers left when a host keeps the backups again', () => {
    const kept = testCluster([web, db1, testHost('backup1', 41, [])], {
      postgres: { ...plain, backup: { host: 'backup1', full: 'weekly', keep: 2, path: '/x' } },
    });
    const timers = wantedBy(pgPrimary, kept, db1).filter(({ id }) => id.endsWith('.timer'));
    expect(timers.map(keyOf)).toEqual([
      'unit:odoo-prov-backup-full.timer',
      'unit:odoo-prov-backup-diff.timer',
    ]);
    for (const timer of timers) expect(timer).toMatchObject({ running: false, enabled: false });
  });

  it('is checked by the authorities of Debian where none is given, on port 443 by default', () => {
    const other = testCluster([web, db1], {
      postgres: { ...plain, backup: { ...WANTED, s3: PUBLIC } },
    });
    const wanted = wantedBy(pgPrimary, other, db1);
    expect(textAt(wanted, CONFIG)).not.toContain('storage');
    expect(wanted.map(keyOf)).toContain('package:ca-certificates');
    expect(settingsOf(testSite(other, db1))['archive_command']).toContain(
      '/dev/tcp/acme-backup.s3.example.net/443',
    );
  });

  it('does not wait for a store that is away', () => {
    const reach = `timeout 3 bash -c ': </dev/tcp/s3.example.net/9443' && `;
    expect(settingsOf(testSite(cluster, db1))).toMatchObject({
      archive_command: `${reach}pgbackrest --stanza=acme archive-push %p`,
      restore_command: '/usr/lib/odoo-prov/fetch-wal %f "%p" acme s3.example.net 9443',
    });
  });

  it('has the same files and timers whatever its role, and a standby skips the backup', () => {
    const standby = wantedBy(pgStandby, cluster, db2);
    for (const path of [
      CONFIG,
      SERVICE,
      '/etc/systemd/system/odoo-prov-backup-full.timer',
      '/etc/systemd/system/odoo-prov-backup-diff.timer',
    ]) {
      expect(textAt(standby, path)).toBe(textAt(all, path));
    }
    expect(textAt(all, SERVICE)).toContain(
      `ExecCondition=/bin/sh -c '[ "$$(psql -XAtq -h /var/run/postgresql -d postgres -c "select pg_is_in_recovery()")" != t ]'\n`,
    );
  });

  it('asks the bucket after every change of what it is reached by', () => {
    const job = wantedBy(archive, cluster, db2).find(({ kind }) => kind === 'job') as JobResource;
    expect(job.newerThan).toEqual([CONFIG, '/etc/pgbackrest/s3-authority.crt']);
    const look = (row: string): unknown => kinds['job']?.parse(row, [job]).get(job.id);
    expect(look('inactive success old')).toEqual({ 'last run': 'before a change' });
    expect(look('inactive success yes')).toEqual({ 'last run': 'succeeded or under way' });
  });
});

describe('the place in the bucket', () => {
  it('is made by the primary alone', () => {
    expect(cluster.hosts.filter((host) => backup.on(host, cluster))).toEqual([db1]);
    expect(backup.configure(testSite(cluster, db1)).map(keyOf)).toEqual(['backupStanza:acme']);
  });

  it('has its history read before it is written, since nothing can be appended', () => {
    const text = addToHistory(WANTED, 'point\ta\t1\t0/1\t1').render();
    expect(text.indexOf('repo-get --raw')).toBeLessThan(text.indexOf('repo-put --raw'));
  });
});

describe('the copy of the secrets in a bucket', () => {
  it('is read with the key of the bucket alone, which is in no command line and does not stay', () => {
    const script = fetchRecoveryCopy(
      BUCKET,
      '/acme',
      (name) => new Secret(`secret-${name}`),
      (data) => renderTemplate(readTemplates().get('backup/pgbackrest.conf.hbs') ?? '', data),
    );
    const text = script.render();
    expect(script.hasSecrets).toBe(true);
    expect(text).not.toContain('secret-s3');
    const [config = '', authority = ''] = [...text.matchAll(/printf %s (\S+) \|/g)].map(
      ([, one = '']) => Buffer.from(one, 'base64').toString(),
    );
    expect(config).toContain('repo1-s3-key-secret=secret-s3-secret\n');
    expect(config).toContain('repo1-path=/acme\n');
    expect(config).not.toContain('cipher');
    expect(authority).toBe(BUCKET.ca);
    expect(text).toContain(`trap 'rm -rf /run/odoo-prov-recovery' EXIT`);
  });
});

describe('what a store says', () => {
  const said = (text: string): readonly (string | undefined)[] => {
    const failure = bucketFailure({ host: 'db1' }, text);
    return [failure?.details.message, failure?.details.remedy];
  };
  const answer = (status: string, code: string): string =>
    `ERROR: [039]: HTTP request failed with ${status}:\n*** Response Content ***:\n<Error><Code>${code}</Code></Error>`;

  it.each([
    ['403 (Forbidden)', 'InvalidAccessKeyId', 'does not know this key', 'set s3-key'],
    ['403 (Forbidden)', 'SignatureDoesNotMatch', 'secret does not fit', 's3-secret'],
    ['404 (Not Found)', 'NoSuchBucket', 'no such bucket', 'postgres.backup.s3.bucket'],
    ['400 (Bad Request)', 'AuthorizationHeaderMalformed', 'another region', 's3.region'],
    ['503', 'SlowDown', 'busy or broken', 'run it again'],
    ['400 (Bad Request)', 'InvalidRequest', 'refuses', 'postgres.backup.s3'],
  ])('%s %s', (status, code, message, remedy) => {
    const [seen, next] = said(answer(status, code));
    expect(seen).toContain(message);
    expect(next).toContain(remedy);
  });

  it('is known without a code, as HEAD is answered', () => {
    expect(said('HTTP request failed with 403 (Forbidden):')[0]).toContain('not let this key in');
  });

  it('is known from restic too', () => {
    const first = (why: string): string => `Fatal: unable to open config file: Stat: ${why}`;
    expect(said(first('Access Denied.'))[0]).toContain('not let this key in');
    for (const check of ['x509: ', 'tls: failed to verify certificate: x509: ']) {
      const text = first(
        `Head "https://s3.example.net:9443/acme/x": ${check}certificate is valid for`,
      );
      expect(said(text)[0]).toContain('at s3.example.net:9443, is not one to trust');
      expect(said(text.replace('9443', '8433'))).toEqual([undefined, undefined]);
    }
    expect(said('Fatal: wrong password or no key found')[1]).toContain('another path');
  });

  it('is not mistaken for what a host that keeps the repository says', () => {
    const wrong = (at: string): string => `unable to verify certificate presented by '${at}': [20]`;
    expect(said(wrong('s3.example.net:443'))[1]).toContain('postgres.backup.s3.ca');
    expect(said(wrong('198.51.100.61:8432'))).toEqual([undefined, undefined]);
    expect(said('ERROR: [056]: unable to find primary cluster')).toEqual([undefined, undefined]);
  });
});
