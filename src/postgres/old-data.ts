/*
 * The data of an old primary, served to nobody but us: its own unit, a socket in a folder that only postgres may
 * enter, no address, nothing archived, nothing vacuumed, every transaction read only. Starting it ends its recovery,
 * which pg_rewind would have to do anyway; it stays on its timeline.
 */

export const OLD_UNIT = 'odoo-prov-old-data.service';
/** Is there from before it is started until it was ended by us: what a rejoin that was cut has left is told by it. */
export const OLD_FOLDER = '/run/odoo-prov-old-data';
/** Does not run while such a server does. */
export const GUARD_UNIT = 'odoo-prov-postgres-guard.service';

/**
 * What such a server is started with besides the host's own configuration. No WAL is removed at its checkpoints:
 * pg_rewind needs all of it since the fork.
 */
const SETTINGS = [
  'listen_addresses=',
  `unix_socket_directories=${OLD_FOLDER}`,
  'port=5432',
  `hba_file=${OLD_FOLDER}/pg_hba.conf`,
  `ident_file=${OLD_FOLDER}/pg_ident.conf`,
  `external_pid_file=${OLD_FOLDER}/pid`,
  'archive_mode=off',
  'autovacuum=off',
  'default_transaction_read_only=on',
  'synchronous_standby_names=',
  'primary_conninfo=',
  'primary_slot_name=',
  'restore_command=',
  'recovery_target_timeline=$target',
  'wal_keep_size=2147483647MB',
  'max_slot_wal_keep_size=-1',
  'logging_collector=off',
  'log_destination=stderr',
  'ssl=off',
];

/** Shell: `target` is what its recovery goes to: the timeline it is on, or a later one that its WAL goes on with, which it must name. */
export function targetOf(timeline: number): string {
  return `target=${String(timeline)}
if "$bin/pg_controldata" "$data" | grep -q "^Latest checkpoint's TimeLineID: *$target$"; then target=current; fi`;
}

/** Shell: `old_sql DATABASE` runs what it reads in the isolated server. Needs the variables of SQL_FUNCTION. */
export const OLD_SQL = `
old_sql() {
  (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/psql" -XAtq \\
    -v ON_ERROR_STOP=1 -v VERBOSITY=terse -h ${OLD_FOLDER} -p 5432 -d "$1" -f -)
}`;

/** Shell: ends the server cleanly if it runs, and lets the guard watch again. Needs the variables of SQL_FUNCTION. */
export const STOP_OLD = `
systemctl stop ${OLD_UNIT} 2>/dev/null || :
systemctl reset-failed ${OLD_UNIT} 2>/dev/null || :
rm -rf ${OLD_FOLDER}
if systemctl is-enabled --quiet ${GUARD_UNIT} 2>/dev/null; then systemctl start ${GUARD_UNIT}; fi`;

/**
 * Starts the server and waits until its recovery has ended. The guard does not watch meanwhile: it would take it
 * for a primary that was replaced. Needs the variables of SQL_FUNCTION, and {@link targetOf}.
 */
export const START_OLD = `
systemctl stop ${GUARD_UNIT} 2>/dev/null || :
install -d -o postgres -g postgres -m 700 ${OLD_FOLDER}
echo 'local all postgres peer' >${OLD_FOLDER}/pg_hba.conf
: >${OLD_FOLDER}/pg_ident.conf
chown postgres:postgres ${OLD_FOLDER}/pg_hba.conf ${OLD_FOLDER}/pg_ident.conf
began=$(date +%s)
systemd-run --quiet --collect --unit=${OLD_UNIT} --uid=postgres --gid=postgres -p Type=notify \\
  -p TimeoutStartSec=infinity -p TimeoutStopSec=infinity -p KillSignal=SIGINT -p OOMScoreAdjust=-900 \\
  "$bin/postgres" -D "$data" -c config_file="$conf/postgresql.conf" ${SETTINGS.map((one) => `-c ${one}`).join(' ')} || {
  echo 'the old data could not be started by itself; its log:' >&2
  journalctl -q -o cat -u ${OLD_UNIT} --since "@$began" | tail -n 10 >&2
  exit 1
}`;

/**
 * Waits until all WAL of a standby's data is replayed: it takes connections before, and would be thought to end there. Wait event:
 * PostgreSQL's documentation, "Wait Events of Type Timeout". Needs {@link OLD_SQL}.
 */
export const REPLAY_OLD = `
replay() {
  echo "select case when not pg_is_in_recovery() then 'ended'
    when case when pg_is_in_recovery() then pg_is_wal_replay_paused() end then 'paused'
    when exists (select from pg_stat_activity
      where backend_type = 'startup' and wait_event = 'RecoveryRetrieveRetryInterval') then 'ended'
    else 'goes on' end" | old_sql postgres
}
while state=$(replay) && [ "$state" = 'goes on' ]; do sleep 0.2; done
if [ "$state" != ended ]; then
  echo "the old data, started by itself, has not replayed all of its WAL ($state); its log:" >&2
  journalctl -q -o cat -u ${OLD_UNIT} --since "@$began" | tail -n 10 >&2
  exit 1
fi`;
