import { raw, type Script, sh } from '../shell/index.js';

/** Seconds to wait for another apt or dpkg (unattended upgrades may take minutes). */
const LOCK_LIMIT = 900;
/** Minutes until package lists are fetched again: a day, as Debian's own apt-daily.timer. */
const LISTS_MINUTES = 1440;

/**
 * Shell functions around apt-get and dpkg, for one script: `wait_for_lock`, `repair_dpkg`,
 * `update_if_needed`, `install_or_update ARGUMENTS`. Nothing asks questions: debconf keeps to
 * defaults, dpkg keeps changed configuration files, needrestart only lists (a restart is a decision of
 * ours). What apt prints goes to a log, of which the end is shown on failure; standard output gets
 * lines `progress 43% Unpacking odoo`.
 */
export function aptFunctions(): Script {
  return sh`
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
umask 022
log=/var/log/odoo-prov/apt.log stamp=/var/lib/odoo-prov/apt-updated
mkdir -p /var/log/odoo-prov /var/lib/odoo-prov
printf '\n=== %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >> "$log"
before=$(wc -c < "$log")
${lockFunctions}
${aptGet}
${installFunctions}`;
}

/** A process holds a lock (printed: lock, process, name; in apt's own words on failure) when it has the lock file open and the kernel lists a lock of its. */
const lockFunctions = sh`
lock_holder() {
  find /proc/[0-9]*/fd '(' -lname /var/lib/dpkg/lock -o -lname /var/lib/dpkg/lock-frontend \
    -o -lname /var/lib/apt/lists/lock -o -lname /var/cache/apt/archives/lock ')' \
    -printf '%l %h\n' 2>/dev/null | while read -r lock folder; do
      pid=${raw('${folder#/proc/}')} pid=${raw('${pid%/fd}')}
      if grep -q "ADVISORY *WRITE $pid " /proc/locks; then
        echo "$lock $pid ($(cat "/proc/$pid/comm" 2>/dev/null))"
        break
      fi
    done
}
wait_for_lock() {
  waited=0
  while holder=$(lock_holder) && [ -n "$holder" ]; do
    if [ "$waited" -ge ${LOCK_LIMIT} ]; then fail "waited $waited s for apt's lock"; fi
    echo "progress waiting for apt's lock, held by ${raw('${holder#* }')}"
    sleep 2
    waited=$((waited + 2))
  done
}`;

/**
 * apt-get with its progress: the reader ends at apt's exit code, not at the end of the pipe, which a
 * process that a package leaves behind could hold open.
 */
const aptGet = sh`
show_progress() {
  trap '' PIPE
  last=
  while IFS=: read -r what package percent text; do
    case $what in
      exit) exit "$package" ;;
      dlstatus | pmstatus)
        percent=${raw('${percent%%.*}')}
        if [ "$what$percent" != "$last" ]; then
          last=$what$percent
          printf 'progress %s%% %s\n' "$percent" "$text" 2>/dev/null || :
        fi ;;
    esac
  done
  exit 1
}
apt_get() {
  {
    apt-get -y -q -o APT::Status-Fd=3 -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 \
      -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
      -o Acquire::Retries=3 "$@" 3>&1 >> "$log" 2>&1 && code=0 || code=$?
    echo "exit:$code"
  } | show_progress
}
fail() {
  tail -c +"$before" "$log" | tail -n 20 >&2
  holder=$(lock_holder)
  if [ -n "$holder" ]; then
    echo "Could not get lock ${raw('${holder%% *}')}. It is held by process ${raw('${holder#* }')}" >&2
  fi
  echo "$1; all of apt's output is in $log" >&2
  exit 100
}`;

/** An update that fails is not fatal by itself: a broken foreign repository need not stop an install. */
const installFunctions = sh`
repair_dpkg() {
  if [ -n "$(find /var/lib/dpkg/updates -name '[0-9]*' 2>/dev/null)" ] || [ -n "$(dpkg --audit)" ]; then
    echo 'progress repairing an interrupted dpkg'
    dpkg --configure -a --force-confdef --force-confold >> "$log" 2>&1 ||
      apt_get -f install || fail 'an interrupted dpkg could not be repaired'
  fi
}
updated=no
update() {
  echo 'progress fetching package lists'
  updated=yes
  if apt_get -o APT::Update::Error-Mode=any update; then
    touch "$stamp"
  else
    echo 'progress some package lists could not be fetched'
  fi
}
update_if_needed() {
  if [ ! -e "$stamp" ] || [ -n "$(find "$stamp" -mmin +${LISTS_MINUTES})" ] ||
    [ -n "$(find /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/keyrings \
      -newer "$stamp" 2>/dev/null)" ]; then update; fi
}
install_or_update() {
  apt_get install --no-install-recommends "$@" || {
    if [ "$updated" = yes ] || ! tail -c +"$before" "$log" | grep -qE \
      'Unable to locate|no installation candidate|Failed to fetch|such a release is not available'; then
      fail "apt-get install failed: $*"
    fi
    update
    apt_get install --no-install-recommends "$@" || fail "apt-get install failed: $*"
  }
}`;
