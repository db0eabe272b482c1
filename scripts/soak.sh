#!/bin/sh
# `npm run soak`: the suites that take longer than `npm test` may. Stopped, it goes on at the next time with what has not
# passed yet on this commit; `npm run soak -- --fresh` forgets what was recorded.
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" = --fresh ]; then
  shift
  rm -f .odoo-prov/soak.jsonl
fi
ODOO_PROV_SOAK=resume
export ODOO_PROV_SOAK
exec sh scripts/test.sh --project soak --passWithNoTests \
  --reporter=default --reporter=./test/support/soak-reporter.ts "$@"
