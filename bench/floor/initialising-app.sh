# The one app host that looks after the database.
# covers file:/srv/odoo/filestore/.odoo-prov-@cluster@ odooDatabase:odoo
directories="$directories /etc/odoo-prov"
files="$files /srv/odoo/filestore/.odoo-prov-@cluster@ /etc/odoo/database.conf /etc/odoo-prov/odoo-database.pgpass"
PGPASSFILE=/etc/odoo-prov/odoo-database.pgpass PGCONNECT_TIMEOUT=5 psql -XqAtw -h @database@ -p 5432 -U odoo -d odoo <<'SQL'
select to_regclass('public.ir_module_module') is not null, to_regnamespace('odoo_prov_unfinished') is not null,
  not exists (select from pg_tables where schemaname = 'public');
select coalesce(bool_or(state in ('installed', 'to upgrade')), false) from ir_module_module where name = 'base';
select 'language', code from res_lang where active;
select 'parameter', key, value from ir_config_parameter where key in ('web.base.url', 'web.base.url.freeze', 'report.url');
SQL
