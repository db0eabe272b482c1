import { Failure } from '../../src/failure/failure.js';
import { databaseHosts, type Cluster } from '../../src/inventory/cluster.js';
import { REPLICATION_PASS_FILE, REPLICATION_USER, slotOf } from '../../src/postgres/layout.js';
import type { Sight } from '../../src/postgres/promotion.js';
import { raw } from '../../src/shell/index.js';
import type { Reached } from './connect.js';
import { lookAtAll, SQL_FUNCTION } from './sight.js';
import { awaitStreaming, step, type Mover } from './steps.js';

export interface RejoinPlan {
  readonly primary: Sight;
  /** Old primaries, and standbys that cannot follow, that become standbys of it. */
  readonly rejoining: readonly Sight[];
  readonly steps: readonly string[];
}

/**
 * Looks for hosts that hold an old primary's data.
 * @param host only this one, if given
 * @throws Failure refused: no primary, the host is no old primary or does not answer
 */
export async function planRejoin(
  cluster: Cluster,
  reached: Reached,
  host: string | undefined,
): Promise<RejoinPlan> {
  const view = await lookAtAll(cluster, reached.sessions, reached.unreached);
  const [primary] = view.sights
    .filter((sight) => sight.writable)
    .sort((a, b) => b.timeline - a.timeline);
  if (primary === undefined) throw noPrimary(view.sights);
  const silent = host === undefined ? undefined : view.silent.get(host);
  if (silent !== undefined) throw silent;
  const rejoining = view.sights.filter(
    (sight) =>
      sight.host !== primary.host &&
      (sight.standby
        ? // One that went on with the old primary for a moment cannot follow the new one either.
          sight.host === host && !sight.streaming
        : sight.timeline < primary.timeline && (host === undefined || sight.host === host)),
  );
  if (rejoining.length === 0) throw nothingToDo(view.sights, primary, host);
  return {
    primary,
    rejoining,
    steps: rejoining.flatMap((sight) => [
      `${sight.host}: stop PostgreSQL, keep a copy of its data aside`,
      `${sight.host}: take back what only it has (pg_rewind), or copy everything from ${primary.host} where that cannot be done`,
      `${sight.host}: follow ${primary.host}`,
    ]),
  };
}

function noPrimary(sights: readonly Sight[]): Failure {
  return new Failure({
    reason: 'refused',
    message: 'no host takes writes: there is nobody to follow',
    expected: 'a primary that runs',
    found: `none of ${sights.map(({ host }) => host).join(', ') || 'the database hosts'}`,
    remedy: '`odoo-prov failover FILE` promotes a standby',
  });
}

function nothingToDo(sights: readonly Sight[], primary: Sight, host: string | undefined): Failure {
  const seen = sights.map(
    (s) =>
      `${s.host}: ${s.standby ? 'a standby' : s.host === primary.host ? 'the primary' : 'a primary of the same timeline'}`,
  );
  return new Failure({
    reason: 'refused',
    ...(host === undefined ? {} : { host }),
    message:
      host === undefined
        ? 'there is no old primary to rejoin'
        : 'it is no old primary, nor a standby that cannot follow',
    expected: `a host that was primary before ${primary.host}`,
    found: seen.join('; '),
    remedy: 'nothing is to be done; `odoo-prov apply FILE` mends standbys',
  });
}

/** Carries a plan out, one host after the other. */
export async function runRejoin(mover: Mover, plan: RejoinPlan): Promise<void> {
  for (const sight of plan.rejoining) await rejoin(mover, plan.primary.host, sight);
}

/**
 * Makes an old primary a standby. A copy of its data is kept beside it (by reference where the file system
 * can), since it may hold rows that nobody else has; pg_rewind then takes back only what differs. Where it
 * cannot, everything is copied from the primary.
 */
async function rejoin(mover: Mover, primary: string, sight: Sight): Promise<void> {
  const { host, timeline } = sight;
  const { cluster } = mover;
  const source = databaseHosts(cluster).find(({ name }) => name === primary);
  const own = databaseHosts(cluster).find(({ name }) => name === host);
  if (source === undefined || own === undefined) throw new Error('the inventory was not checked');
  const conninfo = `host=${source.address} port=5432 user=${REPLICATION_USER} dbname=postgres sslmode=require passfile=${REPLICATION_PASS_FILE}`;
  const script = raw(`set -eu
${SQL_FUNCTION}
systemctl stop "$unit"
if ${sight.standby ? 'true' : '[ ! -e "$data/standby.signal" ]'}; then
  kept=$data.before-rejoin-${String(timeline)}
  if [ ! -e "$kept" ]; then
    needed=$(du -sk "$data" | cut -f 1)
    free=$(df -Pk "$data" | awk 'NR == 2 { print $4 }')
    if [ "$free" -le "$((needed + needed / 10))" ]; then
      echo "no room to keep a copy of $data beside it: it needs $needed kB, $free kB are free. Save it elsewhere, then: mkdir $kept" >&2
      exit 1
    fi
    rm -rf "$kept.new"
    cp -a --reflink=auto "$data" "$kept.new"
    mv "$kept.new" "$kept"
  fi
  said=$(mktemp)
  archive=
  if [ -n "$(as_postgres "$bin/postgres" -C restore_command -c config_file="$conf/postgresql.conf")" ]; then archive=-c; fi
  # A server that was killed must end its recovery before it can be rewound; pg_rewind does that itself.
  if as_postgres "$bin/pg_rewind" --target-pgdata="$data" --source-server="${conninfo}" \\
      --config-file="$conf/postgresql.conf" $archive --no-ensure-shutdown 2>"$said" ||
    as_postgres "$bin/pg_rewind" --target-pgdata="$data" --source-server="${conninfo}" \\
      --config-file="$conf/postgresql.conf" $archive 2>"$said"; then
    echo 'rewound: only what differed was copied'
  else
    sed 's/^/pg_rewind: /' "$said" | tail -n 3
    # Marked, so that a clone that is cut is known as one.
    making=/var/lib/odoo-prov/postgres-$version-main.making
    rm -f "$data/postmaster.opts"
    : >"$making"
    sync "$making"
    rm -rf "$data"
    install -d -o postgres -g postgres -m 700 "$data"
    PGPASSFILE=${REPLICATION_PASS_FILE} PGSSLMODE=require as_postgres "$bin/pg_basebackup" -h ${source.address} \\
      -p 5432 -U ${REPLICATION_USER} -w -D "$data" -S ${slotOf(own)} -X stream -c fast
    : >"$data/standby.signal"
    sync
    rm -f "$making"
    echo 'copied everything from the primary'
  fi
  rm -f "$said"
  : >"$data/standby.signal"
  chown postgres:postgres "$data/standby.signal"
  sync
fi
rm -f /var/lib/odoo-prov/postgres-fenced
systemctl reset-failed "$unit" 2>/dev/null || :
systemctl start "$unit"`);
  const said = await step(mover, host, `follow ${primary}`, script, 24 * 3600);
  for (const line of said.split('\n').filter((text) => text !== '')) mover.tell(host, line);
  mover.tell(
    host,
    `its old data is kept in ….before-rejoin-${String(timeline)}: remove it when nothing is missed`,
  );
  await awaitStreaming(mover, [host], 120);
}
