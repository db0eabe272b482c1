#!/bin/sh
# Written by odoo-prov. PostgreSQL's restore_command: fetch-wal FILE TO STANZA [ADDRESS PORT], of where the archive is, if elsewhere.
# A standby waits for it, and so does its promotion. An archive that takes connections and then says nothing (a frozen
# host, a firewall that drops) would hold it for an hour and more: three times pgBackRest's protocol-timeout. So silence is
# bounded, and never how long a file may take: on a slow line, a big segment is still on its way.
set -u
file=$1 to=$2 stanza=$3 address=${4:-} port=${5:-}
# A promotion asks for several files, one after the other: an archive that was just silent is not waited for again.
SILENT=/run/postgresql/odoo-prov-archive-silent
REST=10
PAST_FORK=/usr/lib/odoo-prov/past-fork

# Seconds since the host was started: no clock that is set can turn them back.
seconds() { cut -d . -f 1 /proc/uptime; }

# PostgreSQL then streams, and asks again. With more than 125 it would give up.
silent() {
  seconds >"$SILENT"
  echo "fetch-wal: $1; the archive is not asked for $REST s" >&2
  exit 1
}

# Whether the timeline of a segment ends in it or before, by the newest history that this server knows. What the old primary wrote to
# it after that is not the new one's, whose own segment of that number has all from before. PostgreSQL would take either.
was_left() {
  history=$(ls pg_wal | grep '^[0-9A-F]\{8\}[.]history$' | sort | tail -n 1)
  timeline=$((0x$(printf %.8s "$1")))
  if [ -z "$history" ] || [ $((0x${history%.history})) -le "$timeline" ]; then return 1; fi
  fork=$(awk -v own="$timeline" '$1 == own { print $2; exit }' "pg_wal/$history")
  if [ -z "$fork" ]; then return 1; fi
  size=$("/usr/lib/postgresql/$(cat PG_VERSION)/bin/pg_controldata" . | sed -n 's/^Bytes per WAL segment: *//p')
  number=${1#????????}
  start=$(((0x${number%????????} << 32) + 0x${number#????????} * size))
  [ $(((0x${fork%/*} << 32) + 0x${fork#*/})) -lt $((start + size)) ]
}

# PostgreSQL asks from within its data; pg_rewind asks from elsewhere, and needs what was left.
follows() { [ -e standby.signal ]; }

# PostgreSQL's own word: it has not come to where its data is whole.
starts() { sed -n 8p postmaster.pid | grep -q '^starting'; }

case $file in
  *.*) ;;
  *) if follows && was_left "$file"; then exit 1; fi ;;
esac

since=$(cat "$SILENT" 2>/dev/null)
case $since in
  '' | *[!0-9]*) ;;
  *)
    ago=$(($(seconds) - since))
    if [ "$ago" -ge 0 ] && [ "$ago" -lt "$REST" ]; then exit 1; fi
    ;;
esac

# Only who really answers shakes hands: the kernel of a frozen host takes connections as well.
if [ -n "$address" ]; then
  timeout -k 1 3 openssl s_client -connect "$address:$port" </dev/null >/dev/null 2>&1 ||
    silent "$address:$port did not answer within 3 s"
fi

# Segments are fetched by a process of their own, which goes on when this one ends; anything else is a few lines of text.
limit=
case $file in *.*) limit='timeout -k 1 10' ;; esac
code=0
$limit pgbackrest "--stanza=$stanza" --io-timeout=10 --protocol-timeout=10 archive-get "$file" "$to" || code=$?
case $code in
  0)
    # Told of it now, it would go on as if its WAL were the new timeline's. Later it compares, and one that somebody promotes must
    # know which timelines there are.
    case $file in
      *.history) if follows && starts && "$PAST_FORK" . "$to"; then
        rm -f "$to"
        exit 1
      fi ;;
    esac
    exit 0
    ;;
  # There is no such file.
  1) exit 1 ;;
  # After a minute it is still on its way.
  82) exit 1 ;;
esac
silent "$file could not be fetched: pgBackRest ended with $code"
