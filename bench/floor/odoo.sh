# What app, cron and gevent hosts share.
# covers directory:/usr/lib/odoo-prov/addons/odoo_prov_session_redis aptSource:odoo-prov-sid user:odoo group:odoo check:filestore-shared-odoo
module=/usr/lib/odoo-prov/addons/odoo_prov_session_redis
# covers file:/usr/lib/odoo-prov/addons/odoo_prov_session_redis/LICENSE
# covers file:/usr/lib/odoo-prov/addons/odoo_prov_session_redis/__init__.py
# covers file:/usr/lib/odoo-prov/addons/odoo_prov_session_redis/__manifest__.py
# covers file:/usr/lib/odoo-prov/addons/odoo_prov_session_redis/store.py
# covers file:/usr/lib/odoo-prov/addons/odoo_prov_session_redis/unavailable.py
module_files="$module/LICENSE $module/__init__.py $module/__manifest__.py $module/store.py $module/unavailable.py"
packages="$packages postgresql-client curl python3-redis odoo-19"
directories="$directories /var/lib/odoo /srv/odoo /srv/odoo/filestore /etc/odoo $module"
files="$files $module_files /etc/odoo/pg_service.conf /etc/apt/preferences.d/odoo-prov-sid.pref /etc/apt/sources.list.d/odoo-prov-sid.sources"
units="$units odoo.service"
watched="$watched $module_files /var/lib/dpkg/info/odoo-19.list"
getent passwd odoo
getent group
runuser -u odoo -- head -n 1 /srv/odoo/filestore/.odoo-prov-@cluster@
