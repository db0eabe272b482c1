import { createHash } from 'node:crypto';
import type { Settings } from '../inventory/cluster.js';
import { base64, lines, sh, type Script } from '../shell/index.js';
import type { Kind, Observed, Resource, State } from './kind.js';
import { literal, parseSql, probeSql, PSQL, type SqlAnswer } from './postgres-sql.js';
import { meansTheSame, settingsFile, settingText } from './postgres-values.js';

export interface PostgresSettings extends Resource {
  readonly kind: 'postgresSettings';
  readonly version: number;
  readonly cluster: string;
  readonly settings: Settings;
}

/**
 * Settings of a cluster, in `conf.d/50-odoo-prov.conf` and live in the server: never in
 * `postgresql.auto.conf`, which pg_rewind copies. What needs a restart is restarted for, here: whether it
 * is still due is read off the server itself.
 */
export function postgresSettings(options: {
  readonly version: number;
  /** `main` if not given. */
  readonly cluster?: string;
  readonly settings: Settings;
}): PostgresSettings {
  const { version, cluster = 'main', settings } = options;
  return {
    kind: 'postgresSettings',
    id: `${String(version)}/${cluster}`,
    version,
    cluster,
    settings,
  };
}

const FILE = 'conf.d/50-odoo-prov.conf';
const MODE = 'postgres:postgres 644';

function confOf({ version, cluster }: PostgresSettings): string {
  return `/etc/postgresql/${String(version)}/${cluster}`;
}

function names(wanted: readonly PostgresSettings[]): string {
  const all = wanted.flatMap(({ settings }) => Object.keys(settings));
  return [...new Set(all.map((name) => literal(name.toLowerCase())))].join(', ');
}

/** Our own words for the file, so that a difference reads well. */
type FileState = 'as wanted' | 'other content' | 'absent';

function fileState(resource: PostgresSettings, output: string): { file: FileState; mode: string } {
  const line = output.split('\n').find((l) => l.startsWith(`file ${resource.id} `));
  const [, , hash, owner = '', mode = ''] = line?.split(' ') ?? [];
  const wanted = createHash('sha256').update(settingsFile(resource.settings)).digest('hex');
  if (hash === undefined || hash === '') return { file: 'absent', mode: MODE };
  return { file: hash === wanted ? 'as wanted' : 'other content', mode: `${owner} ${mode}` };
}

/** What the server says of each setting: the wanted text where it means the same, else its own. */
function liveState({ settings }: PostgresSettings, answer: SqlAnswer & { server: 'up' }): State {
  const state: Record<string, string> = {};
  const due: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    const wanted = settingText(value);
    const row = answer.rows.find((r) => r[0] === 's' && r[1]?.toLowerCase() === name.toLowerCase());
    const [, , setting = '', unit = '', type = '', context = '', , shown = '', reset = ''] =
      row ?? [];
    // Over the socket, tcp_… show 0 whatever is set; of a mode like 0640, the other one is in decimal.
    const same =
      row !== undefined &&
      [setting, reset].some((live) => meansTheSame(wanted, { setting: live, unit, type }));
    state[name] = same ? wanted : row === undefined ? 'absent' : shown;
    if (!same && (context === 'postmaster' || row === undefined)) due.push(name);
  }
  // One that is no longer wanted goes back to its default, and this one by a restart.
  const wantedNames = Object.keys(settings).map((name) => name.toLowerCase());
  for (const [kind, name = '', , , , context] of answer.rows) {
    if (kind === 's' && context === 'postmaster' && !wantedNames.includes(name.toLowerCase())) {
      due.push(name);
    }
  }
  const pending = answer.rows.filter((r) => r[0] === 's' && r[6] === 't').map((r) => r[1] ?? '');
  const errors = answer.rows.filter((r) => r[0] === 'e').map((r) => r.slice(1).join(' '));
  return {
    ...state,
    pending_restart: pending.join(', ') || 'none',
    errors: errors.join('; ') || 'none',
    needs_restart: [...new Set([...due, ...pending])].join(', '),
  };
}

/** A stopped server takes the file as it is when it starts: then only the file can differ. */
function stateOf(resource: PostgresSettings, output: string, answer: SqlAnswer): Observed {
  const { file, mode } = fileState(resource, output);
  if (answer.server === 'failed') return { unknown: answer.why };
  if (answer.server === 'up') return { ...liveState(resource, answer), file, mode };
  if (file === 'absent') return 'absent';
  return { ...wantedState(resource), file, mode };
}

function wantedState({ settings }: PostgresSettings): State {
  const texts = Object.entries(settings).map(([name, value]) => [name, settingText(value)]);
  return {
    ...(Object.fromEntries(texts) as Record<string, string>),
    file: 'as wanted',
    mode: MODE,
    pending_restart: 'none',
    errors: 'none',
  };
}

