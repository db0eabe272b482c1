#!/bin/sh
# Bundles to dist/ when a source is newer than what is there.
set -eu
cd "$(dirname "$0")/.."

built=dist/main.js
if [ -f "$built" ] &&
  [ -z "$(find src roles playbooks templates scripts package.json rolldown.config.ts -newer "$built" | head -n 1)" ]; then
  exit 0
fi
npm run --silent build
