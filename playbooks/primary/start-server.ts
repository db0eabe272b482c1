import { LOG_FOLDER } from '../../src/postgres/settings.js';
import { HOT_STANDBY } from '../../src/resource/index.js';
import { lastWords, markLogs } from '../../src/resource/postgres-log.js';
import { lines, raw, sh, type Script } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

/**
 * Starts PostgreSQL. Where it does not start, its own last words are printed: systemd's say only that it did not.
 * @param before shell that makes its data ready
 * @param otherwise shell that is run first where it does not start, and may end with success all the same
 */
export function startServer(before: string, otherwise = raw(':')): Script {
  return lines([
    raw(`${SQL_FUNCTION}\n${before}`),
    markLogs(LOG_FOLDER),
    sh`systemctl start "$unit" || {
  ${otherwise}
  { ${lastWords(LOG_FOLDER)}; } >&2
  exit 1
}`,
  ]);
}

const LESS = 'less ';

/**
 * A standby with less of some settings than its primary had, where it has come to, does not start: it is stopped, or systemd would
 * start it again and again, and a line for each of them is printed. To be given to {@link startServer}.
 */
export const STOP_IF_LESS = raw(`control=$("$bin/pg_controldata" "$data") || control=
  less=
  while read -r name field; do
    theirs=$(printf '%s\\n' "$control" | sed -n "s/^$field setting: *//p")
    own=$(as_postgres "$bin/postgres" -C "$name" -c config_file="$conf/postgresql.conf") || break
    [ "$own" -ge "\${theirs:-0}" ] || less="\${less}${LESS}$name $own instead of $theirs
"
  done <<'EOF'
${Object.entries(HOT_STANDBY)
  .map(([name, { control }]) => `${name} ${control}`)
  .join('\n')}
EOF
  if [ -n "$less" ]; then
    systemctl stop "$unit"
    printf %s "$less"
    exit 0
  fi`);

/** What {@link STOP_IF_LESS} has printed, e.g. `max_connections 150 instead of 200`; empty where it has started. */
export function lessIn(printed: string): readonly string[] {
  return printed
    .split('\n')
    .flatMap((line) => (line.startsWith(LESS) ? [line.slice(LESS.length)] : []));
}

/** Starts one whose data is a standby's already. */
export async function startAsStandby(mover: Mover, host: string): Promise<void> {
  await step(mover, host, 'start PostgreSQL as a standby', startServer(''), 120);
}