/** Takes new settings into the running server; restarts it where some cannot be had otherwise. */
function takeIn(resource: PostgresSettings): Script {
  const { version, cluster, settings } = resource;
  const reset = `select format('alter system reset %s', quote_ident(name)) from pg_file_settings
where sourcefile like '%/postgresql.auto.conf' and lower(name) in (${names([resource])}) \\gexec
select pg_reload_conf();`;
  const due = `select (select count(*) from pg_settings where pending_restart)
  + (${Object.keys(settings).length} - count(*)) from pg_settings where lower(name) in (${names([resource])});`;
  const unit = `postgresql@${String(version)}-${cluster}.service`;
  return sh`
put_back() {
  {
    echo "$1: mend them under postgres.settings and apply again"
    journalctl -q -n 20 -o cat -u ${unit}
    if [ -e "$earlier" ]; then
      cp -p "$earlier" "$conf/conf.d/.50-odoo-prov.new"
      mv -f "$conf/conf.d/.50-odoo-prov.new" "$conf/"${FILE}
      if systemctl restart ${unit}; then
        echo 'the settings before are in place again, and it runs with them'
      else
        echo 'the settings before are in place again, and it does not start with them either'
      fi
    fi
  } >&2
  exit 1
}
loaded() { echo 'select pg_conf_load_time();' | psql_as_postgres postgres; }
before=$(loaded)
printf '%s\n' ${reset} | psql_as_postgres postgres >/dev/null
tries=0
while [ "$(loaded)" = "$before" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 50 ] || { echo "PostgreSQL did not reload its configuration within 10 s" >&2; exit 1; }
  sleep 0.2
done
if [ "$(printf '%s\n' ${due} | psql_as_postgres postgres)" != 0 ]; then
  echo ${`restarting ${unit}: a setting needs it`}
  systemctl restart ${unit} || put_back ${`${unit} does not start with these settings`}
  tries=0
  until "$bin/pg_isready" -q -h /var/run/postgresql -p 5432; do
    tries=$((tries + 1))
    [ "$tries" -lt 240 ] || put_back ${`${unit} did not come back within 120 s with these settings`}
    sleep 0.5
  done
fi`;
}

export const postgresSettingsKind: Kind<PostgresSettings> = {
  name: 'postgresSettings',
  summary: 'settings of a PostgreSQL cluster: the file, and what the running server really uses',
  limit: 300,

  probe(wanted) {
    const files = wanted.map((resource) => {
      const path = `${confOf(resource)}/${FILE}`;
      return sh`if [ -e ${path} ]; then
  echo file ${resource.id} "$(sha256sum <${path} | cut -d ' ' -f 1)" "$(stat -c '%U:%G %a' ${path})"
fi`;
    });
    const query = probeSql(`
select 's', name, setting, unit, vartype, context, pending_restart, current_setting(name), reset_val
from pg_settings where lower(name) in (${names(wanted)}) or pending_restart
  or (sourcefile like '%/${FILE}' and context = 'postmaster');
select 'e', name, error from pg_file_settings
where error is not null and error <> 'setting could not be applied'
  and error not like '%cannot be changed without restarting the server';`);
    return lines([...files, sh`echo server`, query]);
  },

  parse(output, wanted) {
    const [files = '', server = ''] = output.split(/^server\n/m);
    const answer = parseSql(server);
    return new Map(wanted.map((resource) => [resource.id, stateOf(resource, files, answer)]));
  },

  want: wantedState,

  apply({ resource }) {
    const { version, cluster, settings } = resource;
    return sh`
umask 022
conf=${confOf(resource)}
bin=${`/usr/lib/postgresql/${String(version)}/bin`}
tmp=/run/odoo-prov-postgres
rm -rf "$tmp"
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp"
cp -a "$conf/." "$tmp/"
chown postgres:postgres "$tmp"
new=$tmp/${FILE}
mkdir -p "$conf/conf.d" "$tmp/conf.d"
printf %s ${base64(settingsFile(settings))} | base64 -d >"$new"
chown postgres:postgres "$new"
chmod 644 "$new"
(cd / && setpriv --reuid=postgres --regid=postgres --init-groups \
  "$bin/postgres" -C data_directory -c config_file="$tmp/postgresql.conf") >/dev/null
# What it runs with now, to go back to. After a kill the server may be down: then the file kept before stays.
earlier=${`/var/lib/odoo-prov/postgres-${String(version)}-${cluster}.settings`}
if [ -e "$conf/"${FILE} ] && "$bin/pg_isready" -q -h /var/run/postgresql -p 5432; then
  mkdir -p /var/lib/odoo-prov
  cp -p "$conf/"${FILE} "$earlier"
fi
cp -p "$new" "$conf/conf.d/.50-odoo-prov.new"
sync "$conf/conf.d/.50-odoo-prov.new"
mv -f "$conf/conf.d/.50-odoo-prov.new" "$conf/"${FILE}
${PSQL}
if systemctl is-active --quiet ${`postgresql@${String(version)}-${cluster}.service`}; then
${takeIn(resource)}
fi
rm -f "$earlier"`;
  },

  hazard({ have }) {
    const due = typeof have === 'object' && 'needs_restart' in have ? have['needs_restart'] : '';
    if (due === '') return undefined;
    return { type: 'restarts-primary', what: `PostgreSQL, for ${String(due)}` };
  },
};
