import { describe, expect, it } from 'vitest';
import { archive } from '../../roles/archive/index.js';
import { backup } from '../../roles/backup/index.js';
import { filestoreBackup } from '../../roles/filestore-backup/index.js';
import {
  parseAdded,
  parseSnapshots,
  restoreFilesScript,
  snapshotsFor,
} from '../../src/filestore/snapshots.js';
import type { Cluster, S3Bucket } from '../../src/inventory/cluster.js';
import { kinds } from '../../src/resource/index.js';
import { keyOf } from '../../src/resource/kind.js';
import { Secret } from '../../src/shell/index.js';
import { testCluster, testHost, testSite } from '../support/site.js';
import { fileAt, textAt, wantedBy } from '../support/wanted.js';

const PLAIN = { host: 'backup1', full: 'Sun *-*-* 01:00:00', keep: 2, path: '/srv/backups' };
const WANTED = { ...PLAIN, filestore: 'hourly' };
const web = testHost('web1', 21, ['app', 'cron', 'gevent']);
const second = testHost('web2', 22, ['app', 'cron', 'gevent']);
const db = testHost('db1', 31, ['pg-primary']);
const keeper = testHost('backup1', 61, []);
const { postgres } = testCluster([web, db]);
const hosts = [db, web, second, keeper];
const local = testCluster(hosts, { postgres: { ...postgres, backup: WANTED } });
const shared = { ...local, filestore: { type: 'posix', path: '/srv/odoo' } } as const;
const off = testCluster(hosts, { postgres: { ...postgres, backup: PLAIN } });
const CLIENT = '/etc/odoo-prov-filestore/client';
const SERVER = '/etc/odoo-prov-filestore/server';

describe('the host that saves the filestore', () => {
  const all = wantedBy(filestoreBackup, local, web);

  it('is the first app host, and none where it is not saved', () => {
    expect(hosts.filter((host) => filestoreBackup.on(host, local))).toEqual([web, second]);
    expect(hosts.filter((host) => filestoreBackup.on(host, testCluster(hosts)))).toEqual([]);
    const jobs = (cluster: Cluster): readonly string[] =>
      [web, second]
        .filter((host) => wantedBy(filestoreBackup, cluster, host).some((r) => r.kind === 'job'))
        .map(({ name }) => name);
    expect(jobs(local)).toEqual(['web1']);
    expect(jobs(off)).toEqual([]);
    // The first one is replaced.
    expect(jobs({ ...local, hosts: [db, second, web, keeper] })).toEqual(['web2']);
  });

  it('is no other: what was one saves no more, and has nothing left to reach snapshots by', () => {
    for (const [cluster, host] of [[local, second] as const, [off, web] as const]) {
      expect(wantedBy(filestoreBackup, cluster, host).map((r) => keyOf(r))).toEqual([
        'unit:odoo-prov-filestore-backup.timer',
        `file:${CLIENT}/access`,
        `file:${CLIENT}/password`,
        `file:${CLIENT}/identity.pem`,
      ]);
      expect(wantedBy(filestoreBackup, cluster, host)).toMatchObject([
        { running: false, enabled: false },
        ...Array.from({ length: 3 }, () => ({ ensure: 'absent' })),
      ]);
    }
  });

  it('knows where to, and has a password that only a group of its own may read', () => {
    expect(textAt(all, `${CLIENT}/access`))
      .toBe(`# Written by odoo-prov, which replaces changes made here.
# Where the snapshots of the filestore are, and what restic reaches them by.
RESTIC_REPOSITORY=rest:https://198.51.100.61:8433/
RESTIC_PASSWORD_FILE=${CLIENT}/password
OPTIONS='--cacert ${CLIENT}/authority.crt --tls-client-cert ${CLIENT}/identity.pem --cache-dir /var/cache/odoo-prov-filestore'
`);
    for (const name of ['password', 'identity.pem']) {
      const file = fileAt(all, `${CLIENT}/${name}`);
      expect(file).toMatchObject({ owner: 'root', group: 'odoo-prov-backup', mode: '0640' });
      expect(file.content).toBeInstanceOf(Secret);
    }
    expect(textAt(all, `${CLIENT}/identity.pem`)).toMatch(
      /^-----BEGIN PRIVATE KEY-----\n[^]*-----BEGIN CERTIFICATE-----\n/,
    );
  });

  it('refuses to save an empty folder where the shared filestore is not mounted', () => {
    expect(textAt(all, `${CLIENT}/environment`)).toContain('\nMARKER=\n');
    const text = textAt(wantedBy(filestoreBackup, shared, web), `${CLIENT}/environment`);
    expect(text).toContain('\nMARKER=/srv/odoo/filestore/.odoo-prov-acme\n');
    expect(text).toContain('\nATTACHMENTS=/srv/odoo/filestore/acme\n');
  });

  it('runs as Odoo’s user, by a timer, and ends with a snapshot that works', () => {
    const unit = textAt(all, '/etc/systemd/system/odoo-prov-filestore-backup.service');
    expect(unit).toContain('\nUser=odoo\n');
    // Who is in Odoo's group first may not look into a process of another.
    expect(unit).toContain('\nGroup=odoo-prov-backup\nSupplementaryGroups=odoo\n');
    expect(textAt(all, '/etc/systemd/system/odoo-prov-filestore-backup.timer')).toContain(
      '\nOnCalendar=hourly\n',
    );
    const last = all.at(-1);
    expect(last && keyOf(last)).toBe('job:odoo-prov-filestore-backup.service');
    expect(kinds['job']?.confirms).toBe(true);
  });
});

