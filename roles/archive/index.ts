import { savesInBucket } from '../../src/filestore/layout.js';
import { bucketPruning } from '../../src/filestore/prune.js';
import { databaseHosts, type Cluster } from '../../src/inventory/cluster.js';
import { pgbackrestFiles, stanzaOf } from '../../src/postgres/pgbackrest.js';
import { aptPackage, check, file, job } from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

/** The check that what is written arrives in the archive. */
export const WAL_ARCHIVED = 'wal-archived';

/** Segments that may wait: more than a busy minute's, and a repository that is away shows soon. */
const WAITING = 64;

/**
 * `ok`, or why not, from what the server itself counts: one query, no connection to the repository. The
 * archiver forgets a failure only when it succeeds with the next segment.
 */
const QUERY = `select case
  when pg_is_in_recovery() then 'ok'
  when last_failed_time > coalesce(last_archived_time, '-infinity')
    then 'archiving fails since ' || to_char(last_failed_time at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
      || ', at ' || last_failed_wal
  when (select count(*) from pg_ls_archive_statusdir() where name like '%.ready') > ${String(WAITING)}
    then 'more than ${String(WAITING)} segments wait to be archived'
  else 'ok' end from pg_stat_archiver`;

/** Whether what a database host writes is really archived. After the repository is there, and in every look. */
export const archive: RoleDefinition = {
  name: 'archive',
  summary:
    'each database host: that its WAL reaches the repository; with a bucket, removal of old snapshots of the filestore',
  after: ['pg-primary', 'pg-standby', 'pg-replica', 'backup'],
  on: (host, cluster) =>
    cluster.postgres.backup !== undefined && databaseHosts(cluster).includes(host),

  install: ({ cluster }) => (savesInBucket(cluster) ? [aptPackage({ name: 'restic' })] : []),

  configure: (site) => [
    ...bucketCheck(site),
    ...bucketPruning(site),
    check({
      name: WAL_ARCHIVED,
      command:
        `cd / && echo "${QUERY.replaceAll('"', '\\"').replaceAll(/\n */g, ' ')}" | ` +
        'setpriv --reuid=postgres --regid=postgres --init-groups psql -XAtq -h /var/run/postgresql -d postgres 2>&1',
      expect: 'ok',
      within: 150,
      describes: `WAL is archived ${place(site.cluster)} (see /var/log/pgbackrest/ here)`,
    }),
  ],
};

function place({ postgres: { backup } }: Cluster): string {
  return backup?.s3 === undefined
    ? `on ${backup?.host ?? ''}`
    : `in the bucket ${backup.s3.bucket}`;
}

const CHECK_UNIT = 'odoo-prov-archive-check.service';
const CHECKED = '/var/lib/odoo-prov-archive/checked';

/**
 * With a bucket, each database host must reach it by itself: asked after every change of what it is reached by. With a
 * keeper, that is asked there.
 */
function bucketCheck(site: Site): readonly Resource[] {
  const { cluster } = site;
  if (cluster.postgres.backup?.s3 === undefined) return [];
  return [
    file({
      path: `/etc/systemd/system/${CHECK_UNIT}`,
      content: site.template('backup/check.service.hbs', {
        cluster: cluster.name,
        stanza: stanzaOf(cluster),
        stamp: CHECKED,
      }),
    }),
    job({
      unit: CHECK_UNIT,
      stamp: CHECKED,
      newerThan: pgbackrestFiles(site),
      within: 300,
      describes: 'the look at the bucket',
    }),
  ];
}
