# Written by odoo-prov, which replaces changes made here.
# What the programs of the filestore's backup have in common. FOLDER is where the files of this side are.
export LC_ALL=C
set -a
. "$FOLDER/access"
. "$FOLDER/environment"
set +a
cd /

# Its words are options without blanks; RUN is who runs it, where that is another user.
# shellcheck disable=SC2086
restic_() { ${RUN-} restic $OPTIONS "$@"; }

# Whether there is no repository. What cannot be looked at is not taken for missing: restic 0.14 would make another
# one over what is there.
missing() {
  code=0
  said=$(restic_ --no-lock cat config 2>&1) || code=$?
  case $code:$said in
    0:*) return 1 ;;
    10:* | *'key does not exist'*) return 0 ;;
  esac
  printf '%s\n' "$said" >&2
  exit 1
}

# Takes away the locks of who died: when none has been renewed for half an hour, which restic does each five minutes.
# Not before: a lock of this host that is younger, restic's unlock proves by a signal to the process of that number.
# After a reboot that may be Odoo's, and who runs as another user is taken for dead.
unlock() {
  limit=$(($(date +%s) - 1800))
  locks=$(restic_ --no-lock --quiet list locks) || return 0
  for lock in $locks; do
    # One that is gone by now is nobody's.
    time=$(restic_ --no-lock cat lock "$lock" 2>/dev/null | sed -n 's/.*"time": *"\([^"]*\)".*/\1/p')
    [ -n "$time" ] || return 0
    [ "$(date -d "$time" +%s)" -lt "$limit" ] || return 0
  done
  restic_ unlock
}

# Runs restic, and again as long as somebody else has what is there to himself, for an hour at most. So the locks of
# the dead are in nobody's way for longer than half of it. Sets `code` and `said`.
patient() {
  tries=0
  while :; do
    code=0
    said=$(restic_ "$@" 2>&1) || code=$?
    case $code:$said in
      0:*) return 0 ;;
      *'already locked'*) [ "$tries" -lt 120 ] || return 0 ;;
      *) return 0 ;;
    esac
    [ "$tries" -gt 0 ] || echo 'somebody else has the snapshots to himself: waiting' >&2
    tries=$((tries + 1))
    sleep 30
    unlock
  done
}
