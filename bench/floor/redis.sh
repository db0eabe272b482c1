# covers check:redis-answers
packages="$packages redis-server"
directories="$directories /etc/systemd/system/redis-server.service.d /etc/odoo-prov"
files="$files /etc/redis/redis.conf /etc/systemd/system/redis-server.service.d/odoo-prov.conf /etc/odoo-prov/redis.auth"
units="$units redis-server.service"
sysctls="$sysctls vm.overcommit_memory"
watched="$watched /etc/redis/redis.conf /etc/systemd/system/redis-server.service.d/odoo-prov.conf /var/lib/dpkg/info/redis-server.list"
REDISCLI_AUTH=$(cat /etc/odoo-prov/redis.auth) redis-cli -h @address@ -p 6379 ping
