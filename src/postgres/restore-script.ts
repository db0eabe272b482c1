import { raw, sh, type Script } from '../shell/index.js';
import { PSQL } from '../resource/postgres-sql.js';
import { CUT_RESTORE } from './cut-restore.js';
import { sayEnd } from './recovery-end.js';
import { dataFolder, RESTORING, unitOf } from './layout.js';

/*
 * The steps of a restore in place, on a database host. Each may be killed and run again. What was there is
 * moved aside, never overwritten.
 */

/** Where data that a restore replaced is kept: not where PostgreSQL's own clusters are looked for. */
export const KEPT = '/var/lib/postgresql/.odoo-prov-kept';

/** Settings that a recovery writes to postgresql.auto.conf; a standby must not inherit them. */
const RECOVERY_SETTINGS = [
  'hot_standby',
  'restore_command',
  'recovery_target',
  'recovery_target_action',
  'recovery_target_inclusive',
  'recovery_target_lsn',
  'recovery_target_name',
  'recovery_target_time',
  'recovery_target_timeline',
  'recovery_target_xid',
];

const asPostgres = raw(
  'as_postgres() { (cd / && HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }',
);

/** Shell: waits until `segment` is in the archive. @param seconds after that many it ends with an error */
function archivedWithin(seconds: number): Script {
  return raw(`tries=0
until [ "$(echo "select coalesce(last_archived_wal, '') >= '$segment' from pg_stat_archiver" | psql_as_postgres postgres)" = t ]; do
  tries=$((tries + 1))
  [ "$tries" -lt ${String(2 * seconds)} ] || { echo "the archive did not take $segment within ${String(seconds)} s" >&2; exit 1; }
  sleep 0.5
done`);
}

/** Shell: `segment` must be in the archive before the server is stopped, or a recovery would wait for it. */
export const waitForArchive = archivedWithin(150);

/** Begins the line of a restore's mark that says which folder it made (its inode), for whoever goes on after a cut. */
const INTO = 'into ';

/**
 * Shell function `unfinished`: whether the data is what a restore that was cut has fetched, and nothing else: the folder is
 * the one that it made, and its recovery has not ended. All of it is in the repository still.
 */
function unfinished(data: string): Script {
  return sh`unfinished() {
  made=$(sed -n ${`s/^${INTO}//p`} ${RESTORING} 2>/dev/null)
  [ -n "$made" ] && [ "$(stat -c %i ${data} 2>/dev/null)" = "$made" ] || return 1
  ! [ -s ${`${data}/global/pg_control`} ] || [ -e ${`${data}/recovery.signal`} ]
}`;
}

/** Prints `room` when a database of so many bytes fits beside what is there and is kept. */
export function roomScript(version: number, bytes: number): Script {
  return sh`
${unfinished(dataFolder(version))}
folder=$(dirname ${dataFolder(version)})
free=$(df -B1 --output=avail "$folder" | tail -n 1 | tr -d ' ')
if unfinished; then free=$((free + $(du -sB1 ${dataFolder(version)} | cut -f 1))); fi
if [ -n "$(ls -A ${dataFolder(version)}/pg_tblspc 2>/dev/null)" ]; then
  echo "tablespaces outside of the data folder: these are not moved aside" >&2
  exit 1
fi
if mountpoint -q ${dataFolder(version)}; then
  echo ${`${dataFolder(version)} is a mount point and cannot be moved aside`} >&2
  exit 1
fi
if [ "$free" -lt ${bytes} ]; then
  echo "$free bytes are free in $folder, and the backup needs ${raw(String(bytes))} beside the data that is kept" >&2
  exit 1
fi
echo room`;
}

/**
 * Writes one transaction, so that a moment up to now can be told from the end of the WAL, hands the last segment to
 * the archive, and prints its name; prints nothing where the server does not run. It waits for no standby.
 * @param seconds for which the archive is waited for
 */
export function closeArchiveScript(version: number, seconds = 150): Script {
  return sh`
