import { adoptData, pathsOf, startAtBoot } from '../resource/postgres-data.js';
import { PSQL } from '../resource/postgres-sql.js';
import { raw, sh, type Script } from '../shell/index.js';
import { dataFolder, unitOf } from './layout.js';
import { runRestore } from './restore-script.js';

/*
 * The steps by which a bare host gets the database from the repository. It has PostgreSQL's packages and pgBackRest's
 * configuration, and no data. Each may be killed and run again.
 */

/** There from before the first byte is restored until all is: data beside it is ours to replace. */
const MARKER = '/var/lib/odoo-prov/restoring-to-new-host';

/** Settings that a recovery needs as large as they were (PostgreSQL, "Hot Standby"), by pg_controldata's names. */
const NEEDED = [
  ['max_connections', 'max_connections'],
  ['max_worker_processes', 'max_worker_processes'],
  ['max_wal_senders', 'max_wal_senders'],
  ['max_prepared_transactions', 'max_prepared_xacts'],
  ['max_locks_per_transaction', 'max_locks_per_xact'],
] as const;

/** Prints `data` where a host holds data that no cut restore of this kind left, `none` otherwise. */
export function holdsDataScript(): Script {
  return sh`
if [ ! -e ${MARKER} ] && ls /var/lib/postgresql/*/*/PG_VERSION >/dev/null 2>&1; then echo data; else echo none; fi`;
}

/** Restores into the data folder of a host that has none; what a cut restore left there is restored anew. */
export function restoreBareScript(
  version: number,
  command: readonly string[],
  bytes: number,
): Script {
  const data = dataFolder(version);
  return sh`
as_postgres() { (cd / && HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
if [ -e ${MARKER} ]; then
  systemctl stop ${unitOf(version)} 2>/dev/null || :
  rm -rf ${data}
fi
[ ! -e ${`${data}/PG_VERSION`} ] || { echo ${`${data} holds a database`} >&2; exit 1; }
free=$(df -B1 --output=avail /var/lib/postgresql | tail -n 1 | tr -d ' ')
[ "$free" -ge ${bytes} ] || { echo "$free bytes are free in /var/lib/postgresql, and the database needs ${raw(String(bytes))}" >&2; exit 1; }
mkdir -p /var/lib/odoo-prov
: >${MARKER}
sync ${MARKER}
install -d -o postgres -g postgres -m 700 ${data}
${runRestore(command)}`;
}

/** Debian's configuration for the restored data, and what its recovery needs: archiving too, for the new timeline. */
export function configureBareScript(version: number, stanza: string): Script {
  const cluster = { id: `${String(version)}/main`, version, name: 'main' };
  const settings = NEEDED.map(([name, control]) => `${name} = $(control ${control})`).join('\n');
  return sh`(
${pathsOf(cluster)}
umask 022
${adoptData(cluster)}
# The sample is no configuration; nobody but this host comes in before apply writes ours.
echo 'local all postgres peer' >"$conf/pg_hba.conf"
${startAtBoot}
control() { "$bin/pg_controldata" "$data" | sed -n "s/^$1 setting: *//p"; }
cat >>"$data/postgresql.auto.conf" <<EOF
${raw(settings)}
archive_mode = on
archive_command = 'pgbackrest --stanza=${raw(stanza)} archive-push %p'
EOF
)`;
}

/** Takes out again what {@link configureBareScript} set: from here on apply says how the server is configured. */
export function settleBareScript(): Script {
  const names = [...NEEDED.map(([name]) => name), 'archive_mode', 'archive_command'];
  return sh`
${PSQL}
printf '%s\n' ${names.map((name) => `alter system reset ${name};`)} | psql_as_postgres postgres`;
}

/** All is restored. */
export function doneScript(): Script {
  return sh`rm -f ${MARKER}`;
}
