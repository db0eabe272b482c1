import { sh, type Script } from '../src/shell/index.js';

/**
 * Runs a service that does something and ends, and waits for its end; it goes on when the connection is lost.
 * One that runs already is waited for. Fails with its last lines.
 * @param progress prints how far it is, now and then
 */
export function runUnit(unit: string, progress: Script = sh`:`): Script {
  return sh`
[ "$(systemctl show -P LoadState ${unit})" = loaded ] || { echo ${`this host is not set up for it: there is no ${unit}`} >&2; exit 1; }
case $(systemctl show -P ActiveState ${unit}) in
  activating) echo 'one is being made already: its end is waited for' ;;
  *) systemctl reset-failed ${unit} 2>/dev/null || :
    systemctl start --no-block ${unit} ;;
esac
last=
while state=$(systemctl show -P ActiveState ${unit}); [ "$state" = activating ] || [ -n "$(systemctl list-jobs --no-legend ${unit})" ]; do
  done=$(${progress})
  [ "$done" = "$last" ] || echo "$done"
  last=$done
  sleep 1
done
if [ "$state" = failed ]; then
  journalctl -q -n 12 -o cat -u ${unit} >&2
  exit 1
fi`;
}
