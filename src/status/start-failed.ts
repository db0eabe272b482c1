import { LOG_FOLDER } from '../postgres/settings.js';
import { lastWords, markLastStart } from '../resource/index.js';
import { lines, raw, sh, type Script } from '../shell/index.js';

/**
 * Prints what PostgreSQL said last when its last start failed, on one line: by its service's journal, for what comes before it
 * writes logs of its own, else by those. Nothing where it runs, or was stopped. Not what it said at other starts.
 */
export function startFailedProbe(): Script {
  return lines([
    raw(`for unit in $(systemctl list-units --all --plain --no-legend 'postgresql@*-main.service' | cut -d ' ' -f 1); do
  # One look: systemd may start it again between two.
  look=$(systemctl show --timestamp=unix -p NRestarts,ActiveState,Result,InactiveExitTimestamp,InvocationID "$unit")
  value() { printf '%s\\n' "$look" | sed -n "s/^$1=@\\{0,1\\}//p"; }
  if [ "$(value ActiveState)" = active ]; then continue; fi
  # systemd starts it again and again: then the start that is going on is not the one that failed.
  if [ "$(value NRestarts)" -gt 0 ] && [ "$(value ActiveState)" = activating ]; then
    starts=2
    started=$(($(date +%s) - 60))
    journal="_SYSTEMD_UNIT=$unit"
  else
    if [ "$(value Result)" = success ]; then continue; fi
    starts=1
    started=$(value InactiveExitTimestamp)
    journal="_SYSTEMD_INVOCATION_ID=$(value InvocationID)"
  fi
  # Debian's program that starts it reads the files itself, and says Error; also where the server has ended by itself. A line
  # that it does not understand may hold a password.
  said=$(journalctl -q -o cat --since "@$started" "$journal" |
    sed -nE '/ exited with status /d; s/.*(FATAL|PANIC): +(.*)/\\1: \\2/p; s/^(Error: invalid line [0-9]+ in [^:]+).*/\\1/; /^Error: /p' | tail -n 1)
  if [ -n "$said" ]; then echo "$said"; continue; fi`),
    markLastStart(LOG_FOLDER, sh`"$started"`, sh`"$starts"`),
    lastWords(LOG_FOLDER),
    raw('done'),
  ]);
}

/** Reads what {@link startFailedProbe} printed; null where no start has failed. */
export function parseStartFailed(text: string): string | null {
  const [line = ''] = text.trim().split('\n');
  return line === '' ? null : line;
}
