#!/bin/sh
# `npm run bench [-- --rounds N | --inventory FILE | --down]`: see docs/benchmarks.md.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

sh "$root/scripts/setup.sh"
sh "$root/scripts/build.sh"
built=$root/.odoo-prov/bench/main.js
if [ ! -f "$built" ] || [ -n "$(find "$root"/bench -newer "$built" | head -n 1)" ]; then
  "$root/node_modules/.bin/tsc" -p "$root/bench/tsconfig.json"
  touch "$built"
fi
exec node "$built" "$@"
