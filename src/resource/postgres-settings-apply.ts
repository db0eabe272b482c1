import type { Settings } from '../inventory/cluster.js';
import { base64, lines, raw, sh, type Script } from '../shell/index.js';
import type { Change } from './kind.js';
import { EMPTY_AUTO_FILE } from './postgres-auto-file.js';
import { lastWords, markLogs } from './postgres-log.js';
import { HOT_STANDBY, withNeeds } from './postgres-hot-standby.js';
import { OVERRIDES } from './postgres-overrides.js';
import {
  AUTO_FILE,
  confOf,
  dataOf,
  includePattern,
  namesOf,
  PENDING,
  SETTINGS_FILE,
  type PostgresSettings,
} from './postgres-settings-resource.js';
import { PSQL, SESSION } from './postgres-sql.js';
import { settingsFile } from './postgres-values.js';

/**
 * The script that writes the file and takes it into the running server. The server is restarted only where the
 * look said that it must be (or could not say): what turns out to be due meanwhile is for the next look.
 */
export function applySettings({ resource, have }: Change<PostgresSettings>): Script {
  const { version, cluster } = resource;
  const settings = withNeeds(resource.settings, have);
  const restarts = !(typeof have === 'object' && 'restart' in have && have['restart'] === 'done');
  return sh`
umask 022
conf=${confOf(resource)}
bin=${`/usr/lib/postgresql/${String(version)}/bin`}
data=${dataOf(resource)}
unit=${`postgresql@${String(version)}-${cluster}.service`}
tmp=/run/odoo-prov-postgres
rm -rf "$tmp"
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp"
cp -a "$conf/." "$tmp/"
chown postgres:postgres "$tmp"
new=$tmp/${SETTINGS_FILE}
mkdir -p "$conf/conf.d" "$tmp/conf.d"
printf %s ${base64(settingsFile(settings))} | base64 -d >"$new"
chown postgres:postgres "$new"
chmod 644 "$new"
put() {
  cp -p "$1" "$2.odoo-prov"
  sync "$2.odoo-prov"
  mv -f "$2.odoo-prov" "$2"
}
${EMPTY_AUTO_FILE}
included=yes
if ! grep -Eq ${includePattern(resource)} "$conf/postgresql.conf"; then
  included=no
  # A copy, also where it is a link: nothing is written through that.
  cp -pL --remove-destination "$conf/postgresql.conf" "$tmp/postgresql.conf"
  printf '\n%s\n' "include_dir = 'conf.d'" >>"$tmp/postgresql.conf"
fi
configured() {
  (cd / && setpriv --reuid=postgres --regid=postgres --init-groups \
    "$bin/postgres" -C "$1" -c config_file="$tmp/postgresql.conf")
}
configured data_directory >/dev/null 2>"$tmp/said" || { sed "s|$tmp/|$conf/|g" "$tmp/said" >&2; exit 1; }
${NOT_LESS_THAN_PRIMARY}
${PSQL}
# What it runs with now, to go back to: not a file that was written and still waits for a restart. After a
# kill the server may be down: then the file kept before stays.
earlier=${`/var/lib/odoo-prov/postgres-${String(version)}-${cluster}.settings`}
if [ -e "$conf/"${SETTINGS_FILE} ] && "$bin/pg_isready" -q -h /var/run/postgresql -p 5432; then
  mkdir -p /var/lib/odoo-prov
  if ! [ -e "$earlier" ] ||
    [ "$(printf '%s\n' ${`select count(*) from pg_settings where ${PENDING}`} | psql_as_postgres postgres)" = 0 ]; then
    cp -p "$conf/"${SETTINGS_FILE} "$earlier"
  fi
fi
put "$new" "$conf/"${SETTINGS_FILE}
# Without the line our file is not read, and the next reload makes the server what PostgreSQL's defaults are.
if [ "$included" = no ]; then put "$tmp/postgresql.conf" "$(readlink -f "$conf/postgresql.conf")"; fi
waits=no
if systemctl is-active --quiet "$unit"; then
${takeIn(resource, restarts)}
fi
if [ "$waits" = no ]; then rm -f "$earlier"; fi`;
}

