import { sh, type Script } from '../shell/index.js';
import { LOG_FOLDER } from './settings.js';

/**
 * Shell: sets `line` to the newest line of the server's log, of its last 200, that a pattern fits (empty where none does), and
 * `line_at` to when that was: seconds since 1970, 0 where the line does not begin with a time.
 * @param pattern an extended regular expression
 */
export function newestLogLine(pattern: string): Script {
  return sh`
log=$(ls -t ${LOG_FOLDER}/*.log 2>/dev/null | head -n 1)
line=$(tail -n 200 "$log" 2>/dev/null | grep -aE ${pattern} | tail -n 1)
# The log's line begins with its time and time zone.
line_at=$(date -d "$(printf '%s\n' "$line" | cut -d ' ' -f 1-3)" +%s 2>/dev/null || echo 0)`;
}
