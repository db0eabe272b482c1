#!/bin/sh
# Written by odoo-prov. PostgreSQL's restore_command: fetch-wal FILE TO STANZA ADDRESS PORT, of where the archive is.
# A standby waits for it, and so does its promotion. An archive that takes connections and then says nothing (a frozen
# host, a firewall that drops) would hold it for an hour and more: three times pgBackRest's protocol-timeout. So silence is
# bounded, and never how long a file may take: on a slow line, a big segment is still on its way.
set -u
file=$1 to=$2 stanza=$3 address=$4 port=$5
# A promotion asks for several files, one after the other: an archive that was just silent is not waited for again.
SILENT=/run/postgresql/odoo-prov-archive-silent
REST=10

# Seconds since the host was started: no clock that is set can turn them back.
seconds() { cut -d . -f 1 /proc/uptime; }

# PostgreSQL then streams, and asks again. With more than 125 it would give up.
silent() {
  seconds >"$SILENT"
  echo "fetch-wal: $1; the archive is not asked for $REST s" >&2
  exit 1
}

since=$(cat "$SILENT" 2>/dev/null)
case $since in
  '' | *[!0-9]*) ;;
  *)
    ago=$(($(seconds) - since))
    if [ "$ago" -ge 0 ] && [ "$ago" -lt "$REST" ]; then exit 1; fi
    ;;
esac

# Only who really answers shakes hands: the kernel of a frozen host takes connections as well.
timeout -k 1 3 openssl s_client -connect "$address:$port" </dev/null >/dev/null 2>&1 ||
  silent "$address:$port did not answer within 3 s"

# Segments are fetched by a process of their own, which goes on when this one ends; anything else is a few lines of text.
limit=
case $file in *.*) limit='timeout -k 1 10' ;; esac
code=0
$limit pgbackrest "--stanza=$stanza" --io-timeout=10 --protocol-timeout=10 archive-get "$file" "$to" || code=$?
case $code in
  # There it is, or there is no such file.
  0 | 1) exit "$code" ;;
  # After a minute it is still on its way.
  82) exit 1 ;;
esac
silent "$file could not be fetched: pgBackRest ended with $code"
