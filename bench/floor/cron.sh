# covers check:odoo-cron
files="$files /etc/odoo/cron.conf /etc/systemd/system/odoo-cron.service"
units="$units odoo-cron.service"
watched="$watched /etc/odoo/cron.conf /etc/systemd/system/odoo-cron.service"
pid=$(systemctl show -P MainPID odoo-cron.service)
sed -n 's/^max_cron_threads = //p' /etc/odoo/cron.conf
grep -sc "^PPid:[[:space:]]*$pid$" /proc/[0-9]*/status | grep -c ':1$'
