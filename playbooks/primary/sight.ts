import { ARMED_FAULTS, parseArmedFaults, type ArmedFault } from '../../src/batch/armed-fault.js';
import { Failure } from '../../src/failure/failure.js';
import { databaseHosts, type Cluster, type Host } from '../../src/inventory/cluster.js';
import { parseDataWal, WAL_OF, type DataWal } from '../../src/postgres/data-wal.js';
import { CUT_RESTORE, parseCutRestore } from '../../src/postgres/cut-restore.js';
import type { HotStandbyValues } from '../../src/postgres/hot-standby.js';
import { RESTORING } from '../../src/postgres/layout.js';
import { OLD_FOLDER } from '../../src/postgres/old-data.js';
import { isOutdated } from '../../src/postgres/outdated.js';
import { isPastFork, newestHistory, RECEIVED_PAST_FORK } from '../../src/postgres/past-fork.js';
import { parseLsn, type Sight } from '../../src/postgres/promotion.js';
import { HOT_STANDBY_NAMES } from '../../src/resource/index.js';
import { restoreNotEnded } from '../../src/run/guard.js';
import { raw } from '../../src/shell/index.js';
import type { Session } from '../../src/transport/session.js';
import type { Armed } from './left-fault.js';

/** Shell function `sql`: runs what it reads as the superuser over the socket, rows without frills. */
export const SQL_FUNCTION = `
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
version=\${bin#/usr/lib/postgresql/}
version=\${version%/bin}
data=/var/lib/postgresql/$version/main
conf=/etc/postgresql/$version/main
unit=postgresql@$version-main.service
sql() {
  (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/psql" -XAtq -F ' ' \\
    -v ON_ERROR_STOP=1 -h /var/run/postgresql -d postgres -f -)
}
as_postgres() { (cd / && HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }`;

const LOOK = raw(`${SQL_FUNCTION}
${WAL_OF}
${CUT_RESTORE}
${ARMED_FAULTS.render()}
if [ -e ${RESTORING} ]; then exit 0; fi
if ! [ -s "$data/global/pg_control" ]; then
  if systemctl is-active --quiet "$unit"; then echo emptied; else echo none; fi
  exit 0
fi
control=$("$bin/pg_controldata" "$data")
field() { printf '%s\\n' "$control" | sed -n "s/^$1: *//p"; }
standby=no
if [ -e "$data/standby.signal" ]; then standby=yes; fi
# The control file learns of a promotion later. A standby may have the history of a timeline that it cannot follow.
if [ "$standby" = yes ]; then newest='s/^\\([0-9A-F]\\{8\\}\\)[0-9A-F]\\{16\\}$/\\1/p'; else newest='s/\\.history$//p'; fi
history=$(ls "$data/pg_wal" | sed -n "$newest" | sort | tail -n 1)
echo "data $standby $(field "Latest checkpoint's TimeLineID") $(printf %d "0x\${history:-0}") $(field 'Database system identifier') $(if [ -e /var/lib/odoo-prov/postgres-fenced ]; then echo fenced; fi)"
# A frozen server takes the connection and says nothing.
export PGCONNECT_TIMEOUT=8 PGOPTIONS='-c statement_timeout=8000'
sql <<'EOF' 2>/dev/null || { if systemctl is-active --quiet "$unit"; then echo stuck; else echo down; fi; }
select 'live', not pg_is_in_recovery(),
  case when pg_is_in_recovery()
    then greatest(coalesce(pg_last_wal_receive_lsn(), '0/0'), coalesce(pg_last_wal_replay_lsn(), '0/0'))
    else pg_current_wal_lsn() end,
  coalesce((select received_tli from pg_stat_wal_receiver where status = 'streaming'), 0),
  case when pg_is_in_recovery()
    then coalesce(extract(epoch from pg_last_xact_replay_timestamp())::bigint, 0) else 0 end,
  ${RECEIVED_PAST_FORK},
  exists (select from pg_stat_activity where application_name like 'pgBackRest [backup]%'),
  case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end;
select 'hot', name, setting, coalesce((
  select setting from pg_file_settings f where lower(f.name) = s.name order by seqno desc limit 1), boot_val)
from pg_settings s where name in (${HOT_STANDBY_NAMES});
EOF
echo "state $(field 'Database cluster state')"
echo "wal $(wal_of "$bin" "$data")"
[ ! -e ${OLD_FOLDER} ] || echo compared`);

