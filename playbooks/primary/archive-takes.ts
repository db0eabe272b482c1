import { Failure } from '../../src/failure/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { archiveErrorSql, noRoomSql } from '../../src/postgres/archive-failure.js';
import { repositoryOf } from '../../src/postgres/pgbackrest.js';
import { raw, type Script } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

/** Seconds for a segment to reach the archive, and all that wait before it. */
const SECONDS = 10;
/** Seconds for all of {@link proveArchive}. */
export const PROVE_LIMIT = SECONDS + 20;

/**
 * Ends the segment of WAL that is being written, and waits until it is archived. A message that nobody reads is written before:
 * an idle server would have nothing to end, and nothing would be proved. The archiver goes in the order of the WAL, so what
 * waited before is archived then as well.
 *
 * Prints nothing where it is archived; else how many segments wait, since when (seconds since 1970), which one it was, and what
 * the archiver counts.
 */
export function proveArchive(cluster: Cluster): Script {
  return raw(`${SQL_FUNCTION}
status="$data/pg_wal/archive_status"
segment=$(sql <<'EOF'
set synchronous_commit = local;
do $$ begin perform pg_logical_emit_message(false, 'odoo-prov', 'switchover'); end $$;
select pg_walfile_name(pg_switch_wal());
EOF
)
until=$(($(date +%s) + ${String(SECONDS)}))
while [ -e "$status/$segment.ready" ]; do
  if [ "$(date +%s)" -ge "$until" ]; then
    oldest=$(ls -tr "$status" | grep '\\.ready$' | head -n 1)
    [ -n "$oldest" ] || exit 0
    echo "$(ls "$status" | grep -c '\\.ready$') $(stat -c %Y "$status/$oldest") $segment"
    sql <<'EOF'
select case when last_failed_time is null then 'none is counted'
  else last_failed_wal || ' at ' || to_char(last_failed_time at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
  || coalesce(': ' || ${noRoomSql('error', cluster)} || error, '') end
from (select *, ${archiveErrorSql(cluster)} as error from pg_stat_archiver) archiver;
EOF
    exit 0
  fi
  sleep 0.1
done`);
}

/**
 * Proves that the archive takes a primary's WAL now. A server that is stopped hands its last WAL over before it ends, and clients
 * are held back for that time: for most of a minute where the archive takes connections and says nothing.
 * Nothing is done where the inventory has no archive.
 * @throws Failure refused, with what waits and what the archiver says
 */
export async function requireArchive(mover: Mover, host: string): Promise<void> {
  const { cluster } = mover;
  if (cluster.postgres.backup === undefined) return;
  const said = await step(
    mover,
    host,
    'see whether the archive takes WAL',
    proveArchive(cluster),
    PROVE_LIMIT,
  );
  if (said === '') {
    mover.tell(host, 'the archive takes its WAL');
    return;
  }
  throw archiveRefuses(cluster, host, said, {
    why: 'clients would be held back while PostgreSQL, before it stops, tries to hand over the last of it',
    otherwise: `. --force moves all the same, and clients wait as long as the stop takes: up to 90 s, then ${host} takes writes again`,
  });
}

/**
 * What is refused where the archive does not take a primary's WAL.
 * @param said by {@link proveArchive}
 * @param words `why`: what would come of it; `otherwise`: what else there is to do, behind the rest
 */
export function archiveRefuses(
  cluster: Cluster,
  host: string,
  said: string,
  { why, otherwise = '' }: { readonly why: string; readonly otherwise?: string },
): Failure {
  const [first = '', failure = ''] = said.split('\n');
  const [count = '', since = '', segment = ''] = first.split(' ');
  const time = new Date(Number(since) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const waiting = count === '1' ? '1 segment waits' : `${count} segments wait`;
  const { backup, host: keeper } = repositoryOf(cluster);
  const where =
    backup.s3 === undefined ? `the archive on ${keeper.name}` : `the bucket ${backup.s3.bucket}`;
  return new Failure({
    reason: 'refused',
    host,
    message: `${where} does not take its WAL: ${why}; nothing was changed`,
    expected: `segment ${segment} archived within ${String(SECONDS)} s`,
    found: `${waiting}, the oldest since ${time} UTC; the archiver's last failure: ${failure}`,
    remedy: `mend the archive: \`odoo-prov status FILE\` shows it, and /var/log/pgbackrest/ on ${host} says more; then run this again${otherwise}`,
  });
}
