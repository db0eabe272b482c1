#!/bin/sh
# Makes a fresh clone ready: checks Node, installs the node modules of the lockfile when they are missing or old.
set -eu
cd "$(dirname "$0")/.."

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  echo "odoo-prov needs Node.js >= 20.19 and npm; on Debian 13: apt-get install nodejs npm" >&2
  exit 1
fi
node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) process.exit(0);
  console.error(`odoo-prov needs Node.js >= 20.19; this is ${process.versions.node}`);
  process.exit(1);
'
# npm writes this file at the end of an installation.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund
fi
