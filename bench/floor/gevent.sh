# covers check:odoo-gevent directory:/usr/lib/odoo-prov/addons/odoo_prov_bus
# covers file:/usr/lib/odoo-prov/addons/odoo_prov_bus/LICENSE
# covers file:/usr/lib/odoo-prov/addons/odoo_prov_bus/__init__.py
# covers file:/usr/lib/odoo-prov/addons/odoo_prov_bus/__manifest__.py
bus=/usr/lib/odoo-prov/addons/odoo_prov_bus
bus_files="$bus/LICENSE $bus/__init__.py $bus/__manifest__.py"
directories="$directories $bus"
files="$files $bus_files /etc/odoo/gevent.conf /etc/systemd/system/odoo-gevent.service"
units="$units odoo-gevent.service"
watched="$watched $bus_files /etc/odoo/gevent.conf /etc/systemd/system/odoo-gevent.service"
curl -s -o /dev/null -m 4 -w '%{http_code}\n' http://127.0.0.1:8072/websocket/health
