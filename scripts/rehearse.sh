#!/bin/sh
# `npm run rehearse [-- INVENTORY]`: the cluster of an inventory as local hosts, from nothing to a login page.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

if [ "$(uname -s)" != Linux ] || [ "$(id -u)" -ne 0 ]; then
  echo "The rehearsal makes real Debian hosts on this machine: it needs Linux and root (sudo npm run rehearse)." >&2
  echo "Everything else works from here: npm run build, then bin/odoo-prov apply FILE on hosts that you have." >&2
  exit 1
fi
sh "$root/scripts/setup.sh"
sh "$root/scripts/build.sh"
if [ $# -eq 0 ]; then set -- "$root/inventory/one-host.yaml"; fi
exec node "$root/bin/odoo-prov" rehearse "$@"
