import { base64, lines, raw, Secret, sh, type Script } from '../shell/index.js';
import type { OdooDatabaseResource } from './odoo-database-resource.js';
import { ODOO_SETTLE } from './odoo-database-settle.js';

/** Exists from before Odoo's first table until the very last step: what it stands beside is unfinished. */
export const UNFINISHED_SCHEMA = 'odoo_prov_unfinished';

/**
 * `status` ready | unfinished | empty | foreign; when ready, the active languages and the parameters.
 * foreign: there are tables, but neither a finished Odoo nor our mark of an unfinished one.
 */
function lookSql(resource: OdooDatabaseResource): string {
  const keys = Object.keys(resource.parameters).map(literal).join(', ');
  return `SELECT to_regclass('public.ir_module_module') IS NOT NULL AS odoo,
  to_regnamespace('${UNFINISHED_SCHEMA}') IS NOT NULL AS unfinished,
  NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public') AS empty \\gset
\\set ready false
\\if :odoo
SELECT coalesce(bool_or(state IN ('installed', 'to upgrade')), false) AS ready
  FROM ir_module_module WHERE name = 'base' \\gset
\\endif
SELECT CASE WHEN :'unfinished'::bool THEN 'unfinished' WHEN :'ready'::bool THEN 'ready'
  WHEN :'empty'::bool THEN 'empty' ELSE 'foreign' END AS status \\gset look_
SELECT 'status', :'look_status';
SELECT :'look_status' = 'ready' AS ready \\gset
\\if :ready
SELECT 'language', code FROM res_lang WHERE active;
SELECT 'parameter', key, value FROM ir_config_parameter WHERE key IN (${keys});
\\endif
`;
}

/** Drops every table, view and sequence that Odoo's own role made: all of it is from a cut initialisation. */
const CLEAN_SQL = `DO $$
DECLARE what record;
BEGIN
  FOR what IN SELECT format('public.%I', c.relname) AS name, c.relkind AS kind FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
      AND pg_get_userbyid(c.relowner) = current_user
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE',
      CASE what.kind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
        ELSE 'TABLE' END, what.name);
  END LOOP;
END $$;
`;

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What was last seen of the database, for looks while PostgreSQL is down. */
function recordPath(resource: OdooDatabaseResource): string {
  return `/var/lib/odoo-prov/odoo-database.${resource.id}`;
}

/** Shell functions `sql` (statements on stdin) and `look`. */
function functions(resource: OdooDatabaseResource): Script {
  const { passFile, host, port, user, name } = resource;
  return sh`sql() {
  PGPASSFILE=${passFile} PGCONNECT_TIMEOUT=5 PGOPTIONS='-c statement_timeout=60000 -c lock_timeout=5000' \
    psql -X -q -A -t -w -F "$(printf '\t')" -v ON_ERROR_STOP=1 -h ${host} -p ${port} -U ${user} -d ${name}
}
look() {
  sql <<'look-sql'
${raw(lookSql(resource))}look-sql
}`;
}

/**
 * Looks at each database as Odoo's own role. While PostgreSQL cannot be asked, it repeats what the last
 * apply saw: that PostgreSQL is down is for PostgreSQL's own resources to say.
 */
export function probeOdooDatabase(wanted: readonly OdooDatabaseResource[]): Script {
  return lines(
    wanted.map(
      (resource) => sh`printf '@%s\n' ${resource.id}
${functions(resource)}
if ! command -v psql >/dev/null; then seen='psql is not installed'; code=1
elif [ ! -r ${resource.passFile} ]; then seen='its password is not here yet'; code=1
else seen=$(look 2>&1) && code=0 || code=$?
fi
if [ "$code" = 0 ]; then printf '%s\n' "$seen"
elif [ -s ${recordPath(resource)} ]; then cat ${recordPath(resource)}
else printf 'unknown\t%s\n' "$(printf '%s' "$seen" | tr '\n\t' '  ')"
fi`,
    ),
  );
}

/**
 * Initialises the database if it is empty or was left unfinished, then sets languages and parameters.
 * Killed at any moment, the next run sees {@link UNFINISHED_SCHEMA} and starts again from nothing.
 */
export function applyOdooDatabase(resource: OdooDatabaseResource): Script {
  const { config, systemUser, home, name } = resource;
  return sh`umask 027
${functions(resource)}
odoo() {
  runuser -u ${systemUser} -- env HOME=${home} /usr/bin/odoo "$@"
}
initialise() {
  echo 'CREATE SCHEMA IF NOT EXISTS ${raw(UNFINISHED_SCHEMA)};' | sql
  odoo --config=${config} --database=${name} --init=base --stop-after-init --workers=0 --no-http 2>&1
}
status=$(look | sed -n 's/^status.//p')
case $status in
ready) ;;
empty) initialise ;;
unfinished)
  echo 'an initialisation was cut short: starting it again'
  sql <<'clean-sql'
${raw(CLEAN_SQL)}clean-sql
  initialise ;;
*)
  echo 'the database ${raw(name)} holds tables that are not of a finished Odoo: nothing was changed' >&2
  exit 1 ;;
esac
printf %s ${base64(settleProgram(resource))} | base64 -d | odoo shell --config=${config} --database=${name} --no-http 2>&1
look >${recordPath(resource)}.new
grep -q 'ready$' ${recordPath(resource)}.new
mv ${recordPath(resource)}.new ${recordPath(resource)}`;
}

/** Python for `odoo shell`, over stdin: the admin's password must not be in any argument. */
function settleProgram(resource: OdooDatabaseResource): Secret {
  const wanted = JSON.stringify({
    languages: resource.languages,
    parameters: resource.parameters,
    password: resource.adminPassword.reveal(),
    unfinished: UNFINISHED_SCHEMA,
  });
  const encoded = Buffer.from(wanted).toString('base64');
  return new Secret(`WANTED = '${encoded}'\n${ODOO_SETTLE}`);
}
