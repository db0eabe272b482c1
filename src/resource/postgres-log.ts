import { sh, type Script } from '../shell/index.js';

/**
 * Prints what a PostgreSQL that has ended within the last minute died of: its last words of FATAL and PANIC, as text, JSON or CSV, whichever it
 * writes. Never a statement, which may hold a password.
 * @param folder its `log_directory`
 */
export function lastWords(folder: string): Script {
  return sh`find ${folder} -type f -mmin -1 -printf '%f %p\n' 2>/dev/null | sort -r | while read -r _ log; do
      tail -n 50 "$log" | sed -nE ${`/^\\t|(STATEMENT|CONTEXT|DETAIL): /d
        s/^[^"{]*(FATAL|PANIC): +(.*)/\\1: \\2/p
        s/.*"error_severity":"(FATAL|PANIC)".*"message":"([^"]*)".*/\\1: \\2/p
        s/.*,(FATAL|PANIC),[^,]*,"([^"]*)".*/\\1: \\2/p`} | tail -n 1 | sed "s|^|PostgreSQL's own log, $log: |"
      break
    done`;
}
