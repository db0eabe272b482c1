#!/bin/sh
# Written by odoo-prov. Closes this replica to Odoo while it shows data that is too old: new connections are refused, so
# that Odoo goes to another replica or to the primary, and idle ones are ended. Requests in flight are finished.
set -u
. /etc/odoo-prov/postgres-replica-gate.conf
TABLE='inet odoo_prov_replica'

ask() {
  (cd / && PGCONNECT_TIMEOUT=3 PGOPTIONS='-c statement_timeout=5000' timeout -k 1 8 \
    setpriv --reuid=postgres --regid=postgres --init-groups \
    "$BIN/psql" -XAtqw -F ' ' -h /var/run/postgresql -d postgres -c "$1") 2>/dev/null
}

# "receives behind age": whether WAL comes in, bytes not replayed of what the upstream has, and how old the newest
# replayed transaction is while there are such. A primary, which a replica may become, lacks nothing.
look() {
  ask "select
    case when not pg_is_in_recovery() then 't'
      else (select count(*) > 0 from pg_stat_wal_receiver where status = 'streaming')::text::char(1) end,
    case when not pg_is_in_recovery() then 0 else greatest(0, coalesce(
      (select latest_end_lsn from pg_stat_wal_receiver), pg_last_wal_receive_lsn()) - pg_last_wal_replay_lsn()) end,
    case when not pg_is_in_recovery() or pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() then 0
      else coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::bigint, 0) end"
}

is_closed() { nft list table $TABLE >/dev/null 2>&1; }

close() {
  nft -f - <<EOF || return
add table $TABLE
flush table $TABLE
add chain $TABLE input { type filter hook input priority -10; }
add rule $TABLE input ip saddr { $(echo "$READERS" | sed 's/ /, /g') } tcp dport 5432 tcp flags syn / syn,ack reject with tcp reset
EOF
  echo "closed to Odoo: $1"
}

end_idle() {
  ask "select pg_terminate_backend(pid) from pg_stat_activity
    where usename = '$ROLE' and state = 'idle' and host(client_addr) = any (string_to_array('$READERS', ' '))" >/dev/null
}

open() {
  nft delete table $TABLE 2>/dev/null && echo "open to Odoo again: $1"
}

# Seconds since the host was started: no clock that is set can turn them back.
seconds() { cut -d . -f 1 /proc/uptime; }

watch() {
  cut_since=
  while sleep 2; do
    set -- $(look)
    # A server that does not answer refuses Odoo by itself.
    if [ $# -ne 3 ]; then continue; fi
    now=$(seconds)
    if [ "$1" = t ]; then cut_since=; else cut_since=${cut_since:-$now}; fi
    if [ -n "$cut_since" ] && [ $((now - cut_since)) -gt "$MAX_SECONDS" ]; then
      why="it receives nothing for more than $MAX_SECONDS s"
    elif [ "$2" -gt "$MAX_LAG" ]; then
      why="it lags by more than $MAX_LAG bytes"
    elif [ "$3" -gt "$MAX_SECONDS" ]; then
      why="it shows data that is more than $MAX_SECONDS s old"
    else
      why=
    fi
    if [ -n "$why" ]; then
      is_closed || close "$why"
      end_idle
    elif [ -z "$cut_since" ] && is_closed; then
      open 'it has caught up'
    fi
  done
}

case ${1:-} in
  watch) watch ;;
  open) open 'its watch ends' || : ;;
  *)
    echo "usage: $0 watch | open" >&2
    exit 1
    ;;
esac
