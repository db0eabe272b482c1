import { describe, expect, it } from 'vitest';
import { NEW_HOST_ROLES } from '../../playbooks/new-hosts-roles.js';
import {
  configureBareScript,
  holdsDataScript,
  restoreBareScript,
} from '../../src/postgres/new-host-script.js';
import { keyOf } from '../../src/resource/kind.js';
import { testCluster, testHost } from '../support/site.js';
import { wantedBy } from '../support/wanted.js';

const web = testHost('web1', 21, ['app', 'cron', 'gevent']);
const db = testHost('db1', 31, ['pg-primary']);
const standby = testHost('db2', 32, ['pg-standby']);
const keeper = testHost('backup1', 61, []);
const { postgres } = testCluster([web, db]);
const backup = { host: 'backup1', full: 'weekly', filestore: 'hourly', keep: 2, path: '/srv/b' };
const cluster = testCluster([web, db, standby, keeper], { postgres: { ...postgres, backup } });

describe('what bare hosts get before data comes back', () => {
  const of = (name: string) => {
    const role = NEW_HOST_ROLES.find((each) => each.name === name);
    if (role === undefined) throw new Error(name);
    const host = cluster.hosts.find((each) => role.on(each, cluster));
    return { host, keys: host === undefined ? [] : wantedBy(role, cluster, host).map(keyOf) };
  };

  it('is PostgreSQL’s packages and the way to the repository, and no cluster that is empty', () => {
    const { host, keys } = of('pg-primary');
    expect(host?.name).toBe('db1');
    expect(keys).toContain('package:postgresql-17');
    expect(keys).toContain('file:/etc/pgbackrest/pgbackrest.conf');
    expect(keys.filter((key) => key.startsWith('postgres'))).toEqual([]);
    expect(keys.filter((key) => key.startsWith('unit:'))).toEqual([
      'unit:odoo-prov-pgbackrest.service',
    ]);
  });

  it('is also the way to snapshots in a bucket, and nothing that removes them', () => {
    const s3 = {
      endpoint: 's3.test',
      port: 443,
      bucket: 'b',
      region: 'r',
      uriStyle: 'path',
    } as const;
    const { full, filestore, keep, path } = backup;
    const wanted = { s3, full, filestore, keep, path };
    const bucket = testCluster([web, db], { postgres: { ...postgres, backup: wanted } });
    const role = NEW_HOST_ROLES.find(({ name }) => name === 'pg-primary');
    const keys = role === undefined ? [] : wantedBy(role, bucket, db).map(keyOf);
    expect(keys).toContain('package:restic');
    expect(keys).toContain('file:/usr/lib/odoo-prov/filestore-repository');
    expect(keys.filter((key) => /^unit:.*filestore/.test(key))).toEqual([]);
  });

  it('is Odoo’s user, its folders and restic, and no snapshot of the empty filestore', () => {
    const { host, keys } = of('odoo');
    expect(host?.name).toBe('web1');
    expect(keys).toContain('user:odoo');
    expect(keys).toContain('directory:/var/lib/odoo/filestore');
    expect(keys).toContain('file:/usr/lib/odoo-prov/filestore-restore');
    expect(keys.filter((key) => /^(unit|job|package:odoo)/.test(key))).toEqual([]);
  });
});

describe('the database on a bare host', () => {
  it('replaces only what a cut restore of this kind left', () => {
    const text = restoreBareScript(17, ['pgbackrest', 'restore'], 1000).render();
    const marked = text.indexOf('rm -rf /var/lib/postgresql/17/main');
    expect(text.lastIndexOf('if [ -e /var/lib/odoo-prov/restoring-to-new-host ]', marked)).toBe(
      text.indexOf('if [ -e /var/lib/odoo-prov/restoring-to-new-host ]'),
    );
    expect(text).toContain('holds a database');
    expect(holdsDataScript().render()).toContain(
      '[ ! -e /var/lib/odoo-prov/restoring-to-new-host ]',
    );
  });

  it('archives its new timeline, and lets nobody else in before apply', () => {
    const text = configureBareScript(17, 'acme').render();
    expect(text).toContain("archive_command = 'pgbackrest --stanza=acme archive-push %p'");
    expect(text).toContain('max_locks_per_transaction = $(control max_locks_per_xact)');
    expect(text).toContain(`echo 'local all postgres peer' >"$conf/pg_hba.conf"`);
  });
});
