import { describe, expect, it } from 'vitest';
import { unit } from '../../../src/resource/index.js';
import type { Observed } from '../../../src/resource/kind.js';
import { unitKind } from '../../../src/resource/unit.js';

const web = unit({
  name: 'web',
  restartFor: ['file:/etc/web.conf', 'package:libssl3'],
  reloadFor: ['file:/etc/web.d/site'],
});
const INVOCATION = '79c324aeb02846df843ff8417b45a1bb';
// 2026-11-21 20:43:38.041472 UTC
const STARTED = 1795293818.041472;

function shown(change: Readonly<Record<string, string>> = {}): string {
  const properties = {
    Names: 'alias.service web.service',
    LoadState: 'loaded',
    ActiveState: 'active',
    UnitFileState: 'enabled',
    NeedDaemonReload: 'no',
    InvocationID: INVOCATION,
    InactiveExitTimestamp: 'Sat 2026-11-21 20:43:38.041472 UTC',
    NRestarts: '0',
    ActiveEnterTimestampMonotonic: '50000000',
    ...change,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** What the probe prints: systemd's words, the uptime, files with their times, records. */
function output(
  show: string,
  files: Readonly<Record<string, number>> = {},
  stamps = '',
  uptime = 1000,
): string {
  const facts = Object.entries(files).map(
    ([path, time]) =>
      `${['s', path, 'f', '644', 'root', 'root', `${time.toFixed(7)}000`, ''].join('\0')}\0`,
  );
  return `${show}\0${String(uptime)}\n\0${facts.join('')}${stamps}`;
}

function parsed(text: string, wanted = web): Observed | undefined {
  return unitKind.parse(text, [wanted]).get(wanted.id);
}

const stamp = (files: Readonly<Record<string, string>>, end = `e\0${INVOCATION}\0`): string =>
  `t\0web.service\0restart\0${Object.entries(files)
    .map(([path, time]) => `${time}\0${path}\0`)
    .join('')}${end}`;

describe('unit', () => {
  it('asks systemd once for all units, and reads all records at once', () => {
    expect(unitKind.probe([web, unit({ name: 'db.timer' })], '').render()).toMatchInlineSnapshot(`
      "(
      systemctl show --timestamp=us+utc -p Names,LoadState,ActiveState,UnitFileState,NeedDaemonReload,InvocationID,InactiveExitTimestamp,NRestarts,ActiveEnterTimestampMonotonic -- web.service db.timer
      printf '\\0'
      cut -d ' ' -f 1 /proc/uptime
      printf '\\0'
      set -- /etc/web.conf /var/lib/dpkg/info/libssl3.list /var/lib/dpkg/info/libssl3:*.list /etc/web.d/site
      if [ $# -gt 0 ]; then find -P "$@" -maxdepth 0 -printf 's\\0%p\\0%y\\0%m\\0%u\\0%g\\0%T@\\0%l\\0' 2>/dev/null || :; fi
      cat /var/lib/odoo-prov/units/*.restart /var/lib/odoo-prov/units/*.reload 2>/dev/null || :
      )"
    `);
  });

  it('is restarted, watched and recorded', () => {
    const apply = unitKind.apply({
      resource: web,
      have: {},
      want: {},
      differences: [{ field: 'restart', have: 'done', want: 'for /etc/web.conf' }],
    });
    expect(apply.render()).toMatchInlineSnapshot(`
      "(
      unit=web.service
      show() { systemctl show -p "$1" --value -- "$unit"; }
      fail() {
        {
          echo "$unit: $1"
          systemctl status --no-pager --full --lines 0 -- "$unit" || :
          journalctl --no-pager --quiet -n 15 -o short-iso -u "$unit" || :
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
        for quarter in $(seq 8); do
          case $first in *ActiveState=active*) ;; *) fail 'it does not run' ;; esac
          sleep 0.25
          [ "$(running)" = "$first" ] || fail "it did not stay up for 2 s"
        done
      }
      look() {
        {
          printf 't\\0%s\\0%s\\0' "$unit" "$1"
          shift
          for file do
            if [ -e "$file" ] || [ -L "$file" ]; then
              find -P "$file" -maxdepth 0 -printf '%T@\\0%p\\0'
            else
              printf '%s\\0%s\\0' - "$file"
            fi
          done
        } | base64 -w 0
      }
      record() {
        mkdir -p /var/lib/odoo-prov/units
        { printf '%s' "$2" | base64 -d; printf 'e\\0%s\\0' "$3"; } > /var/lib/odoo-prov/units/"$unit.$1"
      }
      read_anew=$(show NeedDaemonReload)
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
      fi
      case $(show UnitFileState) in masked*) systemctl unmask -- "$unit" || fail 'systemctl unmask failed' ;; esac
      case $(show UnitFileState) in
        enabled | alias | generated) ;;
        *) systemctl enable --quiet -- "$unit" || fail 'systemctl enable failed' ;;
      esac
      work=restart
      case $(show SubState):$(show ActiveState) in
        auto-restart*) work=restart ;;
        *:active | *:reloading)
          if [ $work = nothing ]; then exit 0; fi
          # It was down when it was looked at: its package has started it since, with other files.
          if [ $work = start ]; then work=restart; fi ;;
        *) work=start ;;
      esac
      restart_files=$(look restart /etc/web.conf /var/lib/dpkg/info/libssl3.list /var/lib/dpkg/info/libssl3:*.list)
      reload_files=$(look reload /etc/web.d/site)
      systemctl reset-failed -- "$unit" 2>/dev/null || :
      systemctl $work -- "$unit" || fail "systemctl $work failed"
      stays_up
      if [ $work != reload ]; then record restart "$restart_files" "$(show InvocationID)"; fi
      record reload "$reload_files" "$(show InvocationID)"
      )"
    `);
  });

  it('has taken in what is older than its start', () => {
    const state = parsed(output(shown(), { '/etc/web.conf': STARTED - 1, '/etc/web.d/site': 1 }));
    expect(state).toEqual(unitKind.want(web, ''));
  });

  it('names what is newer than its start', () => {
    const files = { '/etc/web.conf': STARTED + 0.001, '/etc/web.d/site': STARTED + 5 };
    expect(parsed(output(shown(), files))).toMatchObject({
      restart: 'due for /etc/web.conf',
      reload: 'due for /etc/web.d/site',
    });
  });

  it('sees an upgraded package of any architecture', () => {
    const path = '/var/lib/dpkg/info/libssl3:amd64.list';
    expect(parsed(output(shown(), { [path]: STARTED + 1 }))).toMatchObject({
      restart: `due for ${path}`,
    });
    const other = '/var/lib/dpkg/info/libssl3-dev.list';
    expect(parsed(output(shown(), { [other]: STARTED + 1 }))).toMatchObject({ restart: 'done' });
  });

  it('believes a record of the running invocation, and only that', () => {
    const files = { '/etc/web.conf': STARTED + 9 };
    const time = `${(STARTED + 9).toFixed(7)}000`;
    const right = stamp({ '/etc/web.conf': time });
    expect(parsed(output(shown(), files, right))).toMatchObject({ restart: 'done' });
    const other = shown({ InvocationID: 'another' });
    expect(parsed(output(other, files, right))).toMatchObject({
      restart: 'due for /etc/web.conf',
    });
    const cut = stamp({ '/etc/web.conf': time }, '');
    expect(parsed(output(shown(), files, cut))).toMatchObject({ restart: 'due for /etc/web.conf' });
  });

  it('notices by its record that a file went away', () => {
    const record = stamp({ '/etc/web.conf': `${STARTED.toFixed(7)}000` });
    expect(parsed(output(shown(), {}, record))).toMatchObject({ restart: 'due for /etc/web.conf' });
    expect(parsed(output(shown(), {}, stamp({ '/etc/web.conf': '-' })))).toMatchObject({
      restart: 'done',
    });
  });

  it('is not due for anything while it is stopped', () => {
    const files = { '/etc/web.conf': STARTED + 1 };
    expect(parsed(output(shown({ ActiveState: 'inactive' }), files))).toMatchObject({
      active: 'inactive',
      restart: 'done',
    });
  });

  it('tells a service that dies again and again from one that runs', () => {
    const restarted = shown({ NRestarts: '3', ActiveEnterTimestampMonotonic: '999000000' });
    expect(parsed(output(restarted))).toMatchObject({ active: 'unsteady' });
    expect(parsed(output(restarted, {}, '', 1010))).toMatchObject({ active: 'active' });
  });

  it('is absent only where it should be there', () => {
    const none = shown({ LoadState: 'not-found', ActiveState: 'inactive', UnitFileState: '' });
    expect(parsed(output(none))).toBe('absent');
    const stopped = unit({ name: 'web', running: false });
    expect(parsed(output(none), stopped)).toMatchObject(unitKind.want(stopped, '') as object);
  });

  it.each([
    ['enabled', true, 'enabled'],
    ['alias', true, 'enabled'],
    ['generated', true, 'enabled'],
    ['enabled-runtime', true, 'enabled-runtime'],
    ['static', true, 'static'],
    ['static', false, 'disabled'],
    ['masked', true, 'masked'],
    ['masked', false, 'disabled'],
  ])('takes UnitFileState=%s where enabled=%s is wanted as %s', (state, enabled, expected) => {
    const wanted = unit({ name: 'web', running: false, enabled });
    expect(parsed(output(shown({ UnitFileState: state })), wanted)).toMatchObject({
      enabled: expected,
    });
  });

  it('differs when one of its files changes in the same plan', () => {
    expect(unitKind.dependsOn?.(web)).toEqual([...web.restartFor, ...web.reloadFor]);
    expect(unitKind.staleBecause?.(web, ['file:/etc/web.d/site'])).toEqual({
      field: 'reload',
      have: 'done',
      want: 'for /etc/web.d/site',
    });
    expect(unitKind.staleBecause?.(web, ['file:/etc/web.d/site', 'package:libssl3'])).toEqual({
      field: 'restart',
      have: 'done',
      want: 'for package:libssl3',
    });
    const stopped = unit({ ...web, running: false });
    expect(unitKind.staleBecause?.(stopped, ['package:libssl3'])).toBeUndefined();
  });
});
