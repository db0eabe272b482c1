#!/bin/sh
# Written by odoo-prov. Keeps two database hosts from taking writes at the same time, without odoo-prov
# running. `start` is asked before PostgreSQL starts, `watch` looks while it runs. It never promotes.
set -u
. /etc/odoo-prov/postgres-guard.conf
# There while our data is known to be outdated, or about to be: it takes no writes until it is a standby's.
FENCED=/var/lib/odoo-prov/postgres-fenced
HAD_STANDBY=/var/lib/odoo-prov/postgres-had-standby
# Both are gone after a reboot: the operator's word for one start, and that this server took writes just now.
RELEASE=/run/odoo-prov/postgres-lone-start
TOOK_WRITES=/run/odoo-prov/postgres-took-writes
PAST_FORK=/usr/lib/odoo-prov/past-fork
# A server that was promoted, by whomever, is the newest.
MARK=odoo-prov-past-fork

# Follows another server, or is being restored from the archive: takes no writes.
is_standby() { [ -e "$DATA/standby.signal" ] || [ -e "$DATA/recovery.signal" ]; }

# A power cut leaves the file with the process id behind, and the id may be another process's by now: PostgreSQL is
# the one that works in the data directory.
runs() {
  pid=$(head -n 1 "$DATA/postmaster.pid" 2>/dev/null) || return 1
  [ "$(readlink "/proc/$pid/cwd")" = "$DATA" ]
}

# The newest timeline of our data: of the last checkpoint, or of a promotion since.
own_timeline() {
  last=$("$BIN/pg_controldata" "$DATA" | sed -n "s/^Latest checkpoint's TimeLineID: *//p")
  history=$(ls "$DATA/pg_wal" | sed -n 's/\.history$//p' | tail -n 1)
  history=$(printf %d "0x${history:-0}")
  if [ "$history" -gt "$last" ]; then echo "$history"; else echo "$last"; fi
}

own_identifier() { "$BIN/pg_controldata" "$DATA" | sed -n 's/^Database system identifier: *//p'; }

