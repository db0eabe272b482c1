#!/bin/sh
# Written by odoo-prov, which replaces changes made here.
# The snapshots of the filestore: on the host that keeps them, on database hosts where a bucket does.
#   filestore-repository create     makes the repository in its folder, if there is none; as the user that it belongs to
#   filestore-repository list       a line a snapshot: the time at which it was begun, its id; as root
#   filestore-repository prune      removes what no backup of the database leads to; as root
set -eu
FOLDER=/etc/odoo-prov-filestore/server
. /usr/lib/odoo-prov/filestore-restic

as() {
  user=$1
  shift
  setpriv --reuid="$user" --regid="$user" --init-groups "$@"
}
[ "$(id -u)" -ne 0 ] || RUN="as $BACKUP_USER"

# Of all snapshots, oldest first: seconds since 1970, and the id.
list() {
  all=$(restic_ --no-lock snapshots --json) || {
    missing
    return 0
  }
  printf '%s\n' "$all" | grep -oE '"(time|id)":"[^"]*"' | cut -d '"' -f 4 | paste -d ' ' - - |
    while read -r time id; do
      echo "$(date -u -d "$time" +%s) $id"
    done | sort -n
}

# One step of the removal, which waits for snapshots that are being taken.
step() {
  patient "$@"
  [ -z "$said" ] || printf '%s\n' "$said" | tail -n 20
  [ "$code" -eq 0 ] || exit 1
}

case ${1-} in
  create)
    # Its last step writes this file.
    [ -e "$RESTIC_REPOSITORY/config" ] || restic_ init ;;
  list) list ;;
  prune)
    # The end of the oldest backup that is kept: no earlier moment can be restored.
    known=$(as postgres pgbackrest --stanza="$STANZA" --output=json --log-level-console=off --log-level-file=off info)
    oldest=$(printf '%s' "$known" | grep -oE '"timestamp":\{"start":[0-9]+,"stop":[0-9]+\}' | sed -n '1s/.*"stop":\([0-9]*\)}/\1/p')
    if [ -z "$oldest" ]; then
      echo 'there is no backup of the database: nothing is removed'
      exit 0
    fi
    # A moment needs the last snapshot before it, and the first after it.
    listed=$(list)
    if [ -z "$listed" ]; then
      echo 'there is no snapshot yet'
      exit 0
    fi
    old=$(printf '%s\n' "$listed" | awk -v oldest="$oldest" \
      '{ at[NR] = $1; id[NR] = $2; if ($1 <= oldest) last = NR } END { for (i = 1; i < last; i++) print id[i] }')
    # shellcheck disable=SC2086 # one word an id
    [ -z "$old" ] || step forget --quiet $old
    step prune --quiet
    step check --quiet ;;
  *)
    echo 'usage: filestore-repository create | list | prune' >&2
    exit 1 ;;
esac