/** What a host says, and what its data does: that tells something of a server that is stopped. */
interface Look {
  readonly sight: Sight;
  readonly wal: DataWal | undefined;
}

/**
 * Reads what {@link LOOK} printed of a database host's data.
 * @returns to where a restore in place goes that has not come to its end, undefined when it holds no data
 * @throws Failure refused where PostgreSQL runs on data that is gone: it may take writes still
 */
function parseLook(
  { host }: Session,
  lines: readonly string[],
): Look | { readonly restoring: string } | undefined {
  const [first = '', second = '', ...rest] = lines;
  const restoring = parseCutRestore(first);
  if (restoring !== undefined) return { restoring };
  const [what, standby, checkpoint, history, systemIdentifier = '', fenced] = first.split(' ');
  if (what === 'emptied') throw emptied(host);
  if (what !== 'data') return undefined;
  const [live, writable, lsn = '0/0', received = '0', newest = '0', past, backup, paused] =
    second.split(' ');
  const timeline = Math.max(Number(checkpoint), Number(history), Number(received));
  const sight = {
    host: host.name,
    running: live === 'live',
    // A standby that was stopped says `shut down in recovery`.
    handedOver: live === 'down' && standby === 'yes' && rest.includes('state shut down'),
    stuck: live === 'stuck',
    writable: live === 'live' && writable === 't',
    standby: standby === 'yes',
    fenced: fenced === 'fenced',
    timeline,
    dataTimeline: timeline,
    lsn: live === 'live' ? parseLsn(lsn) : 0n,
    newest: Number(newest) > 0 ? new Date(Number(newest) * 1000) : undefined,
    received: Number(received) > 0 ? Number(received) : undefined,
    pastFork: past === 't',
    compared: rest.includes('compared'),
    backingUp: backup === 't',
    replayPaused: paused === 't',
    hotStandby: valuesOf(rest, 2),
    hotStandbyAtStart: valuesOf(rest, 3),
    systemIdentifier,
  };
  const wal = rest.find((line) => line.startsWith('wal '))?.slice('wal '.length);
  return { sight, wal: parseDataWal(wal) };
}

/** One column of the lines `hot NAME RUNNING AT-START`. */
function valuesOf(lines: readonly string[], column: 2 | 3): HotStandbyValues {
  const rows = lines.map((line) => line.split(' ')).filter(([word]) => word === 'hot');
  return Object.fromEntries(rows.map((row) => [row[1] ?? '', Number(row[column])]));
}

/** Of a standby that does not run its data tells how far it came, and the others' whether it can follow. */
function completed({ sight, wal }: Look, looks: readonly Look[]): Sight {
  if (!sight.standby || wal === undefined) return sight;
  if (sight.running) return { ...sight, dataTimeline: wal.marked ?? sight.dataTimeline };
  const { ends } = newestHistory(looks.flatMap((look) => look.wal ?? []));
  const [one, other] = [parseLsn(wal.checkpoint.lsn), parseLsn(wal.replayed.lsn)];
  return {
    ...sight,
    // What it still has to replay is not counted there.
    dataTimeline: wal.marked ?? Math.max(wal.checkpoint.timeline, wal.replayed.timeline),
    lsn: one > other ? one : other,
    pastFork: isPastFork(wal, ends),
  };
}

/** What all database hosts say at this moment. */
export interface View {
  readonly sights: readonly Sight[];
  /** Database hosts that could not be asked, and why. */
  readonly silent: ReadonlyMap<string, Failure>;
  /** Also of hosts without data. */
  readonly armed: Armed;
}

/**
 * Looks at all database hosts at once.
 * @throws Failure refused where two hold different clusters, or a restore has not come to its end: data that it has not
 *   replaced yet would take writes
 */
