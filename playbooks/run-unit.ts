import { raw, sh, type Script } from '../src/shell/index.js';

/** Rounds of about a second without news, after which it says that it still waits. */
const SILENCE = 20;

export interface RunUnitOptions {
  /** Prints how far it is; asked once a second. Where nothing changes for a while, a line says so. */
  readonly progress?: Script;
  /** What runs already began too early: its end is waited for, and then another one is run. */
  readonly anew?: true;
}

/**
 * Runs a service that does something and ends, and waits for its end; it goes on when the connection is lost.
 * One that runs already is waited for. Fails with its last lines.
 */
export function runUnit(unit: string, { progress, anew }: RunUnitOptions = {}): Script {
  const after = anew === true ? raw('while active; do sleep 1; done\n  begin') : raw(':');
  return sh`
[ "$(systemctl show -P LoadState ${unit})" = loaded ] || { echo ${`this host is not set up for it: there is no ${unit}`} >&2; exit 1; }
active() { [ "$(systemctl show -P ActiveState ${unit})" = activating ] || [ -n "$(systemctl list-jobs --no-legend ${unit})" ]; }
begin() {
  systemctl reset-failed ${unit} 2>/dev/null || :
  systemctl start --no-block ${unit}
}
if active; then
  echo 'one is being made already: its end is waited for'
  ${after}
else
  begin
fi
last=
silent=0
began=$(date +%s)
while active; do
  done=$(${progress ?? raw(':')})
  silent=$((silent + 1))
  if [ "$done" != "$last" ]; then
    echo "$done"
    silent=0
  elif [ "$silent" -ge ${SILENCE} ]; then
    echo "still at it, since $(($(date +%s) - began)) s"
    silent=0
  fi
  last=$done
  sleep 1
done
if [ "$(systemctl show -P ActiveState ${unit})" = failed ]; then
  journalctl -q -n 12 -o cat -u ${unit} >&2
  exit 1
fi`;
}