/**
 * A standby does not start with less of some settings than its primary had where it has replayed; one that runs
 * is given a minute to replay what a primary with less writes first.
 */
const NOT_LESS_THAN_PRIMARY = lines([
  raw(`enough() {
  wanted=$(configured "$1")
  tries=0
  while :; do
    primary=$("$bin/pg_controldata" "$data" | sed -n "s/^$2 setting: *//p")
    if [ "$wanted" -ge "$primary" ]; then return 0; fi
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ] || ! systemctl is-active --quiet "$unit"; then break; fi
    sleep 0.5
  done
  echo "with $1 = $wanted this standby would not start: up to where it has replayed, the primary runs with $primary. If another file in $conf/conf.d says $1, take it out there; otherwise the primary is restarted with less first: odoo-prov apply --restart-primary" >&2
  exit 1
}
if [ -e "$data/standby.signal" ] && [ -s "$data/global/pg_control" ]; then`),
  ...Object.entries(HOT_STANDBY).map(([name, { control }]) => sh`enough ${name} ${control}`),
  raw('fi'),
]);

function takeIn(resource: PostgresSettings, restarts: boolean): Script {
  const { settings } = resource;
  const reset = `select format('alter system reset %s', quote_ident(name)) from pg_file_settings
where sourcefile like '%/${AUTO_FILE}' \\gexec
select reset from (${OVERRIDES}) o \\gexec
select pg_reload_conf();`;
  const due = `select (select count(*) from pg_settings where ${PENDING})
  + (${Object.keys(settings).length} - count(*)) from pg_settings where lower(name) in (${namesOf([resource])});`;
  return sh`
loaded() { echo 'select pg_conf_load_time();' | psql_as_postgres postgres; }
before=$(loaded)
printf '%s\n' ${SESSION} ${reset} | psql_as_postgres postgres >/dev/null
tries=0
while [ "$(loaded)" = "$before" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 50 ] || { echo "PostgreSQL did not reload its configuration within 10 s" >&2; exit 1; }
  sleep 0.2
done
if [ "$(printf '%s\n' ${due} | psql_as_postgres postgres)" != 0 ]; then
${restarts ? restart(settings['log_directory']) : raw('waits=yes')}
fi`;
}

/**
 * Restarts the server, or puts the settings before back and starts it with them.
 * @param logs where it writes its own log, of which the journal has nothing; undefined: there
 */
function restart(logs: Settings[string] | undefined): Script {
  const [before, words] =
    logs === undefined ? [raw(':'), raw(':')] : [markLogs(String(logs)), lastWords(String(logs))];
  return sh`
put_back() {
  {
    echo "$1: mend them under postgres.settings and apply again"
    journalctl -q -n 20 -o cat -u "$unit"
    ${words}
    if [ -e "$earlier" ]; then
      put "$earlier" "$conf/"${SETTINGS_FILE}
      if systemctl restart "$unit"; then
        echo 'the settings before are in place again, and it runs with them'
      else
        echo 'the settings before are in place again, and it does not start with them either'
      fi
    fi
  } >&2
  exit 1
}
${before}
echo "restarting $unit: a setting needs it"
systemctl restart "$unit" || put_back "$unit does not start with these settings"
# By the clock: each question to a server that does not answer takes 3 s.
until_then=$(($(date +%s) + 120))
until "$bin/pg_isready" -q -h /var/run/postgresql -p 5432; do
  systemctl is-active --quiet "$unit" || put_back "$unit ended again with these settings"
  [ "$(date +%s)" -lt "$until_then" ] || put_back "$unit did not come back within 120 s with these settings"
  sleep 0.5
done`;
}
