#!/bin/sh
# Written by odoo-prov, which replaces changes made here.
# Takes a snapshot of Odoo's attachments. Run as Odoo's user, by its unit.
set -eu
FOLDER=/etc/odoo-prov-filestore/client
. /usr/lib/odoo-prov/filestore-restic

if [ -n "$MARKER" ] && [ ! -e "$MARKER" ]; then
  echo "$MARKER is missing: the shared filestore is not mounted" >&2
  exit 1
fi
# A keeper makes its repository itself. In a bucket it is made once: one that is not there any more is an error.
case $RESTIC_REPOSITORY in
  s3:*) if [ ! "$STAMP" -nt "$FOLDER/access" ] && missing; then restic_ init; fi ;;
esac
if [ ! -d "$ATTACHMENTS" ]; then
  known=$(restic_ --no-lock snapshots --json)
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
# Odoo removes files while this reads (3: some could not be read).
left=5
while :; do
  patient backup --host "$CLUSTER" --exclude "$ATTACHMENTS/checklist" "$ATTACHMENTS"
  printf '%s\n' "$said" | tail -n 20
  [ "$code" -ne 0 ] || break
  left=$((left - 1))
  [ "$code" -eq 3 ] && [ "$left" -gt 0 ] || exit 1
done
touch "$STAMP"
