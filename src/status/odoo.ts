import type { Host } from '../inventory/cluster.js';
import { configPath, GEVENT_PORT, HTTP_PORT, unitName, type OdooService } from '../odoo/layout.js';
import { lines, raw, sh, type Script } from '../shell/index.js';
import { numberOf } from './text.js';

/** One of Odoo's services on a host, as its processes show it. */
export interface OdooServiceStatus {
  readonly service: OdooService;
  /** Processes that do its work: HTTP workers, cron workers, the evented server itself. */
  readonly processes: number;
  /** How many its configuration wants. */
  readonly wanted: number;
  /** HTTP status of its own health page, 0 when it does not answer; null for cron, which has none. */
  readonly health: number | null;
}

/** What of a service's configuration says how many processes it has, and where it can be asked. */
const SERVICES: Readonly<Record<OdooService, { readonly wanted: string; readonly url: string }>> = {
  app: { wanted: 'workers', url: `http://127.0.0.1:${String(HTTP_PORT)}/web/health` },
  cron: { wanted: 'max_cron_threads', url: '' },
  gevent: { wanted: '', url: `http://127.0.0.1:${String(GEVENT_PORT)}/websocket/health` },
};

/** The services of Odoo that a host has. */
export function odooServices(host: Host): readonly OdooService[] {
  return (['app', 'cron', 'gevent'] as const).filter((role) => host.roles.includes(role));
}

/**
 * Prints a line for each service: its name, its processes, those wanted, the health page's status. Odoo's
 * master keeps one process for each worker; the evented child that an HTTP service always has is left out.
 */
export function odooProbe(services: readonly OdooService[]): Script {
  const one = sh`
odoo() {
  pid=$(systemctl show -P MainPID "$2")
  if [ "$4" = - ]; then
    wanted=1 running=1
    if [ "$pid" = 0 ]; then running=0; fi
  else
    wanted=$(sed -n "s/^$4 = //p" "$3" 2>/dev/null)
    running=0
    if [ "$pid" != 0 ]; then
      for status in $(grep -sl "^PPid:[[:space:]]*$pid$" /proc/[0-9]*/status); do
        grep -sqa gevent "\${status%/status}/cmdline" || running=$((running + 1))
      done
    fi
  fi
  health=-
  if [ "$5" != - ]; then health=$(curl -s -o /dev/null -m 4 -w '%{http_code}' "$5"); fi
  echo "$1 $running \${wanted:-0} $health"
}`;
  const calls = services.map((service) => {
    const { wanted, url } = SERVICES[service];
    return sh`odoo ${service} ${unitName(service)} ${configPath(service)} ${wanted || '-'} ${url || '-'}`;
  });
  return lines([one, ...calls, raw(':')]);
}

/** Reads what {@link odooProbe} printed. @throws Error on anything else */
export function parseOdoo(
  text: string,
  services: readonly OdooService[],
): readonly OdooServiceStatus[] {
  const rows = text.split('\n').map((line) => line.split(' '));
  return services.map((service) => {
    const [, processes, wanted, health] = rows.find(([name]) => name === service) ?? [];
    return {
      service,
      processes: numberOf(processes, `the processes of ${service}`),
      wanted: numberOf(wanted, `the wanted processes of ${service}`),
      health: health === '-' ? null : numberOf(health, `the health of ${service}`),
    };
  });
}
