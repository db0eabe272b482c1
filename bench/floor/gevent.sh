# covers check:odoo-gevent
files="$files /etc/odoo/gevent.conf /etc/systemd/system/odoo-gevent.service"
units="$units odoo-gevent.service"
watched="$watched /etc/odoo/gevent.conf /etc/systemd/system/odoo-gevent.service"
curl -s -o /dev/null -m 4 -w '%{http_code}\n' http://127.0.0.1:8072/websocket/health
