import { lines, sh } from '../shell/index.js';
import type { Kind, Observed, Resource } from './kind.js';

/** A service that does something and ends, started by a timer: that it works. */
export interface JobResource extends Resource {
  readonly kind: 'job';
  readonly unit: string;
  readonly stamp: string;
  readonly newerThan?: readonly string[];
  readonly within: number;
  readonly describes: string;
}

export interface JobOptions {
  /** Full name of a unit of type oneshot. */
  readonly unit: string;
  /** A file that it leaves when it has succeeded: systemd forgets at a reboot. */
  readonly stamp: string;
  /** Files that it works by: a success from before one of them was changed says nothing. */
  readonly newerThan?: readonly string[];
  /** Seconds that apply waits for its end; it goes on without. */
  readonly within: number;
  /** What it makes, for people: `a backup`. */
  readonly describes: string;
}

/** A job that has succeeded once, and did not fail when it ran last. */
export function job(options: JobOptions): JobResource {
  return { kind: 'job', id: options.unit, ...options };
}

const WELL = 'succeeded or under way';

/** Whether a job works, by its last run. Apply runs it, after any change before it in its stage too. */
export const jobKind: Kind<JobResource> = {
  name: 'job',
  summary: 'a service that a timer starts: has done its work, and did not fail last',
  limit: 3600,
  confirms: true,

  probe(wanted) {
    return lines(
      wanted.map(
        ({ unit, stamp, newerThan = [] }) => sh`
if [ -e ${stamp} ]; then stamp=yes; else stamp=no; fi
${lines(newerThan.map((path) => sh`[ ! ${path} -nt ${stamp} ] || stamp=old`))}
echo "$(systemctl show -P ActiveState -- ${unit}) $(systemctl show -P Result -- ${unit}) $stamp"`,
      ),
    );
  },

  parse(output, wanted) {
    const rows = output.trim().split('\n');
    return new Map(wanted.map(({ id }, i) => [id, observed(rows[i])]));
  },

  want: () => ({ 'last run': WELL }),

  apply({ resource: { unit, within, describes } }) {
    return sh`(
show() { systemctl show -P "$1" -- ${unit}; }
waiting() { [ "$(show ActiveState)" = activating ] || [ -n "$(systemctl list-jobs --no-legend -- ${unit})" ]; }
# One that runs began before what was changed just now.
waited=0
started=no
while :; do
  if ! waiting; then
    [ $started = no ] || break
    systemctl reset-failed -- ${unit} 2>/dev/null || :
    systemctl start --no-block -- ${unit}
    started=yes
    continue
  fi
  if [ "$waited" -ge ${within} ]; then
    echo ${`${describes} goes on by itself: journalctl -fu ${unit}`}
    exit 0
  fi
  sleep 1
  waited=$((waited + 1))
done
if [ "$(show Result)" != success ]; then
  printf '%s failed\n' ${describes} >&2
  journalctl -q -n 15 -o cat -u ${unit} >&2
  exit 1
fi
)`;
  },
};

function observed(row: string | undefined): Observed {
  const [active, result, stamp] = (row ?? '').split(' ');
  if (stamp === undefined) return { unknown: 'the look was cut' };
  if (active === 'activating') return { 'last run': WELL };
  if (result !== 'success') return { 'last run': 'failed' };
  if (stamp === 'old') return { 'last run': 'before a change' };
  return { 'last run': stamp === 'yes' ? WELL : 'never' };
}
