# covers postgresCluster:17/main postgresSettings:17/main postgresRole:odoo postgresDatabase:odoo
# covers postgresExtension:odoo/unaccent postgresExtension:odoo/pg_trgm postgresExtension:postgres/pg_stat_statements
# covers check:postgres-answers check:postgres-doors
packages="$packages ssl-cert postgresql-17"
directories="$directories /etc/postgresql-common/createcluster.d /var/log/postgresql/odoo-prov /etc/systemd/system/postgresql@17-main.service.d"
files="$files /etc/postgresql-common/createcluster.d/50-odoo-prov.conf /etc/postgresql/17/main/pg_hba.conf
  /etc/postgresql/17/main/conf.d/50-odoo-prov.conf /etc/systemd/system/postgresql@17-main.service.d/odoo-prov.conf"
units="$units postgresql.service postgresql@17-main.service odoo-prov-postgres-guard.service odoo-prov-postgres-standby-loss.service"
sysctls="$sysctls net.ipv4.tcp_syn_retries"
watched="$watched /etc/postgresql/17/main/pg_hba.conf"
bin=/usr/lib/postgresql/17/bin
$bin/pg_controldata /var/lib/postgresql/17/main
cat /etc/postgresql/17/main/start.conf
$bin/pg_isready -h @address@ -p 5432
cd /
setpriv --reuid=postgres --regid=postgres --init-groups $bin/psql -XAtq -h /var/run/postgresql -d postgres <<'SQL'
select name, setting, unit, vartype, context, pending_restart, current_setting(name), reset_val from pg_settings;
select name, error from pg_file_settings where error is not null;
select count(*) from pg_hba_file_rules where error is not null;
select rolname, rolcanlogin, rolcreatedb, rolsuper, rolcreaterole, rolreplication,
  encode(sha256(convert_to('salt' || coalesce(rolpassword, ''), 'UTF8')), 'hex') from pg_authid where rolname = 'odoo';
select datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate from pg_database where datname = 'odoo';
select extname, extnamespace::regnamespace, extversion, default_version
  from pg_extension join pg_available_extensions on name = extname where extname = 'pg_stat_statements';
\connect odoo
select extname, extnamespace::regnamespace, extversion, default_version
  from pg_extension join pg_available_extensions on name = extname where extname in ('unaccent', 'pg_trgm');
select provolatile from pg_proc where oid = to_regprocedure('public.unaccent(text)');
SQL
