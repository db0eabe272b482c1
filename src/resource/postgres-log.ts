import { sh, type Script } from '../shell/index.js';

/**
 * Notes how long PostgreSQL's own logs are, for {@link lastWords}.
 * @param folder its `log_directory`
 */
export function markLogs(folder: string): Script {
  return sh`logs_before=$(find ${folder} -type f -printf '%s %p\n' 2>/dev/null || :)`;
}

/**
 * The same, as if it had been called right before PostgreSQL's last start.
 * @param since when that was, in seconds since 1970, as words of shell: logs that were not written to since say nothing of it
 * @param starts as words of shell: from how many starts ago on, 1 for the last
 */
export function markLastStart(folder: string, since: Script, starts = sh`1`): Script {
  return sh`logs_before=$(find ${folder} -type f -printf '%T@ %s %p\n' 2>/dev/null | while read -r time size log; do
      if [ "\${time%.*}" -ge ${since} ]; then
        size=$(grep -abo 'starting PostgreSQL' "$log" | tail -n ${starts} | head -n 1 | cut -d : -f 1)
      fi
      printf '%s %s\n' "\${size:-0}" "$log"
    done)`;
}

/** Said to a client that came too soon or too late, and by what was told to end; a server dies of none of these. */
const NO_DEATH =
  'the database system is (starting up|shutting down|in recovery mode|not (yet )?accepting connections)|terminating [a-z ]+ due to administrator command';
/** Of all details only this one is told: another one may hold a row. */
const TOO_LOW = '[a-z_]+ = [0-9]+ is a lower setting than on the primary server[^"]*';

/**
 * Prints what a PostgreSQL died of since {@link markLogs}: its last words of FATAL and PANIC, as text, JSON or CSV, whichever it
 * writes. Not those of before, which have other reasons (a standby's receiver that was stopped says FATAL). Never a
 * statement, which may hold a password.
 * @param folder its `log_directory`
 */
export function lastWords(folder: string): Script {
  return sh`find ${folder} -type f -printf '%TY%Tm%Td%TH%TM%f %p\n' 2>/dev/null | sort -r | while read -r _ log; do
      size=$(printf '%s\n' "$logs_before" | sed -n "s|^\([0-9]*\) $log$|\1|p")
      tail -c +$((\${size:-0} + 1)) "$log" | tail -n 100 | sed -nE ${`/^\\t|(STATEMENT|CONTEXT): |${NO_DEATH}/d
        s/^[^"{]*DETAIL: +(${TOO_LOW})/DETAIL \\1/p
        s/^[^"{]*(FATAL|PANIC): +(.*)/\\1: \\2/p
        s/.*"error_severity":"(FATAL|PANIC)".*"message":"([^"]*)","detail":"(${TOO_LOW})".*/\\1: \\2\\nDETAIL \\3/p
        s/.*"error_severity":"(FATAL|PANIC)".*"message":"([^"]*)".*/\\1: \\2/p
        s/.*,(FATAL|PANIC),[^,]*,"([^"]*)","(${TOO_LOW})".*/\\1: \\2\\nDETAIL \\3/p
        s/.*,(FATAL|PANIC),[^,]*,"([^"]*)".*/\\1: \\2/p`} |
        awk '/^(FATAL|PANIC): / { last = $0 } /^DETAIL / && last { last = last " (" substr($0, 8) ")" } END { if (last) print last }' |
        sed "s|^|PostgreSQL's own log, $log: |"
      break
    done`;
}
