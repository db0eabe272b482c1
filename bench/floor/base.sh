# What every host has.
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
packages="locales ca-certificates unattended-upgrades"
directories="/var/lib/odoo-prov /etc/needrestart/conf.d"
files="/etc/apt/apt.conf.d/52odoo-prov /etc/needrestart/conf.d/50-odoo-prov.conf"
units="apt-daily.timer apt-daily-upgrade.timer"
sysctls="net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_retries2 vm.swappiness"
watched=