export async function lookAtAll(
  cluster: Cluster,
  sessions: ReadonlyMap<string, Session>,
  unreached: ReadonlyMap<string, Failure>,
): Promise<View> {
  const silent = new Map<string, Failure>();
  const cut = new Map<string, string>();
  const armed = new Map<string, readonly ArmedFault[]>();
  const looks: Look[] = [];
  await Promise.all(
    databaseHosts(cluster).map(async (host: Host) => {
      const session = sessions.get(host.name);
      const failure = unreached.get(host.name);
      if (session === undefined) {
        if (failure !== undefined) silent.set(host.name, failure);
        return;
      }
      try {
        const { stdout } = await session.run(LOOK, { limit: 20 });
        armed.set(host.name, parseArmedFaults(stdout));
        const lines = stdout.split('\n').filter((line) => !line.startsWith('armed '));
        const look = parseLook(session, lines);
        if (look === undefined) return;
        if ('restoring' in look) cut.set(host.name, look.restoring);
        else looks.push(look);
      } catch (error) {
        if (!(error instanceof Failure) || error.reason === 'refused') throw error;
        silent.set(host.name, error);
      }
    }),
  );
  if (cut.size > 0) throw restoreNotEnded(cut);
  const order = databaseHosts(cluster).map(({ name }) => name);
  // Not as they came: of equals the same is chosen when it is looked again.
  const sights = looks
    .map((look) => completed(look, looks))
    .sort((one, other) => order.indexOf(one.host) - order.indexOf(other.host));
  const [one] = sights;
  const other = sights.find((sight) => sight.systemIdentifier !== one?.systemIdentifier);
  if (one !== undefined && other !== undefined) throw strangers(one, other);
  return { sights, silent, armed };
}

/** That stopping the primary ends a backup of it, for those who could wait. */
export function backupText({ host, backingUp }: Sight): string[] {
  if (!backingUp) return [];
  return [
    `a backup of ${host} is being made, and breaks off when that stops: wait for its end, or make it again (\`odoo-prov backup FILE\`)`,
  ];
}

/**
 * What to do where nobody takes writes: data of a primary is only to be started, and nothing is lost then.
 * @param to whom the operator wants as primary
 */
export function withoutPrimary(sights: readonly Sight[], to?: string): string {
  const old = sights.filter(({ standby }) => !standby);
  const newest = Math.max(...old.map(({ timeline }) => timeline));
  const last = old.filter((sight) => sight.timeline === newest && !isOutdated(sight, sights));
  const free = last.filter(({ fenced }) => !fenced);
  if (sights.length === 0) return '`odoo-prov apply FILE` sets the cluster up first';
  if (old.length === 0)
    return `\`odoo-prov failover FILE${to === undefined ? '' : ` --to ${to}`}\` promotes ${to ?? 'the standby that has most'}, and says before whether anything is lost`;
  if (last.length === 0) {
    return 'a standby is on a newer timeline than the data of any primary that was seen: bring the host back that was primary last. Only if it is lost: `odoo-prov failover FILE`';
  }
  if (free.length === 0) {
    return 'the primary that was seen is fenced: bring the host back that has taken over from it; or a failover was cut off: `odoo-prov failover FILE` again goes on from where it was';
  }
  return `\`odoo-prov apply FILE\` starts PostgreSQL on ${free.map(({ host }) => host).join(', ')} and lets the clients through again; then run this again. Only if that does not help: \`odoo-prov failover FILE\``;
}

function emptied({ name }: Host): Failure {
  return new Failure({
    reason: 'refused',
    host: name,
    message: 'its data was removed while PostgreSQL runs on it: it may still take writes',
    expected: 'PostgreSQL with its data, or stopped',
    found: 'no global/pg_control in its data folder, and the service is active',
    remedy: `on ${name}: systemctl stop 'postgresql@*'; then run this again`,
  });
}

function strangers(one: Sight, other: Sight): Failure {
  return new Failure({
    reason: 'refused',
    host: other.host,
    message: `it holds another PostgreSQL cluster than ${one.host}`,
    expected: `the system identifier ${one.systemIdentifier}`,
    found: other.systemIdentifier,
    remedy: 'find out which of the two holds the data to keep; move the other away',
  });
}
