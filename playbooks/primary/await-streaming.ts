import { finishAll } from '../../src/concurrency/finish-all.js';
import { DISK_FULL } from '../../src/postgres/disk-full.js';
import { walGone } from '../../src/postgres/wal-gone.js';
import { HOT_STANDBY } from '../../src/resource/index.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { raw, sh, type Script } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

export interface StreamingOptions {
  /** Seconds. */
  readonly limit?: number;
  /** The primary's: one that cannot follow it comes as far as its beginning, again and again. */
  readonly timeline?: number;
}

/** What a standby says to each who asks it too soon, and writes into its log each time. */
const NOT_YET = 'the database system is not yet accepting connections';

/** Seconds after which little room alone, or WAL that is gone, is the reason: one that goes over to its new primary is without a receiver for a moment. */
const PATIENCE = 5;

const PAUSED = 'paused';
const PAUSED_BEFORE = 'paused before';
const LESS = 'less ';

/**
 * Waits until standbys receive WAL, and tells of each whether it follows: it does where it replays as well. PostgreSQL says
 * `streaming` from the connection on, before the primary has answered: one that is refused (its slot is missing, its WAL is gone)
 * ends a moment later. So the same receiver is to be seen twice.
 *
 * One that has less of some settings than its primary replays nothing. That is no error here: every move ends with an apply,
 * which restarts it with as much, and fails where it cannot.
 *
 * One whose disk is full is not waited for: it says so every 5 s, and follows by itself as soon as there is room. Nor is one whose
 * next WAL nobody has any more: only a copy of everything helps.
 * @throws Failure command-failed where one does not receive
 */
export async function awaitStreaming(
  mover: Mover,
  hosts: readonly string[],
  { limit = 60, timeline = 0 }: StreamingOptions = {},
): Promise<void> {
  await finishAll(
    hosts.map(async (host) => {
      const script = waitScript(mover.cluster, host, limit, timeline);
      const next = `run \`odoo-prov apply FILE\`: it makes replication slots that the primary lacks, starts what is down, and lets the clients through to the server that takes writes. If ${host} does not follow then: \`odoo-prov rejoin FILE --host ${host}\``;
      const found = await step(mover, host, 'follow the new primary', script, limit + 10, next);
      tellHowItFollows(mover, host, found);
    }),
  );
}

function tellHowItFollows({ tell }: Mover, host: string, found: string): void {
  if (found === PAUSED) {
    tell(
      host,
      'receives from the new primary; somebody has paused its replay: select pg_wal_replay_resume() ends that',
    );
  } else if (found === PAUSED_BEFORE) {
    tell(
      host,
      'does not follow: somebody has paused its replay, and until select pg_wal_replay_resume() ends that it goes over to no other primary',
    );
  } else if (found.startsWith(LESS)) {
    const less = found.slice(LESS.length).split('\n').join(', ');
    tell(
      host,
      `receives from the new primary and does not replay: ${less}. apply restarts it with as much`,
    );
  } else {
    tell(host, 'follows the new primary');
  }
}

/**
 * Whether PostgreSQL itself has paused replay, or somebody else: it notes in the control file what the primary has, and pauses
 * where it has less.
 */
const WHY_PAUSED = `
too_little() {
  control=$("$bin/pg_controldata" "$data")
  while read -r name field; do
    theirs=$(printf '%s\\n' "$control" | sed -n "s/^$field setting: *//p")
    own=$(echo "show $name" | sql)
    [ "$own" -ge "$theirs" ] || echo "$name $own instead of $theirs"
  done <<'EOF'
${Object.entries(HOT_STANDBY)
  .map(([name, { control }]) => `${name} ${control}`)
  .join('\n')}
EOF
}
why_paused() {
  less=$(too_little)
  if [ -n "$less" ]; then printf '${LESS}%s\\n' "$less"; else echo ${PAUSED}; fi
}`;

/**
 * Prints nothing where it follows; {@link PAUSED_BEFORE} where it does not even receive, for one that is paused asks nobody for
 * WAL again; else {@link PAUSED}, or {@link LESS} and a line for each setting.
 */
function waitScript(cluster: Cluster, host: string, limit: number, timeline: number): Script {
  const query = `select pid, pg_is_wal_replay_paused() from pg_stat_wal_receiver where status = $$streaming$$ and received_tli >= ${String(timeline)}`;
  return raw(`${SQL_FUNCTION}${WHY_PAUSED}
${DISK_FULL.render()}
began=$(date +%s)
until=$((began + ${String(limit)}))
before=
while :; do
  found=$(echo '${query}' | sql 2>&1) || :
  if [ "$found" = "$before" ]; then
    case $found in
      [0-9]*' f') exit 0 ;;
      [0-9]*' t') why_paused; exit 0 ;;
      '') if [ "$(echo 'select pg_is_wal_replay_paused()' | sql 2>/dev/null)" = t ]; then echo ${PAUSED_BEFORE}; exit 0; fi ;;
    esac
  fi
  before=$found
  case $found in
    [0-9]*' '[ft]) ;;
    *)
      disk_full "$data" "$began"
      if [ -n "$full" ] || { [ $less = yes ] && [ $(($(date +%s) - began)) -ge ${String(PATIENCE)} ]; }; then
        cat >&2 <<EOF
the disk is full
expected: room for WAL in $data/pg_wal
found: $((free / 1024)) MB left\${full:+; PostgreSQL says: $full}
next: make room on the host (df -h $data/pg_wal), then \\\`odoo-prov apply FILE\\\`: it follows by itself as soon as there is room
EOF
        exit 1
      fi
      if [ $(($(date +%s) - began)) -ge ${String(PATIENCE)} ]; then
        gone=$(${walGone(cluster, sh`"$began"`).render()})
        if [ -n "$gone" ]; then
          cat >&2 <<EOF
it cannot catch up
expected: WAL from where its data stands, on the primary${cluster.postgres.backup === undefined ? '' : ' or in the archive'}
found: $gone is not there any more
next: odoo-prov rejoin FILE --host ${host} copies everything anew
EOF
          exit 1
        fi
      fi
      ;;
  esac
  if [ "$(date +%s)" -ge "$until" ]; then
    case $found in
      *'${NOT_YET}'*) why='it has not replayed yet what it needs to take connections' ;;
      *) why='it does not receive WAL' ;;
    esac
    echo "$why; the last lines of its log:" >&2
    log=$(ls -t /var/log/postgresql/odoo-prov/*.log | head -n 1)
    grep -vE '${NOT_YET}|Consistent recovery state has not been' "$log" | tail -n 8 >&2
    exit 1
  fi
  sleep 0.5
done`);
}
