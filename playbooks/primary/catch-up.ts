import { bytesText, lsnText, type Choice } from '../../src/postgres/promotion.js';
import { raw } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

/** Seconds for WAL that is less than `max_lag`; a standby looks for another source within two. */
const CATCH_UP_SECONDS = 15;

/**
 * Lets the standby that is to be promoted fetch first what another one received and it did not: that would be lost, commits
 * among it for which somebody waited, and the other one could not follow. It follows that one for a moment, by ALTER SYSTEM:
 * where this is cut, `apply` takes it back. Where it does not come in time the promotion goes on without, as users wait.
 */
export async function catchUp(mover: Mover, { candidate, most, behind }: Choice): Promise<void> {
  if (behind === 0n || !most.running) return;
  const source = mover.cluster.hosts.find(({ name }) => name === most.host);
  if (source === undefined) throw new Error(`${most.host} is not in the inventory`);
  const script = raw(`${SQL_FUNCTION}
sql >/dev/null <<'EOF'
select format('alter system set primary_conninfo = %L', regexp_replace(regexp_replace(
  current_setting('primary_conninfo'), 'host=[^ ]+', 'host=${source.address}'),
  'target_session_attrs=[^ ]+', 'target_session_attrs=any')) \\gexec
select pg_reload_conf();
EOF
end=$(($(date +%s) + ${CATCH_UP_SECONDS}))
until [ "$(echo "select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) >= '${lsnText(most.lsn)}'" | sql)" = t ]; do
  if [ "$(date +%s)" -ge "$end" ]; then echo late; break; fi
  sleep 0.1
done
printf '%s\\n' 'alter system reset primary_conninfo;' 'select pg_reload_conf();' | sql >/dev/null`);
  const said = await step(mover, candidate.host, `fetch from ${most.host}`, script, 60);
  const amount = `${bytesText(behind)} of WAL that only ${most.host} had`;
  mover.tell(
    candidate.host,
    said === 'late'
      ? `could not fetch ${amount} within ${CATCH_UP_SECONDS} s, and goes on without`
      : `fetched ${amount}`,
  );
}
