#!/bin/sh
# Written by odoo-prov, which replaces changes made here.
# Takes a snapshot of Odoo's attachments. Run as Odoo's user, by its unit.
set -eu
export LC_ALL=C
set -a
. /etc/odoo-prov-filestore/client/environment
set +a

restic_() { restic --cacert "$AUTHORITY" --tls-client-cert "$IDENTITY" "$@"; }

if [ -n "$MARKER" ] && [ ! -e "$MARKER" ]; then
  echo "$MARKER is missing: the shared filestore is not mounted" >&2
  exit 1
fi
if [ ! -d "$ATTACHMENTS" ]; then
  known=$(restic_ snapshots --json)
  case $known in
    '[]' | null) ;;
    *)
      echo "$ATTACHMENTS is missing, and there are snapshots of it: nothing is saved over them" >&2
      exit 1 ;;
  esac
  echo 'Odoo has no attachments yet'
  touch "$STAMP"
  exit 0
fi

# The name of the cluster rather than of the host: the next snapshot builds on the last one, whichever host takes it.
# Odoo removes files while this reads (3: some could not be read); old snapshots are being removed (locked).
tries=0
while :; do
  code=0
  said=$(restic_ backup --host "$CLUSTER" --exclude "$ATTACHMENTS/checklist" "$ATTACHMENTS" 2>&1) || code=$?
  printf '%s\n' "$said" | tail -n 20
  [ "$code" -ne 0 ] || break
  tries=$((tries + 1))
  case $code:$said in
    3:*) [ "$tries" -lt 5 ] || exit 1 ;;
    *'already locked'*)
      [ "$tries" -lt 120 ] || exit 1
      sleep 30 ;;
    *) exit 1 ;;
  esac
done
touch "$STAMP"
