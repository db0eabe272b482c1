import { base64, lines, raw, sh, type Script, type Secret } from '../shell/index.js';
import { literal, PSQL } from '../resource/postgres-sql.js';
import { sayEnd } from './recovery-end.js';
import { runRestore, waitForArchive } from './restore-script.js';

/*
 * A copy of the database beside everything else: its own folder, its own port, reachable over its socket only,
 * never archiving. Removing the folder and the unit removes it.
 */

/** Not where PostgreSQL's own clusters are looked for. */
export const SCRATCH = '/var/lib/postgresql/.odoo-prov-scratch';
export const SCRATCH_PORT = 5433;
const UNIT = 'odoo-prov-scratch.service';
const DATA = `${SCRATCH}/data`;

const asPostgres = raw(
  'as_postgres() { (cd / && HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }',
);

/** Prints something where there is a copy, or what is left of one. */
export function findScratch(): Script {
  return sh`[ ! -e ${SCRATCH} ] || echo ${SCRATCH}`;
}

/** In a copy that was made to be compared and removed, and not for somebody to look into. */
export const VERIFYING = 'verifying';

/** Prints something where there is a copy that somebody made to look into. */
export function findKeptScratch(): Script {
  return sh`[ -e ${`${SCRATCH}/${VERIFYING}`} ] || [ -z "$(ls -A ${DATA} 2>/dev/null)" ] || echo ${SCRATCH}`;
}

/** Removes a copy, if there is one. */
export function removeScratch(): Script {
  return sh`
systemctl stop ${UNIT} 2>/dev/null || :
systemctl reset-failed ${UNIT} 2>/dev/null || :
rm -rf ${SCRATCH}`;
}

/** Keeps the package of PostgreSQL from making a cluster of its own. */
export function noOwnCluster(): Script {
  return sh`
mkdir -p /etc/postgresql-common/createcluster.d
[ -e /etc/postgresql-common/createcluster.d/50-odoo-prov.conf ] ||
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/50-odoo-prov.conf`;
}

/** Writes files that only PostgreSQL's user may read, and restores into the copy's folder. */
export function restoreScratch(
  files: ReadonlyMap<string, string | Secret>,
  command: readonly string[],
  bytes: number,
): Script {
  return sh`
${asPostgres}
free=$(df -B1 --output=avail /var/lib/postgresql | tail -n 1 | tr -d ' ')
[ "$free" -ge ${bytes} ] || { echo "$free bytes are free in /var/lib/postgresql, and the copy needs ${raw(String(bytes))}" >&2; exit 1; }
install -d -o postgres -g postgres -m 700 ${SCRATCH} ${DATA}
umask 077
${lines([...files].map(([name, text]) => sh`printf %s ${base64(text)} | base64 -d >${`${SCRATCH}/${name}`}`))}
chown postgres:postgres ${[...files.keys()].map((name) => `${SCRATCH}/${name}`)}
${runRestore(['pgbackrest', `--config=${SCRATCH}/pgbackrest.conf`, '--archive-mode=off', ...command])}`;
}

/** Starts the copy and waits until it has recovered. The five settings that a recovery needs are those of its origin. */
export function startScratch(version: number): Script {
  const bin = `/usr/lib/postgresql/${String(version)}/bin`;
  return sh`
control() { ${bin}/pg_controldata ${DATA} | sed -n "s/^$1 setting: *//p"; }
cat >${SCRATCH}/postgresql.conf <<EOF
data_directory = '${raw(DATA)}'
hba_file = '${raw(`${SCRATCH}/pg_hba.conf`)}'
ident_file = '${raw(`${SCRATCH}/pg_ident.conf`)}'
shared_buffers = 128MB
max_connections = $(control max_connections)
max_worker_processes = $(control max_worker_processes)
max_wal_senders = $(control max_wal_senders)
max_prepared_transactions = $(control max_prepared_xacts)
max_locks_per_transaction = $(control max_locks_per_xact)
EOF
echo 'local all postgres peer' >${SCRATCH}/pg_hba.conf
: >${SCRATCH}/pg_ident.conf
: >${SCRATCH}/log
chown postgres:postgres ${SCRATCH}/*.conf ${SCRATCH}/log
${sayEnd}
failed() { echo "$1" >&2; say_end ${SCRATCH}/log; tail -n 10 ${SCRATCH}/log >&2; exit 1; }
systemd-run --quiet --collect --unit=${UNIT} --uid=postgres --gid=postgres -p Type=notify \
  -p TimeoutStartSec=infinity -p TimeoutStopSec=300 -p KillSignal=SIGINT \
  -p StandardOutput=append:${SCRATCH}/log -p StandardError=append:${SCRATCH}/log \
  ${bin}/postgres -c config_file=${SCRATCH}/postgresql.conf -c port=${SCRATCH_PORT} -c listen_addresses= \
  -c unix_socket_directories=${SCRATCH} -c archive_mode=off -c shared_preload_libraries= \
  -c logging_collector=off -c log_destination=stderr -c ssl=off -c synchronous_standby_names= ||
  failed 'the copy did not start'
${scratchSql}
while [ "$(echo 'select pg_is_in_recovery()' | scratch_sql postgres 2>/dev/null)" != f ]; do
  systemctl is-active --quiet ${UNIT} || failed 'the copy ended in the middle of its recovery'
  sleep 0.5
done`;
}

