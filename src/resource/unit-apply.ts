import { lines, raw, type Script, sh } from '../shell/index.js';
import type { Change } from './kind.js';
import { lastWords, markLogs } from './postgres-log.js';
import type { UnitResource } from './unit-resource.js';
import { stampFunctions, watchedPaths, type Work } from './unit-stamp.js';

/** Seconds for which a service must stay up, as itself, after a start; looked at four times a second. */
const STEADY_SECONDS = 2;

/** The script that brings one unit into its state, whatever that was. */
export function applyUnit(change: Change<UnitResource>): Script {
  const { resource } = change;
  const steps = [functions(resource), readAnew];
  if (resource.masked)
    return inSubshell([
      ...steps,
      stop,
      raw(`systemctl mask -- "$unit" || fail 'systemctl mask failed'`),
    ]);
  steps.push(unmask(resource));
  if (resource.enabled === true) steps.push(enable);
  if (resource.enabled === false) steps.push(disable);
  if (resource.running === false) steps.push(stop);
  else steps.push(...bringUp(resource, workOf(change)));
  return inSubshell(steps);
}

function inSubshell(steps: readonly Script[]): Script {
  return lines([raw('('), ...steps, raw(')')]);
}

/** A unit that may be in any state is only touched where it runs. */
function bringUp(resource: UnitResource, work: Work | 'start' | 'nothing'): readonly Script[] {
  const notRunning = resource.running === 'any' ? 'exit 0' : 'work=start';
  return [
    sh`
work=${work}
case $(show SubState):$(show ActiveState) in
  auto-restart*) work=restart ;;
  *:active | *:reloading)
    if [ $work = nothing ]; then exit 0; fi
    # It was down when it was looked at: its package has started it since, with other files.
    if [ $work = start ]; then work=restart; fi ;;
  *) ${raw(notRunning)} ;;
esac
restart_files=$(look restart ${watchedPaths(resource.restartFor)})
reload_files=$(look reload ${watchedPaths(resource.reloadFor)})
systemctl reset-failed -- "$unit" 2>/dev/null || :
systemctl $work -- "$unit" || fail "systemctl $work failed"
stays_up`,
    ...record(resource),
  ];
}

/** A reload says nothing about the files that need a restart. */
function record(resource: UnitResource): readonly Script[] {
  const restart =
    resource.restartFor.length === 0
      ? []
      : [
          sh`if [ $work != reload ]; then record restart "$restart_files" "$(show InvocationID)"; fi`,
        ];
  const reload =
    resource.reloadFor.length === 0
      ? []
      : [sh`record reload "$reload_files" "$(show InvocationID)"`];
  return [...restart, ...reload];
}

/**
 * What must be done to a unit that runs already. What could not be looked at is restarted, and so is what
 * was not there: its package has started it meanwhile, with the files of the package.
 */
function workOf({ have, differences }: Change<UnitResource>): Work | 'start' | 'nothing' {
  const fields = differences.map((d) => d.field);
  if (differences.some((d) => d.have === 'unsteady')) return 'restart';
  if (fields.includes('restart') || have === 'absent' || 'unknown' in have) return 'restart';
  if (fields.includes('reload')) return 'reload';
  // It ran when it was looked at, and as it should: that it is enabled at boot is no reason to restart it.
  return fields.includes('active') ? 'start' : 'nothing';
}

function functions({ name, logs }: UnitResource): Script {
  const own = logs === undefined ? [] : [lastWords(logs)];
  const before = logs === undefined ? [] : [markLogs(logs)];
  return sh`
${lines([sh`unit=${name}`, ...before])}
show() { systemctl show -p "$1" --value -- "$unit"; }
fail() {
  {
    echo "$unit: $1"
    systemctl status --no-pager --full --lines 0 -- "$unit" || :
    ${lines([raw('journalctl --no-pager --quiet -n 15 -o short-iso -u "$unit" || :'), ...own])}
  } >&2
  exit 1
}
# A service that is reading its files anew runs.
running() {
  systemctl show -p ActiveState -p InvocationID -- "$unit" | sed 's/^ActiveState=reloading$/ActiveState=active/'
}
stays_up() {
  case $unit in *.service) ;; *) return 0 ;; esac
  first=$(running)
  for quarter in $(seq ${4 * STEADY_SECONDS}); do
    case $first in *ActiveState=active*) ;; *) fail 'it does not run' ;; esac
    sleep 0.25
    [ "$(running)" = "$first" ] || fail "it did not stay up for ${STEADY_SECONDS} s"
  done
}
${stampFunctions()}`;
}

/** systemd 252 (Debian 12) does not see that it needs to be reloaded where the folder of the drop-ins is new, too. */
const readAnew = raw(
  `read_anew=$(show NeedDaemonReload)
[ "$(show LoadState)" = loaded ] || read_anew=yes
for file in /etc/systemd/system/"$unit".d/*.conf; do
  case " $(show DropInPaths) " in *" $file "*) ;; *) [ ! -e "$file" ] || read_anew=yes ;; esac
done
# What a timer starts and has failed stays loaded, as its file was then.
for started in $(show Triggers); do
  [ "$(systemctl show -P NeedDaemonReload -- "$started")" != yes ] || read_anew=yes
done
if [ "$read_anew" = yes ]; then
  systemctl daemon-reload || fail 'systemctl daemon-reload failed'
fi`,
);

const unmask = (resource: UnitResource): Script =>
  resource.running === true || resource.enabled === true
    ? raw(
        `case $(show UnitFileState) in masked*) systemctl unmask -- "$unit" || fail 'systemctl unmask failed' ;; esac`,
      )
    : raw(':');

const enable = raw(`case $(show UnitFileState) in
  enabled | alias | generated) ;;
  *) systemctl enable --quiet -- "$unit" || fail 'systemctl enable failed' ;;
esac`);

const disable = raw(`case $(show UnitFileState) in
  enabled* | linked* | generated) systemctl disable --quiet -- "$unit" || fail 'systemctl disable failed' ;;
esac`);

const stop = raw(`case $(show ActiveState) in
  inactive) ;;
  failed) systemctl reset-failed -- "$unit" || fail 'systemctl reset-failed failed' ;;
  *) systemctl stop -- "$unit" || fail 'systemctl stop failed'
    systemctl reset-failed -- "$unit" 2>/dev/null || : ;;
esac`);