${PSQL}
systemctl is-active --quiet ${unitOf(version)} || exit 0
[ "$(echo 'select pg_is_in_recovery()' | psql_as_postgres postgres)" = f ] || exit 0
segment=$(printf '%s\n' 'set synchronous_commit = local;' 'begin;' 'select pg_current_xact_id() as id \gset' 'commit;' \
  'select pg_walfile_name(pg_switch_wal());' | psql_as_postgres postgres)
${archivedWithin(seconds)}
echo "$segment"`;
}

/**
 * Stops the server and moves its data aside, into a folder of this name. From here on the host is marked: until the
 * restore has come to its end, `apply` lets nobody in. What a restore that was cut has fetched is not kept: repeats would
 * fill the disk with it.
 * @param to the words that say to where, for whoever goes on after a cut
 */
export function moveAsideScript(version: number, name: string, to: string): Script {
  const data = dataFolder(version);
  return sh`
${unfinished(data)}
mkdir -p /var/lib/odoo-prov
made=$(sed -n ${`/^${INTO}/p`} ${RESTORING} 2>/dev/null) || made=
printf '%s\n%s\n' ${to} "$made" >${`${RESTORING}.new`}
sync ${`${RESTORING}.new`}
mv -f ${`${RESTORING}.new`} ${RESTORING}
sync /var/lib/odoo-prov
systemctl stop ${unitOf(version)}
if unfinished; then
  find ${data} -mindepth 1 -delete
elif [ -n "$(ls -A ${data} 2>/dev/null)" ]; then
  install -d -o postgres -g postgres -m 700 ${KEPT} ${`${KEPT}/${name}`}
  mv -T ${data} ${`${KEPT}/${name}/main`}
  sync ${KEPT}
fi`;
}

/**
 * Restores into an empty data folder; prints how far it is. `pg_control` comes last, so what was cut cannot be
 * started, and is restored over.
 */
export function restoreScript(version: number, command: readonly string[]): Script {
  const data = dataFolder(version);
  return sh`
${asPostgres}
install -d -o postgres -g postgres -m 700 ${data}
printf '%s\n' "$(head -n 1 ${RESTORING})" "${raw(INTO)}$(stat -c %i ${data})" >${`${RESTORING}.new`}
sync ${`${RESTORING}.new`}
mv -f ${`${RESTORING}.new`} ${RESTORING}
${runRestore(command)}`;
}

/**
 * How a recovery fetches WAL. PostgreSQL takes a failure (up to exit code 125, "Archive Recovery Settings") for the end of
 * the archive, and would take writes there, with rows missing and nobody told. pgBackRest says with 1 that there is no such
 * file, and has other codes for a repository that is away: with these the recovery breaks off. After half a minute, and not
 * after the whole one for which pg_ctl waits for a server that starts: of one that ends in that very moment systemd never hears
 * (seen with systemd 257: "activating", without a process), and the start would not come back.
 */
function recoveryOption(restore: readonly string[]): string {
  const where = restore.filter((word) => /^--(config|stanza)=/.test(word));
  const fetch = ['pgbackrest', ...where, '--io-timeout=30', 'archive-get %f "%p"'].join(' ');
  return `--recovery-option=restore_command=${fetch}; code=$?; [ $code -le 1 ] || code=255; exit $code`;
}

/**
 * Nobody is to read while it is recovered. As a standby that may be read it would pause for ever where the primary once had more of one of
 * the five settings that a standby needs as much of, at any moment that is replayed ("Hot Standby", "Administrator's Overview").
 */
const NOBODY_READS = '--recovery-option=hot_standby=off';

/** Runs pgBackRest and prints percents; its last lines when it fails. @param command `pgbackrest OPTION… restore` */
export function runRestore(command: readonly string[]): Script {
  return sh`
