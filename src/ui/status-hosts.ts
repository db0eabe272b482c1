import type { Alert } from '../status/alert.js';
import type { ClusterStatus, HostStatus } from '../status/model.js';
import type { ServiceStatus } from '../status/services.js';
import { percent, size, span } from '../status/words.js';
import type { StatusView } from './status-view.js';
import { plural, printable, wrap } from './text.js';

/** At most so many columns for the disks, which wrap like the services after them. */
const DISKS = 24;
/** The services never get fewer columns than this, however narrow the terminal. */
const LEAST = 24;

/** A row a host: load, memory and disk that are left, and what its services do. */
export function hostLines(
  { hosts }: ClusterStatus,
  alerts: readonly Alert[],
  { width, style }: StatusView,
): readonly string[] {
  const names = Math.max(4, ...hosts.map(({ host }) => host.length));
  const disks = Math.min(DISKS, Math.max(9, ...hosts.map((host) => glued(disksOf(host)).length)));
  const heading = ['host'.padEnd(names), ' load', 'memory', 'disk left'.padEnd(disks), 'services'];
  const before = names + 5 + 6 + disks + 4 * 2;
  const rest = Math.max(LEAST, width - before);
  const rows = hosts.flatMap((host) => {
    const lines = rowsOf(host, { names, disks, rest });
    const own = alerts.filter((alert) => alert.host === host.host);
    if (own.some(({ severity }) => severity === 'problem')) return lines.map(style.bad);
    return own.length === 0 ? lines : lines.map(style.changed);
  });
  return [style.dim(heading.join('  ')), ...rows];
}

interface Widths {
  readonly names: number;
  readonly disks: number;
  readonly rest: number;
}

function rowsOf(host: HostStatus, { names, disks: most, rest }: Widths): readonly string[] {
  const { system } = host;
  const left = [
    host.host.padEnd(names),
    (system === null ? '-' : (system.load[0] ?? 0).toFixed(2)).padStart(5),
    (system === null ? '-' : percent(system.memoryAvailable / system.memory)).padStart(6),
  ].join('  ');
  const disks = wrap(glued(disksOf(host)), most);
  const services = wrap(glued(servicesOf(host)), rest);
  return Array.from({ length: Math.max(disks.length, services.length) }, (_, i) =>
    [i === 0 ? left : ' '.repeat(left.length), (disks[i] ?? '').padEnd(most), services[i] ?? '']
      .map((cell) => cell.replaceAll(GLUE, ' '))
      .join('  ')
      .trimEnd(),
  );
}

/** Stands for a space at which no line may end. */
const GLUE = '\u00a0';

/** Items with commas between; a line ends only between two of them. */
function glued(items: readonly string[]): string {
  return items.map((item) => printable(item).replaceAll(' ', GLUE)).join(', ');
}

function disksOf({ system }: HostStatus): readonly string[] {
  return system === null
    ? ['-']
    : system.disks.map(({ mount, free }) => `${mount} ${percent(free)}`);
}

function servicesOf(host: HostStatus): readonly string[] {
  if (host.failure !== null) return [host.failure.message];
  return (
    (host.services ?? [])
      .filter(({ roles, active }) => roles.some((role) => role !== 'base') || active === 'failed')
      // Debian's switch for all clusters of a host; the cluster's own unit is beside it.
      .filter(({ unit }) => unit !== 'postgresql.service')
      .flatMap((service) => serviceText(service, host))
  );
}

function serviceText({ unit, active, sub }: ServiceStatus, host: HostStatus): readonly string[] {
  const name = unit.replace(/\.service$/, '');
  if (active !== 'active') return [`${name} ${sub === 'auto-restart' ? 'keeps failing' : active}`];
  const [first = '', ...more] = detailsOf(name, host);
  return [first === '' ? name : `${name} ${first}`, ...more];
}

/** What is worth knowing of a service that runs. */
function detailsOf(name: string, { odoo, redis, edge }: HostStatus): readonly string[] {
  const service = odoo?.find((one) => `odoo-${one.service}` === name);
  if (service !== undefined) {
    return service.service === 'gevent'
      ? []
      : [`${String(service.processes)}/${String(service.wanted)}`];
  }
  if (name === 'redis-server' && redis?.answers) {
    const most = redis.maxMemory === 0 ? '' : ` of ${size(redis.maxMemory)}`;
    return [plural(redis.sessions, 'session'), `${size(redis.memory)}${most}`];
  }
  if (name === 'nginx' && edge !== null) {
    const { status, seconds, certificate } = edge;
    return [
      status === 0 ? 'silent' : `${String(status)} in ${seconds.toFixed(2)} s`,
      certificate === null ? 'no certificate' : `certificate ${span(certificate.days * 86_400)}`,
    ];
  }
  return [];
}
