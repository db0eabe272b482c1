import { LOG_FOLDER } from '../../src/postgres/settings.js';
import { lastWords, markLogs } from '../../src/resource/postgres-log.js';
import { lines, raw, sh, type Script } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';

/**
 * Starts PostgreSQL. Where it does not start, its own last words are printed: systemd's say only that it did not.
 * @param before shell that makes its data ready
 */
export function startServer(before: string): Script {
  return lines([
    raw(`${SQL_FUNCTION}\n${before}`),
    markLogs(LOG_FOLDER),
    sh`systemctl start "$unit" || {
  ${lastWords(LOG_FOLDER)}
  exit 1
} >&2`,
  ]);
}
