#!/bin/sh
# Written by odoo-prov. With synchronous replication a commit waits for a standby. `watch` lets the primary commit alone
# once the last standby is lost, if the inventory says so (on_standby_loss: continue), and makes commits wait again as
# soon as a standby has caught up. `alone REASON` is a failover's, which leaves no standby behind.
set -u
. /etc/odoo-prov/postgres-standby-loss.conf
# It is read after the settings of the inventory, and wins over them.
ALONE=$CONF/conf.d/60-odoo-prov-alone.conf
# Seconds for which no standby streams before the primary goes on alone: a standby that is restarted is back by then.
# One that lost its power is missed only after wal_sender_timeout (20 s).
PATIENCE=10

ask() {
  (cd / && PGCONNECT_TIMEOUT=3 PGOPTIONS='-c statement_timeout=5000' timeout -k 1 8 \
    setpriv --reuid=postgres --regid=postgres --init-groups \
    "$BIN/psql" -XAtqw -h /var/run/postgresql -d postgres -c "$1") 2>/dev/null
}

audit() {
  echo "$1"
  mkdir -p /var/log/odoo-prov
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>/var/log/odoo-prov/audit.log
}

alone() {
  cat >"$ALONE.new" <<'END' &&
# Written by odoo-prov: no standby is left. It is removed when one has caught up.
synchronous_standby_names = ''
END
    chown postgres:postgres "$ALONE.new" && chmod 644 "$ALONE.new" && sync "$ALONE.new" &&
    mv -f "$ALONE.new" "$ALONE" || return 1
  audit "commits wait for no standby: $1"
  take_in
}

together() {
  rm -f "$ALONE"
  audit "commits wait for a standby again: $1"
  take_in
}

take_in() { ask 'select pg_reload_conf()' >/dev/null; }

# Seconds since the host was started: no clock that is set can turn them back.
seconds() { cut -d . -f 1 /proc/uptime; }

watch() {
  lost=
  # Also what was written before this watch was restarted.
  due=yes
  while sleep 2; do
    if [ "$due" = yes ] && take_in; then due=no; fi
    if [ -e "$DATA/standby.signal" ]; then
      lost=
      if [ -e "$ALONE" ]; then
        together 'this server is a standby now' || due=yes
      fi
      continue
    fi
    streaming=$(ask "select count(*) from pg_stat_replication where state = 'streaming' and application_name in ($STANDBYS)")
    # A server that does not answer decides nothing.
    if [ -z "$streaming" ]; then
      lost=
    elif [ "$streaming" -gt 0 ]; then
      lost=
      if [ -e "$ALONE" ]; then
        together 'one has caught up' || due=yes
      fi
    elif [ "$ON_STANDBY_LOSS" = continue ] && ! [ -e "$ALONE" ]; then
      now=$(seconds)
      lost=${lost:-$now}
      if [ $((now - lost)) -ge "$PATIENCE" ]; then alone 'none is left' || due=yes; fi
    fi
  done
}

case ${1:-} in
  watch) watch ;;
  alone) alone "${2:-}" ;;
  *)
    echo "usage: $0 watch | alone REASON" >&2
    exit 1
    ;;
esac