log=$(mktemp)
{ as_postgres ${command} ${recoveryOption(command)} ${NOBODY_READS} --log-level-console=detail 2>&1 || echo failed; } | tee "$log" |
  sed -u -n -E 's/.*restore file .*, ([0-9]+)\.?[0-9]*%\).*/\1/p' |
  awk 'int($1 / 10) != last { last = int($1 / 10); print $1 " % restored"; fflush() }'
if [ "$(tail -n 1 "$log")" = failed ]; then
  grep -v 'DETAIL' "$log" | tail -n 10 >&2
  rm -f "$log"
  exit 1
fi
rm -f "$log"`;
}

/**
 * Starts the server and waits until it has recovered and takes writes; then takes the recovery's settings out.
 * Prints the timeline.
 * @param toHole what is there ends at a hole in the archive that lies behind the target, a time: where no transaction ended
 *   between the two, the end of what is there is that moment. PostgreSQL would break off.
 */
export function recoverScript(version: number, logFolder: string, toHole = false): Script {
  const unit = unitOf(version);
  const settings = `${dataFolder(version)}/postgresql.auto.conf`;
  const resets = RECOVERY_SETTINGS.map((name) => `alter system reset ${name};`);
  return sh`
${PSQL}
newest_log() { ls -t ${logFolder}/*.log 2>/dev/null | head -n 1; }
${sayEnd}
failed() {
  echo "$1" >&2
  file=$(newest_log)
  [ -z "$file" ] || say_end "$file"
  [ -z "$file" ] || grep -E 'FATAL|ERROR|PANIC|recovery|LOG:  last completed' "$file" | tail -n 10 >&2
  exit 1
}
why=
recovered() {
  why='PostgreSQL did not start'
  systemctl start ${unit} || return 1
  why='PostgreSQL ended in the middle of its recovery: was the archive away?'
  while :; do
    state=$(echo 'select pg_is_in_recovery()' | psql_as_postgres postgres 2>/dev/null) || state=
    [ "$state" != f ] || return 0
    systemctl is-active --quiet ${unit} || return 1
    sleep 0.5
  done
}
# The others are stopped and are cloned anew: the guard must not wait for their word.
rm -f /var/lib/odoo-prov/postgres-had-standby /var/lib/odoo-prov/postgres-fenced
if ! recovered; then
  ${toHole ? raw(':') : raw('failed "$why"')}
  grep -q 'recovery ended before configured recovery target was reached' "$(newest_log)" || failed "$why"
  systemctl stop ${unit}
  sed -i '/^recovery_target_time/d; /^recovery_target_action/d' ${settings}
  chown postgres:postgres ${settings}
  recovered || failed "$why"
fi
printf '%s\n' ${resets} | psql_as_postgres postgres
# They are taken out at a start only; now nobody is connected yet.
systemctl restart ${unit} || failed 'PostgreSQL did not start again'
# The new timeline is in the control file from the next checkpoint on.
printf '%s\n' 'checkpoint;' 'select timeline_id from pg_control_checkpoint();' | psql_as_postgres postgres`;
}

/** The restored data takes writes: from here on `apply` can do the rest. */
export function restoredScript(): Script {
  return sh`rm -f ${RESTORING}`;
}

/** Statistics of activity do not survive a recovery: autovacuum would start blind. */
export function analyzeScript(version: number): Script {
  return sh`
${asPostgres}
as_postgres /usr/lib/postgresql/${version}/bin/vacuumdb -h /var/run/postgresql --all --analyze-only --jobs "$(nproc)" --quiet`;
}

/** Prints how much data restores have kept, nothing where there is none; before, what {@link CUT_RESTORE} does. */
export function keptScript(): Script {
  return sh`
${raw(CUT_RESTORE)}
[ ! -e ${KEPT} ] || du -sh ${KEPT} | cut -f 1`;
}

/** Removes it. */
export function discardScript(): Script {
  return sh`rm -rf ${KEPT}`;
}
