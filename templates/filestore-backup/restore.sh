#!/bin/sh
# Written by odoo-prov, which replaces changes made here.
# Brings attachments back that are in a snapshot and not in the filestore; nothing that is there is touched.
# filestore-restore SNAPSHOT…
# Prints a line a snapshot: `added NUMBER of NUMBER`.
set -eu
export LC_ALL=C
umask 0027
set -a
. /etc/odoo-prov-filestore/client/environment
set +a
cd /

# What is brought back belongs to Odoo; the password is for another group.
if [ "$(id -u)" -eq 0 ]; then
  groups=$(id -g "$OWNER"),$(getent group "$READERS" | cut -d : -f 3)
  exec setpriv --reuid="$OWNER" --regid="$OWNER" --groups="$groups" "$0" "$@"
fi

restic_() { restic --cacert "$AUTHORITY" --tls-client-cert "$IDENTITY" "$@"; }

if [ -n "$MARKER" ] && [ ! -e "$MARKER" ]; then
  echo "$MARKER is missing: the shared filestore is not mounted" >&2
  exit 1
fi
# In the filestore itself: files are renamed to their place, so each is there whole or not at all.
stage=$FILESTORE/filestore/.odoo-prov-restore
trap 'rm -rf "$stage"' EXIT
mkdir -p "$ATTACHMENTS"

for snapshot in "$@"; do
  rm -rf "$stage"
  mkdir "$stage"
  restic_ ls -l "$snapshot" >"$stage/.listing"
  # Its regular files.
  sed -n 's/^-[^/]*\(\/.*\)$/\1/p' "$stage/.listing" | sort >"$stage/.wanted"
  find "$ATTACHMENTS" -type f | sort >"$stage/.there"
  comm -23 "$stage/.wanted" "$stage/.there" >"$stage/.missing"
  missing=$(wc -l <"$stage/.missing")
  wanted=$(wc -l <"$stage/.wanted")
  if [ "$missing" -eq 0 ]; then
    echo "added 0 of $wanted"
    continue
  fi
  # Sorted, so that those of a call are in few folders, and restic reads few.
  if [ "$missing" -eq "$wanted" ]; then
    restic_ --quiet restore "$snapshot" --target "$stage"
  else
    sed 's/^/--include=/' "$stage/.missing" |
      xargs -d '\n' -n 500 restic --cacert "$AUTHORITY" --tls-client-cert "$IDENTITY" --quiet restore "$snapshot" --target "$stage"
  fi
  # An attachment is called by the SHA-1 of what is in it.
  find "$stage$ATTACHMENTS" -type f -exec sha1sum {} + >"$stage/.sums"
  wrong=$(awk '{ name = $2; sub(/.*\//, "", name) } name ~ /^[0-9a-f]+$/ && length(name) == 40 && name != $1 { print $2 }' \
    "$stage/.sums")
  if [ -n "$wrong" ]; then
    echo "these do not have the content that their name says; nothing of this snapshot was brought back:" >&2
    printf '%s\n' "$wrong" | head -n 10 >&2
    exit 1
  fi
  lacking=$(cd "$stage" && sed 's/^/./' .missing | while IFS= read -r file; do [ -e "$file" ] || echo "$file"; done | wc -l)
  if [ "$lacking" -ne 0 ]; then
    echo "restic did not bring $lacking of $missing files" >&2
    exit 1
  fi
  (cd "$stage$ATTACHMENTS" && find . -type d) | while IFS= read -r folder; do
    mkdir -p "$ATTACHMENTS/$folder"
    find "$stage$ATTACHMENTS/$folder" -maxdepth 1 -type f -exec mv -n -t "$ATTACHMENTS/$folder" {} +
  done
  echo "added $missing of $wanted"
done
