import { Failure } from '../../src/failure/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import {
  bytesText,
  hasStandby,
  lsnText,
  moreFirst,
  type Choice,
  type Sight,
} from '../../src/postgres/promotion.js';
import { raw } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

/** Seconds for WAL that is less than `max_lag`; a standby looks for another source within two. */
export const CATCH_UP_SECONDS = 15;

/**
 * Lets the standby that is to be promoted fetch first what another one received and it did not: that would be lost, commits
 * among it for which somebody waited, and the other one could not follow. It follows that one for a moment, by ALTER SYSTEM:
 * where this is cut, `apply` takes it back.
 *
 * Where it does not come, the promotion goes on without, as users wait, and says so. Not where commits waited for a standby that
 * has more: somebody was told that they are saved.
 * @returns those that have more than it all the same, and so cannot follow it
 * @throws Failure where commits that were acknowledged would be lost; nobody was promoted
 */
export async function catchUp(
  mover: Mover,
  { candidate, others }: Choice,
): Promise<readonly Sight[]> {
  const ahead = others.filter(({ lsn }) => lsn > candidate.lsn).sort(moreFirst);
  const [most] = ahead;
  if (most === undefined) return [];
  const source = mover.cluster.hosts.find(({ name }) => name === most.host);
  if (source === undefined) throw new Error(`${most.host} is not in the inventory`);
  const why = await fetch(mover, candidate, most, source.address);
  if (why === undefined) {
    mover.tell(candidate.host, `fetched ${amountOf(candidate, most)}`);
    return [];
  }
  const waitedFor = ahead.find((one) => mayHaveAcknowledged(mover.cluster, one));
  if (waitedFor !== undefined) throw notFetched(candidate, waitedFor, most, why);
  const rejoin = ahead.map(({ host }) => `\`odoo-prov rejoin FILE --host ${host}\``).join(', ');
  mover.tell(
    candidate.host,
    `could not fetch ${amountOf(candidate, most)} (${why}), and goes on without: what was saved in it is lost; ${ahead.map(({ host }) => host).join(', ')} cannot follow, and ${rejoin} saves the rows that only it has`,
  );
  return ahead;
}

function amountOf(candidate: Sight, most: Sight): string {
  return `${bytesText(most.lsn - candidate.lsn)} of WAL that only ${most.host} had`;
}

/** @returns why it could not be fetched; undefined where it was */
async function fetch(
  mover: Mover,
  candidate: Sight,
  most: Sight,
  address: string,
): Promise<string | undefined> {
  const script = raw(`${SQL_FUNCTION}
export PGCONNECT_TIMEOUT=5 PGOPTIONS='-c statement_timeout=5000'
${fetchFrom(address, lsnText(most.lsn), CATCH_UP_SECONDS)}`);
  try {
    const what = `fetch from ${most.host}`;
    const said = await step(mover, candidate.host, what, script, CATCH_UP_SECONDS + 15);
    return said === 'late' ? `not within ${String(CATCH_UP_SECONDS)} s` : undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.details.output?.trim().split('\n').at(-1) ?? error.message;
  }
}

/**
 * Shell that needs `sql`: has the standby receive from there until it has the WAL up to this point, and then from its primary
 * again, whatever comes of it. Prints `late` where that took longer.
 */
export function fetchFrom(address: string, lsn: string, seconds: number): string {
  return `trap 'printf "%s\\n" "alter system reset primary_conninfo;" "select pg_reload_conf();" | sql >/dev/null || :' EXIT
sql >/dev/null <<'EOF'
select format('alter system set primary_conninfo = %L', regexp_replace(regexp_replace(
  current_setting('primary_conninfo'), 'host=[^ ]+', 'host=${address}'),
  'target_session_attrs=[^ ]+', 'target_session_attrs=any')) \\gexec
select pg_reload_conf();
EOF
end=$(($(date +%s) + ${String(seconds)}))
until [ "$(echo "select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) >= '${lsn}'" | sql)" = t ]; do
  if [ "$(date +%s)" -ge "$end" ]; then echo late; break; fi
  sleep 0.1
done`;
}

/** With synchronous replication one standby's word was enough for a commit; nobody waits for a replica. */
function mayHaveAcknowledged(cluster: Cluster, one: Sight): boolean {
  return cluster.postgres.replication.synchronous !== 'off' && hasStandby(cluster, [one]);
}

/** @param waitedFor has commits that only its word may have let through; not always the one that has most */
function notFetched(candidate: Sight, waitedFor: Sight, most: Sight, why: string): Failure {
  return new Failure({
    reason: 'command-failed',
    host: candidate.host,
    message: `could not fetch ${amountOf(candidate, most)}: commits that were acknowledged may be among it. Nobody was promoted, and clients are held back`,
    expected: `all that ${waitedFor.host} has: with synchronous replication its word was enough for a commit`,
    found: why,
    remedy: `\`odoo-prov failover FILE --to ${waitedFor.host}\` promotes the one that has it; or mend the way from ${candidate.host} to ${most.host}, and run the same again`,
  });
}
