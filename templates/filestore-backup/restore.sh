#!/bin/sh
# Written by odoo-prov, which replaces changes made here.
# Brings attachments back that are in a snapshot and not in the filestore; nothing that is there is touched.
# filestore-restore SNAPSHOT…
# Prints a line a snapshot: `added NUMBER of NUMBER`.
set -eu
umask 0027
FOLDER=/etc/odoo-prov-filestore/client
. /usr/lib/odoo-prov/filestore-restic

# What is brought back belongs to Odoo; the password is for another group. By being in that one first, this is a process
# that Odoo's own may not look into.
if [ "$(id -u)" -eq 0 ]; then
  exec setpriv --reuid="$OWNER" --regid="$READERS" --groups="$(id -g "$OWNER")" "$0" "$@"
fi
# A folder in the filestore, Odoo's.
folder() {
  [ -d "$1" ] || {
    mkdir -p "$1"
    chgrp "$OWNER" "$1"
  }
}

if [ -n "$MARKER" ] && [ ! -e "$MARKER" ]; then
  echo "$MARKER is missing: the shared filestore is not mounted" >&2
  exit 1
fi
# In the filestore itself: files are renamed to their place, so each is there whole or not at all.
stage=$FILESTORE/filestore/.odoo-prov-restore
trap 'rm -rf "$stage"' EXIT
folder "$ATTACHMENTS"
# Old snapshots may be on their way out.
patient list snapshots
if [ "$code" -ne 0 ]; then
  printf '%s\n' "$said" >&2
  exit 1
fi

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
    # shellcheck disable=SC2086 # options without blanks
    sed 's/^/--include=/' "$stage/.missing" |
      xargs -d '\n' -n 500 restic $OPTIONS --quiet restore "$snapshot" --target "$stage"
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
  (cd "$stage$ATTACHMENTS" && find . -type d) | while IFS= read -r name; do
    folder "$ATTACHMENTS/$name"
    find "$stage$ATTACHMENTS/$name" -maxdepth 1 -type f -exec mv -n -t "$ATTACHMENTS/$name" {} +
  done
  echo "added $missing of $wanted"
done
