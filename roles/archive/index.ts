import { savesInBucket } from '../../src/filestore/layout.js';
import { bucketPruning } from '../../src/filestore/prune.js';
import { databaseHosts, type Cluster } from '../../src/inventory/cluster.js';
import { archiveErrorSql, noRoomOn, noRoomSql } from '../../src/postgres/archive-failure.js';
import { pgbackrestFiles, stanzaOf } from '../../src/postgres/pgbackrest.js';
import { aptPackage, check, file, job } from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

/** The check that what is written arrives in the archive. */
export const WAL_ARCHIVED = 'wal-archived';

/** Segments that may wait: more than a busy minute's, and a repository that is away shows soon. */
const WAITING = 64;

/** What the check finds where waiting is of no use: nobody makes room meanwhile. A bucket is never full. */
function hopeless({ postgres: { backup } }: Cluster): { readonly hopeless?: string } {
  if (backup?.host === undefined || backup.s3 !== undefined) return {};
  return { hopeless: `${noRoomOn(backup.host, backup.path)}[:,] *` };
}

/** What waits longest waits since the first failure, or since the last success. */
const SINCE = `greatest(last_archived_time, coalesce((select min(modification)
  from pg_ls_archive_statusdir() where name like '%.ready'), last_failed_time))`;

function utc(time: string, format: string): string {
  return `to_char(${time} at time zone 'UTC', '${format}')`;
}

/**
 * `ok`, or why not, from what the server itself counts: one query, no connection to the repository. The
 * archiver forgets a failure only when it succeeds with the next segment.
 */
const query = (cluster: Cluster): string => `select case
  when pg_is_in_recovery() then 'ok'
  when last_failed_time > coalesce(last_archived_time, '-infinity')
    then ${noRoomSql('error', cluster)}
      || 'archiving fails since ' || ${utc(SINCE, 'YYYY-MM-DD HH24:MI "UTC"')}
      || ', last at ' || ${utc('last_failed_time', 'HH24:MI:SS')} || ': ' || coalesce(error, last_failed_wal)
  when (select count(*) from pg_ls_archive_statusdir() where name like '%.ready') > ${String(WAITING)}
    then 'more than ${String(WAITING)} segments wait to be archived'
  else 'ok' end from (select *, ${archiveErrorSql(cluster)} as error from pg_stat_archiver) archiver`;

/** Ends a segment, so that the archiver tries again at once: after a failure it rests for a minute. */
const TRY_AGAIN = `set synchronous_commit = local;
select pg_logical_emit_message(false, 'odoo-prov', 'archive') where not pg_is_in_recovery();
select pg_switch_wal() where not pg_is_in_recovery()`;

/** Shell: a query to the server of the host. */
function psql(sql: string): string {
  return (
    `cd / && printf '%s\\n' "${sql.replaceAll(/["\\$`]/g, '\\$&').replaceAll(/\n */g, ' ')}" | ` +
    'setpriv --reuid=postgres --regid=postgres --init-groups psql -XAtq -h /var/run/postgresql -d postgres 2>&1'
  );
}

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
      command: psql(query(site.cluster)),
      expect: 'ok',
      within: 150,
      again: psql(TRY_AGAIN),
      ...hopeless(site.cluster),
      describes: `WAL is archived ${place(site.cluster)} (see /var/log/pgbackrest/ here)`,
    }),
  ],
};

function place({ postgres: { backup } }: Cluster): string {
  return backup?.s3 === undefined
    ? `on ${backup?.host ?? ''} in ${backup?.path ?? ''}`
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
