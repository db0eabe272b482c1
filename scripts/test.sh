#!/bin/sh
# `npm test`, and `npm run soak` for the suites that take longer: from a fresh clone. Lint and types first, so that the
# summary of the tests comes last.
set -eu
cd "$(dirname "$0")/.."

if [ "$(uname -s)" != Linux ] || [ "$(id -u)" -ne 0 ]; then
  echo "npm test makes real Debian hosts to test against: it needs Linux and root." >&2
  echo "Without them: npm run test:unit" >&2
  exit 1
fi
sh scripts/setup.sh

# What the tests themselves need; the lab installs its own.
missing=
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
command -v ssh >/dev/null 2>&1 || missing="$missing openssh-client"
command -v ps >/dev/null 2>&1 || missing="$missing procps"
# The transport is tested against sshd and sudo of this machine, on loopback ports.
[ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
command -v sudo >/dev/null 2>&1 || missing="$missing sudo"
if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # shellcheck disable=SC2086 -- words on purpose
  apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 $missing
fi

sh scripts/build.sh
npm run --silent lint
npm run --silent typecheck
[ $# -gt 0 ] || set -- --project unit --project hosts
exec npx vitest run "$@"
