import { lines, raw, sh, type Script } from '../shell/index.js';
import { newestLogLine } from './newest-log-line.js';

/** Kilobytes of a segment of WAL: a standby that has not even as much room cannot take the next one. */
const SEGMENT = 16 * 1024;

/**
 * Shell function `disk_full DATA SINCE`, for a standby that receives nothing. Sets `full` to what its log says of a full disk since
 * then (in seconds since 1970; empty: nothing), `free` to the kilobytes left for WAL, and `less` to whether that is less than a
 * segment (yes, no).
 */
export const DISK_FULL: Script = lines([
  raw('disk_full() {'),
  newestLogLine(': No space left on device'),
  sh`full=
if [ -n "$line" ] && [ "$line_at" -ge "$2" ]; then full=$(printf '%s\n' "$line" | sed 's/^.*\[[0-9]*\] //'); fi
# A folder of its own may be on another disk.
free=$(df -Pk "$1/pg_wal/." | awk 'NR == 2 { print $4 }')
if [ "$free" -lt ${SEGMENT} ]; then less=yes; else less=no; fi
}`,
]);
