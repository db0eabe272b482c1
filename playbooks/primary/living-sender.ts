import { finishAll } from '../../src/concurrency/finish-all.js';
import { Failure } from '../../src/failure/failure.js';
import { databaseHosts, type Cluster } from '../../src/inventory/cluster.js';
import type { Sight } from '../../src/postgres/promotion.js';
import { lines, raw, sh, type Script } from '../../src/shell/index.js';
import type { Session } from '../../src/transport/session.js';
import { SQL_FUNCTION } from './sight.js';

/**
 * Prints whom a standby receives from, where it is none of those and takes connections. That the receiver counts as streaming
 * is not enough: it does so for up to 20 s (`wal_receiver_timeout`) after the primary lost its power, and may hear nothing
 * for 10 s from one that is well and idle. So its sender is asked, which answers at once; one that is frozen does not.
 */
function askSender(seen: readonly string[]): Script {
  return lines([
    raw(SQL_FUNCTION),
    sh`
export PGCONNECT_TIMEOUT=2 PGOPTIONS='-c statement_timeout=2000'
sender=$(echo "select sender_host, sender_port from pg_stat_wal_receiver where status = 'streaming'" | sql) || exit 0
set -- $sender
[ $# -eq 2 ] || exit 0
case ${` ${seen.join(' ')} `} in *" $1 "*) exit 0 ;; esac
if timeout 2 "$bin/pg_isready" -q -h "$1" -p "$2"; then echo "sender $1"; fi`,
  ]);
}

/**
 * Refuses to go on while a standby receives from a primary that lives and was not seen: SSH does not get there, or it is not in
 * the inventory.
 * @param sights of which none is writable
 * @throws Failure refused
 */
export async function requireNoLivingSender(
  cluster: Cluster,
  sessions: ReadonlyMap<string, Session>,
  sights: readonly Sight[],
): Promise<void> {
  const hosts = databaseHosts(cluster);
  // What was seen has spoken for itself: it is about to be stopped.
  const seen = hosts.filter(({ name }) => sights.some(({ host }) => host === name));
  const script = askSender(seen.map(({ address }) => address));
  await finishAll(
    sights
      .filter(({ received }) => received !== undefined)
      .map(async ({ host }) => {
        const address = await senderOf(sessions.get(host), script);
        if (address === undefined) return;
        throw lives(host, address, hosts.find((other) => other.address === address)?.name);
      }),
  );
}

/** A standby that is lost meanwhile proves nothing, and holds nobody up. */
async function senderOf(session: Session | undefined, script: Script): Promise<string | undefined> {
  try {
    const answer = await session?.run(script, { limit: 10 });
    return /^sender (.+)$/m.exec(answer?.stdout ?? '')?.[1];
  } catch (error) {
    if (error instanceof Failure && error.reason !== 'interrupted') return undefined;
    throw error;
  }
}

function lives(standby: string, address: string, name: string | undefined): Failure {
  return new Failure({
    reason: 'refused',
    ...(name === undefined ? {} : { host: name }),
    message: `the primary is alive: ${standby} receives WAL from it, and it takes connections`,
    expected: 'a primary that is down',
    found: `${standby} receives from ${address}, which ${name === undefined ? 'is no database host of this inventory' : 'cannot be reached from here'}`,
    remedy:
      name === undefined
        ? 'put that host back into the inventory, as pg-standby: who is primary is seen. If it is to leave, `odoo-prov switchover FILE` moves the primary first. If it must not go on: stop PostgreSQL there, then run this again'
        : `find out why SSH does not get there; \`odoo-prov switchover FILE\` then moves it without losing anything. If it must not go on: switch its power off (or its network port), then run this again with --confirm-dead ${name}`,
  });
}
