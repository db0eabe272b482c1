# covers check:pgbouncer-answers
packages="$packages pgbouncer ssl-cert postgresql-client"
directories="$directories /etc/systemd/system/pgbouncer.service.d /etc/odoo-prov"
own="/etc/pgbouncer/start.ini /etc/pgbouncer/databases.ini /etc/pgbouncer/pgbouncer.ini /etc/pgbouncer/userlist.txt /etc/systemd/system/pgbouncer.service.d/odoo-prov.conf"
files="$files $own /etc/odoo-prov/pgbouncer.pgpass"
units="$units pgbouncer.service"
watched="$watched $own /var/lib/dpkg/info/pgbouncer.list"
PGPASSFILE=/etc/odoo-prov/pgbouncer.pgpass PGCONNECT_TIMEOUT=4 psql -XAtqw -h @address@ -p 6432 -U odoo -d odoo -c 'select current_user'
# covers pgbouncerDatabase:odoo pgbouncerDatabase:postgres
setpriv --reuid=postgres --regid=postgres --init-groups psql -XAtqw -h /var/run/postgresql -p 6432 -U pgbouncer -d pgbouncer -c 'SHOW DATABASES'