describe('the host that keeps the snapshots', () => {
  const all = wantedBy(backup, local, keeper);

  it('takes them in over TLS from who has a certificate, and lets them add only', () => {
    const unit = textAt(all, '/etc/systemd/system/odoo-prov-filestore-server.service');
    expect(unit).toContain(
      `ExecStart=/usr/bin/rclone serve restic --append-only --addr 198.51.100.61:8433 --cert ${SERVER}/host.crt --key ${SERVER}/host.key --client-ca ${SERVER}/authority.crt /srv/backups/filestore\n`,
    );
    expect(unit).toContain('\nUser=odoo-prov-backup\n');
    expect(textAt(all, `${SERVER}/authority.crt`)).toBe(
      textAt(wantedBy(filestoreBackup, local, web), `${CLIENT}/authority.crt`),
    );
  });

  it('has an authority that pgBackRest’s hosts do not know', () => {
    expect(textAt(all, `${SERVER}/authority.crt`)).not.toBe(
      textAt(all, '/etc/pgbackrest/tls/authority.crt'),
    );
  });

  it('stops all of it where the filestore is not saved any more', () => {
    const units = wantedBy(backup, off, keeper).filter(({ id }) => id.includes('filestore'));
    expect(units.map(keyOf)).toEqual([
      'unit:odoo-prov-filestore-server.service',
      'unit:odoo-prov-filestore-prune.timer',
    ]);
    expect(units.every((each) => 'running' in each && each.running === false)).toBe(true);
    expect(backup.install(testSite(off, keeper)).map(keyOf)).toEqual(['package:pgbackrest']);
  });
});

