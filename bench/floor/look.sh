# The end of every script: one call for all paths, one for all hashes, one for all packages, one for all units.
# $directories, $files, $packages, $units, $sysctls and $watched were gathered by what comes before.
. /etc/os-release
echo "$ID $VERSION_ID $VERSION_CODENAME"
grep MemTotal /proc/meminfo
nproc
systemd-detect-virt --container || true
grep -hE '^(URIs:|deb )' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null
cat /var/lib/odoo-prov/given 2>/dev/null
ls -d /var/lib/postgresql/*/*/global/pg_control 2>/dev/null
locale -a # covers locale:en_US.UTF-8
stat -L -c '%n %F %a %U %G' $directories
stat -c '%n %F %a %U %G' $files
sha256sum $files
dpkg-query -W -f '${Package} ${db:Status-Status} ${db:Status-Eflag}\n' $packages
systemctl show --timestamp=us+utc -p Names,LoadState,ActiveState,UnitFileState,NeedDaemonReload,InvocationID,InactiveExitTimestamp,NRestarts,ActiveEnterTimestampMonotonic $units
cat /proc/uptime
stat -c '%n %Y' $watched
cat /var/lib/odoo-prov/units/*.restart /var/lib/odoo-prov/units/*.reload 2>/dev/null
for key in $sysctls; do
  file=$(echo "$key" | tr . /)
  [ -w "/proc/sys/$file" ] || echo "$key is read-only"
done
grep -sH '' $(for key in $sysctls; do echo "/proc/sys/$(echo "$key" | tr . /) /etc/sysctl.d/90-odoo-prov-$key.conf"; done)
exit 0
