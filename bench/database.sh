#!/bin/sh
# `npm run bench:moves [-- RUNS]`, `npm run bench:copies [-- RUNS]`, `npm run bench:reads`: see docs/benchmarks.md.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

sh "$root/scripts/setup.sh"
sh "$root/scripts/build.sh"
cd "$root"
node_modules/.bin/rolldown -c bench/rolldown.config.ts >/dev/null
name=$1
shift
exec node ".odoo-prov/bench/$name.js" "$@"
