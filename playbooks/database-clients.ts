import { hostsWith, type Cluster, type Host } from '../src/inventory/cluster.js';
import { HTTP_PORT, addressOf, odooHosts } from '../src/odoo/layout.js';
import { lines, sh, type Script } from '../src/shell/index.js';
import type { Procedure } from './procedure.js';

/*
 * Odoo and PgBouncer, which must neither write nor let anybody write while the database is set back. Each host remembers
 * what was stopped on it, for a run that goes on where another was cut.
 */

/** Services that are stopped together, before those of the next group. */
export interface ClientGroup {
  readonly hosts: readonly Host[];
  readonly name: string;
  readonly units: readonly string[];
  /** Seconds that they may take. */
  readonly limit: number;
}

/** What ran on a host before it was stopped. */
export interface Stopped {
  readonly host: Host;
  readonly units: readonly string[];
}

/** All clients of a cluster's database, in the order in which they are stopped. */
export function clientGroups(cluster: Cluster): readonly ClientGroup[] {
  const groups = [
    {
      hosts: odooHosts(cluster),
      name: 'Odoo',
      units: ['odoo-app', 'odoo-cron', 'odoo-gevent'],
      limit: 1200,
    },
    {
      hosts: hostsWith(cluster, 'pgbouncer'),
      name: 'PgBouncer',
      units: ['pgbouncer'],
      limit: 120,
    },
  ];
  return groups.filter(({ hosts }) => hosts.length > 0);
}

/** Stops them all. @returns what ran, now or before a run that was cut */
export async function stopClients(
  procedure: Procedure,
  cluster: Cluster,
): Promise<readonly Stopped[]> {
  const stopped: Stopped[] = [];
  for (const { hosts, name, units, limit } of clientGroups(cluster)) {
    await Promise.all(
      hosts.map(async (host) => {
        const text = await procedure.step(host, `stopping ${name}`, stop(units), { limit });
        stopped.push({ host, units: text.split('\n').filter((unit) => unit !== '') });
      }),
    );
  }
  return stopped;
}

/** Starts what {@link stopClients} stopped, the last first, and waits until Odoo answers. */
export async function startClients(
  procedure: Procedure,
  stopped: readonly Stopped[],
): Promise<void> {
  for (const { host, units } of [...stopped].reverse()) {
    if (units.length === 0) continue;
    await procedure.step(host, `starting ${units.join(', ')}`, start(units), { limit: 300 });
  }
  for (const { host, units } of stopped) {
    if (!units.includes('odoo-app')) continue;
    await procedure.step(host, 'waiting until Odoo answers', answers(host), { limit: 200 });
  }
}

/** One file a unit. A reboot takes them away, and starts the units by itself. */
const STOPPED = '/run/odoo-prov/stopped-for-restore';

function stop(units: readonly string[]): Script {
  return sh`
mkdir -p ${STOPPED}
for unit in ${units}; do
  if systemctl is-active --quiet "$unit"; then
    : >${STOPPED}/"$unit"
    systemctl stop "$unit"
    # One that had to be killed, as PgBouncer with clients, would be called failed for as long as this takes.
    systemctl reset-failed "$unit" 2>/dev/null || :
  fi
  if [ -e ${STOPPED}/"$unit" ]; then echo "$unit"; fi
done`;
}

function start(units: readonly string[]): Script {
  return lines(
    units.map(
      (unit) => sh`
systemctl start ${unit}
rm -f ${`${STOPPED}/${unit}`}`,
    ),
  );
}

function answers(host: Host): Script {
  const url = `http://${addressOf(host, host)}:${String(HTTP_PORT)}/web/health`;
  return sh`curl -sf -o /dev/null -m 10 --retry 120 --retry-delay 1 --retry-all-errors ${url} || {
  journalctl -q -n 12 -o cat -u odoo-app >&2; exit 1; }`;
}