/** Shell: `scratch_sql DATABASE` runs what it reads in the copy. */
const scratchSql = raw(`scratch_sql() {
  for psql in /usr/lib/postgresql/*/bin/psql; do :; done
  (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups \\
    "$psql" -XAtq -v ON_ERROR_STOP=1 -h ${SCRATCH} -p ${String(SCRATCH_PORT)} -d "$1" -f -)
}`);

/** Every table that holds rows of its own. */
const TABLES = `from pg_class c join pg_namespace n on n.oid = relnamespace
where relkind = 'r' and relpersistence = 'p' and nspname !~ '^pg_' and nspname <> 'information_schema'`;

/** A row a table: its name, how many rows it has, and a sum over all of them in which order does not matter. */
const FINGERPRINTS = `select format(
  'select %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from only %I.%I t',
  nspname || '.' || relname, nspname, relname) ${TABLES} order by nspname, relname \\gexec`;

/**
 * Fingerprints of all tables at one exact moment, which gets a name in the WAL; prints a line `point LSN TIMELINE`,
 * then a line a table. Writers are held back while the name is given, at most 2 s: the locks go with the
 * savepoint, the snapshot stays. In a database without tables there is nothing to lock.
 */
export function fingerprintScript(database: string, point: string): Script {
  const sql = `set idle_in_transaction_session_timeout = 0;
select coalesce('lock table ' || string_agg(format('%I.%I', nspname, relname), ', ') || ' in share mode',
  'reset lock_timeout') as hold ${TABLES} \\gset
begin isolation level repeatable read;
set local lock_timeout = '2s';
set local statement_timeout = 0;
savepoint quiet;
:hold;
select 'point', lsn, ('x' || left(pg_walfile_name(lsn), 8))::bit(32)::int
from (select pg_create_restore_point(${literal(point)}) as lsn offset 0) p;
rollback to savepoint quiet;
${FINGERPRINTS}
commit;`;
  return sh`
${PSQL}
out=$(mktemp)
tries=0
until printf '%s\n' ${sql} | psql_as_postgres ${database} >"$out" 2>"$out.errors"; do
  tries=$((tries + 1))
  if [ "$tries" -ge 15 ] || ! grep -q 'lock timeout' "$out.errors"; then
    tail -n 5 "$out.errors" >&2
    rm -f "$out" "$out.errors"
    exit 1
  fi
  sleep 1
done
segment=$(echo 'select pg_walfile_name(pg_switch_wal())' | psql_as_postgres postgres)
${waitForArchive}
tr '\037' ' ' <"$out"
rm -f "$out" "$out.errors"`;
}

/** The same of the copy, without the first line. */
export function scratchFingerprintScript(database: string): Script {
  return sh`
${scratchSql}
printf '%s\n' ${`set statement_timeout = 0;\n${FINGERPRINTS}`} | scratch_sql ${database} | tr '|' ' '`;
}

/** Asks the copy; rows as lines, columns with `|` between. */
export function scratchQuery(database: string, statements: string): Script {
  return sh`
${scratchSql}
printf '%s\n' ${statements} | scratch_sql ${database}`;
}

/** For people: how to look into the copy. */
export function scratchCommand(database: string): string {
  return `sudo -u postgres psql -h ${SCRATCH} -p ${String(SCRATCH_PORT)} ${database}`;
}
