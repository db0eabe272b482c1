# covers check:odoo-app
files="$files /etc/odoo/app.conf /etc/systemd/system/odoo-app.service"
units="$units odoo-app.service"
watched="$watched /etc/odoo/app.conf /etc/systemd/system/odoo-app.service"
curl -s -o /dev/null -m 4 -w '%{http_code}\n' http://127.0.0.1:8069/web/health