# Prints a line "address writable timeline" for each peer of our cluster that answers. Of a standby the newest timeline that
# it has heard of: its control file learns of a promotion only by and by, and the receiver tells it only while it runs; the
# names in pg_wal stay.
ask_peers() {
  mine=$(own_identifier)
  for peer in $PEERS; do
    {
      answer=$(PGPASSFILE=$PASS_FILE PGCONNECT_TIMEOUT=3 timeout -k 1 6 "$BIN/psql" -XAtqw -F ' ' \
        "host=$peer port=5432 user=$ROLE dbname=postgres sslmode=require" -c "
        select not pg_is_in_recovery(),
          case when pg_is_in_recovery() then greatest(
            (select timeline_id from pg_control_checkpoint()),
            coalesce((select min_recovery_end_timeline from pg_control_recovery()), 0),
            coalesce((select received_tli from pg_stat_wal_receiver), 0),
            coalesce((select max(('x' || substr(name, 1, 8))::bit(32)::int) from pg_ls_dir('pg_wal', true, false) name
              where name ~ '^[0-9A-F]{8}([0-9A-F]{16}|[.]history)'), 0))
          else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
          (select system_identifier from pg_control_system())" 2>/dev/null) || answer=
      set -- $answer
      if [ $# -eq 3 ] && [ "$3" = "$mine" ]; then echo "$peer $1 $2"; fi
    } </dev/null &
  done
  wait
}

# systemd tries again after a second, which is for a server that was killed; this one is asked again later.
refuse() {
  echo "$1" >&2
  sleep 4
  exit 1
}

# Remembers over reboots that another has taken over: the peer that says so now may be silent at the next start.
fence() {
  mkdir -p "${FENCED%/*}"
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ): $1" >"$FENCED.new"
  sync "$FENCED.new"
  mv -f "$FENCED.new" "$FENCED"
  sync "${FENCED%/*}"
}

# Fenced by ourselves, by a failover or by a rejoin; these may have been cut before anybody was promoted. Takes the peers'
# answers and our own timeline.
stay_fenced() {
  why="stays down: fenced at $(cat "$FENCED")"
  if [ -z "$1" ]; then
    refuse "$why. No other database host answers. Next: odoo-prov rejoin where another has taken over, odoo-prov failover again where that was cut. If all others are lost for good: touch $RELEASE"
  fi
  while read -r peer writable timeline; do
    if [ "$writable" = t ] || [ "$timeline" -gt "$2" ]; then refuse "$why. Next: odoo-prov rejoin"; fi
  done <<EOF
$1
EOF
  refuse "$why. No host that answers has taken over. Next: bring back the one that has, or odoo-prov failover again where that was cut"
}

# A standby that is past the fork must hear of the new timeline while it runs, to see it. It is told again by its primary.
forget_forks() {
  if ! [ -e "$DATA/standby.signal" ]; then return; fi
  for history in "$DATA"/pg_wal/????????.history; do
    if [ -e "$history" ] && "$PAST_FORK" "$DATA" "$history"; then
      echo "has WAL past the point where another one took over by ${history##*/}: it cannot follow. Next: odoo-prov rejoin"
      rm -f "$history"
    fi
  done
}

start() {
  # It takes no writes now; and once it is promoted, it is the newest.
  if is_standby; then
    rm -f "$FENCED"
    forget_forks
    exit 0
  fi
  rm -f "$DATA/$MARK"
  if [ ! -s "$DATA/global/pg_control" ]; then exit 0; fi
  mkdir -p "${RELEASE%/*}"
  own=$(own_timeline)
  answers=$(ask_peers)
  # The operator's word counts where nobody knows better.
  if [ -z "$answers" ] && [ -e "$RELEASE" ]; then
    rm -f "$RELEASE" "$FENCED"
    exit 0
  fi
  if [ -e "$FENCED" ]; then stay_fenced "$answers" "$own"; fi
  while read -r peer writable timeline; do
    if [ -z "$peer" ]; then continue; fi
    if [ "$timeline" -gt "$own" ]; then
      fence "$peer knows timeline $timeline, this data ends on $own"
      refuse "stays down: $peer knows timeline $timeline, this data ends on $own. Next: odoo-prov rejoin"
    fi
    if [ "$writable" = t ]; then refuse "stays down: $peer takes writes already"; fi
  done <<EOF
$answers
EOF
  if [ -n "$answers" ] || [ ! -e "$HAD_STANDBY" ] || [ "$LONE_START" = start ]; then exit 0; fi
  # A restart of what took writes until a moment ago is no more dangerous than if it had gone on.
  if [ -n "$(find "$TOOK_WRITES" -mmin -1 2>/dev/null)" ]; then exit 0; fi
  refuse "waits: no other database host answers, and one of them may have taken over. To start it all the same: touch $RELEASE"
}

watch() {
  while sleep 3; do
    if ! runs; then continue; fi
    # As at its start: left behind, it would keep this server down some time after it was promoted.
    if is_standby; then
      rm -f "$FENCED"
      continue
    fi
    rm -f "$DATA/$MARK"
    mkdir -p /run/odoo-prov
    : >"$TOOK_WRITES"
    answers=$(ask_peers)
    if [ -n "$answers" ] && [ ! -e "$HAD_STANDBY" ]; then : >"$HAD_STANDBY"; fi
    own=$(own_timeline)
    while read -r peer writable timeline; do
      if [ -z "$peer" ] || [ "$timeline" -le "$own" ]; then continue; fi
      echo "stopping PostgreSQL: $peer knows timeline $timeline, this server still takes writes on $own" >&2
      fence "$peer knows timeline $timeline, this data ends on $own"
      systemctl stop "$UNIT"
    done <<EOF
$answers
EOF
  done
}

case ${1:-} in
  start) start ;;
  watch) watch ;;
  *) refuse "usage: $0 start|watch" ;;
esac
