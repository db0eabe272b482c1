import { GIVEN_PATH, parseGiven } from '../plan/given.js';
import { sh, type Script } from '../shell/index.js';

/** A systemd unit of ours. */
export interface ServiceStatus {
  readonly unit: string;
  /** The roles that brought it; none for one that only its name tells as ours (a backup that failed). */
  readonly roles: readonly string[];
  /** systemd's words: `active`, `failed`, `inactive`, `activating` … */
  readonly active: string;
  /** e.g. `running`, `auto-restart`, `dead`. */
  readonly sub: string;
}

/** Units that work for the cluster without being kept running: what a timer starts, for example. */
const OTHERS = ['odoo*', 'postgresql*', 'pgbackrest*'];

/** Prints what the host was given, a blank line, then the state of those units and of others that failed. */
export function servicesProbe(): Script {
  return sh`
given=$(cat ${GIVEN_PATH} 2>/dev/null)
printf '%s\n\n' "$given"
units=$(printf '%s\n' "$given" | cut -s -d ' ' -f 2 | sort -u)
failed=$(systemctl list-units --failed --plain --no-legend --no-pager ${OTHERS} | cut -d ' ' -f 1)
if [ -n "$units$failed" ]; then
  systemctl show --no-pager -p Id,ActiveState,SubState -- $units $failed
fi`;
}

/** Reads what {@link servicesProbe} printed; units in the order of their names. */
export function parseServices(text: string): readonly ServiceStatus[] {
  const at = text.indexOf('\n\n');
  const given = parseGiven(text.slice(0, Math.max(0, at)));
  const services = text
    .slice(at)
    .split(/\n\n+/)
    .flatMap((block): ServiceStatus[] => {
      const of = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      const unit = of('Id');
      if (unit === '') return [];
      const roles = given.filter((entry) => sameUnit(entry.unit, unit)).map(({ role }) => role);
      return [{ unit, roles, active: of('ActiveState'), sub: of('SubState') }];
    });
  const unique = new Map(services.map((service) => [service.unit, service]));
  return [...unique.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1));
}

/** A unit may be recorded without its ending: `pgbouncer` is `pgbouncer.service`. */
function sameUnit(recorded: string, unit: string): boolean {
  return recorded === unit || `${recorded}.service` === unit;
}