describe('a bucket, in the place of a host', () => {
  const s3 = {
    endpoint: 's3.example.net',
    port: 9443,
    bucket: 'acme-backup',
    region: 'eu-central-1',
    uriStyle: 'path',
    ca: '-----BEGIN CERTIFICATE-----\n',
  } as const;
  const { path } = PLAIN;
  const standby = testHost('db2', 32, ['pg-standby']);
  const withBucket = (bucket: S3Bucket, filestore?: string): Cluster => {
    const wanted = { s3: bucket, full: PLAIN.full, keep: 2, path, ...(filestore && { filestore }) };
    return testCluster([...hosts, standby], { postgres: { ...postgres, backup: wanted } });
  };
  const bucket = withBucket(s3, 'hourly');
  const UNIT = '/etc/systemd/system/odoo-prov-filestore-prune.service';

  it('is reached by the app host itself, with a key that only the backup’s unit may read', () => {
    const client = wantedBy(filestoreBackup, bucket, web);
    const access = fileAt(client, `${CLIENT}/access`);
    expect(access).toMatchObject({ owner: 'root', group: 'odoo-prov-backup', mode: '0640' });
    expect(access.content).toBeInstanceOf(Secret);
    expect(textAt(client, `${CLIENT}/access`))
      .toBe(`# Written by odoo-prov, which replaces changes made here.
# Where the snapshots of the filestore are, and what restic reaches them by.
RESTIC_REPOSITORY=s3:https://s3.example.net:9443/acme-backup/srv/backups/filestore
RESTIC_PASSWORD_FILE=${CLIENT}/password
OPTIONS='-o s3.bucket-lookup=path -o s3.region=eu-central-1 --cacert ${CLIENT}/authority.crt --cache-dir /var/cache/odoo-prov-filestore'
AWS_ACCESS_KEY_ID=secret-s3-key
AWS_SECRET_ACCESS_KEY=secret-s3-secret
`);
    expect(textAt(client, `${CLIENT}/authority.crt`)).toBe(s3.ca);
    expect(client.find(({ id }) => id === `${CLIENT}/identity.pem`)).toMatchObject({
      ensure: 'absent',
    });
    const secrets = client.filter((r) => 'content' in r && r.content instanceof Secret);
    expect(secrets.map(({ id }) => id)).toEqual([`${CLIENT}/password`, `${CLIENT}/access`]);
  });

  it('takes the system’s authorities and the bucket before the endpoint where it is told so', () => {
    const { ca, ...trusted } = s3;
    const other = withBucket({ ...trusted, port: 443, uriStyle: 'host' }, 'hourly');
    const text = textAt(wantedBy(filestoreBackup, other, web), `${CLIENT}/access`);
    expect(ca).toBeDefined();
    expect(text).toContain('=s3:https://s3.example.net/acme-backup/srv/backups/filestore\n');
    expect(text).toContain(
      `OPTIONS='-o s3.bucket-lookup=dns -o s3.region=eu-central-1 --cache-dir`,
    );
  });

  it('is cleared of old snapshots by whichever database host is the primary', () => {
    const [one, two] = [wantedBy(archive, bucket, db), wantedBy(archive, bucket, standby)];
    expect(one).toEqual(two);
    expect(one.map((r) => keyOf(r))).toContain('package:restic');
    expect(one.map((r) => keyOf(r))).toContain('unit:odoo-prov-filestore-prune.timer');
    expect(textAt(one, UNIT)).toMatch(
      /^ExecCondition=.* in f\) ;; t\) exit 1 ;; \*\) exit 255 ;; /m,
    );
    expect(textAt(one, `${SERVER}/access`)).toContain('AWS_SECRET_ACCESS_KEY=secret-s3-secret\n');
    expect(textAt(wantedBy(backup, local, keeper), UNIT)).not.toContain('ExecCondition');
    expect(textAt(wantedBy(backup, local, keeper), `${SERVER}/access`)).toContain(
      "RESTIC_REPOSITORY=/srv/backups/filestore\nRESTIC_PASSWORD_FILE=/etc/odoo-prov-filestore/server/password\nOPTIONS='--no-cache'\n",
    );
  });

  it('leaves no timer and no key on database hosts when it is not used any more', () => {
    for (const cluster of [local, off, withBucket(s3)]) {
      const left = wantedBy(archive, cluster, db).filter(({ id }) => id.includes('filestore'));
      expect(left.map((r) => keyOf(r))).toEqual([
        'unit:odoo-prov-filestore-server.service',
        'unit:odoo-prov-filestore-prune.timer',
        `file:${SERVER}/access`,
        `file:${SERVER}/password`,
      ]);
      for (const one of left.slice(0, 2))
        expect(one).toMatchObject({ running: false, enabled: false });
    }
    const both = { ...WANTED, host: 'db1' };
    const same = testCluster(hosts, { postgres: { ...postgres, backup: both } });
    expect(wantedBy(archive, same, db).filter(({ id }) => id.includes('filestore'))).toEqual([]);
  });
});

describe('snapshots', () => {
  const id = (text: string): string => text.repeat(64);
  const all = parseSnapshots(`100 ${id('a')}\n200 ${id('b')}\n300 ${id('c')}\n`);
  const chosen = (at: number | undefined): readonly number[] =>
    snapshotsFor(all, at).map((one) => one.at);

  it('are read from a line each, and nothing else is taken for one', () => {
    expect(all.map(({ at }) => at)).toEqual([100, 200, 300]);
    expect(parseSnapshots('')).toEqual([]);
    expect(() => parseSnapshots('Fatal: wrong password')).toThrow('no snapshot: Fatal');
  });

  it('of a moment are the last before and the first after', () => {
    expect(chosen(250)).toEqual([200, 300]);
    expect(chosen(200)).toEqual([200, 300]);
    expect(chosen(50)).toEqual([100]);
    expect(chosen(1000)).toEqual([300]);
    expect(chosen(undefined)).toEqual([300]);
    expect(snapshotsFor([], 5)).toEqual([]);
  });

  it('are brought back by the program of the host', () => {
    const text = restoreFilesScript(all).render();
    expect(text).toContain(`/usr/lib/odoo-prov/filestore-restore ${id('a')} ${id('b')} ${id('c')}`);
    expect(parseAdded('added 3 of 10\nadded 0 of 12\n')).toEqual({ added: 3, known: 12 });
    expect(parseAdded('')).toEqual({ added: 0, known: 0 });
  });
});

describe('job', () => {
  const wanted = wantedBy(filestoreBackup, local, web).filter(({ kind }) => kind === 'job');
  const look = (text: string): unknown =>
    kinds['job']?.parse(`${text}\n`, wanted).get(wanted[0]?.id ?? '');

  it('is well when it succeeded once and did not fail last, or is under way', () => {
    const well = { 'last run': 'succeeded or under way' };
    expect(look('inactive success yes')).toEqual(well);
    expect(look('activating success no')).toEqual(well);
    expect(look('inactive success no')).toEqual({ 'last run': 'never' });
    expect(look('failed exit-code yes')).toEqual({ 'last run': 'failed' });
  });
});
