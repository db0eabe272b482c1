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

# "receives behind replayed wanted": whether WAL comes in, bytes not replayed of what the upstream has, and both positions
# in bytes. A primary, which a replica may become, lacks nothing.
look() {
  ask "with here as (
    select pg_is_in_recovery() as recovering, coalesce(pg_last_wal_replay_lsn(), '0/0') - '0/0' as replayed,
      greatest(pg_last_wal_receive_lsn(), (select latest_end_lsn from pg_stat_wal_receiver)) - '0/0' as wanted)
    select case when not recovering then 't'
      else (select count(*) > 0 from pg_stat_wal_receiver where status = 'streaming')::text::char(1) end,
      case when recovering then greatest(0, coalesce(wanted, replayed) - replayed) else 0 end,
      case when recovering then replayed else 0 end, case when recovering then coalesce(wanted, replayed) else 0 end
    from here"
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
  # A position that the upstream had at a moment: it is to be replayed within MAX_SECONDS.
  goal=0
  goal_since=0
  while sleep 2; do
    set -- $(look)
    # A server that does not answer refuses Odoo by itself.
    if [ $# -ne 4 ]; then continue; fi
    now=$(seconds)
    # Both go back where the cluster was set back to an earlier moment.
    if [ "$3" -ge "$goal" ] || [ "$4" -lt "$goal" ]; then
      goal=$4
      goal_since=$now
    fi
    if [ "$1" = t ]; then cut_since=; else cut_since=${cut_since:-$now}; fi
    if [ -n "$cut_since" ] && [ $((now - cut_since)) -gt "$MAX_SECONDS" ]; then
      why="it receives nothing for more than $MAX_SECONDS s"
    elif [ "$2" -gt "$MAX_LAG" ]; then
      why="it lags by more than $MAX_LAG bytes"
    elif [ $((now - goal_since)) -gt "$MAX_SECONDS" ]; then
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
