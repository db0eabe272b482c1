import { EXIT, exitCodeOf } from '../failure/failure.js';
import { DATABASE_ROLES } from '../inventory/cluster.js';
import { GUARD_UNIT } from '../postgres/old-data.js';
import { graded, problem, warning, type Alert } from './alert.js';
import { isFull } from './backup.js';
import { LIMITS } from './limits.js';
import { isRejoining } from './rejoining.js';
import type { HostStatus } from './model.js';
import type { ServiceStatus } from './services.js';
import { list, percent, size } from './words.js';

/** Whether a host could not be reached, rather than reached and not asked (sudo, an answer cut off). */
export function isUnreachable({ failure }: HostStatus): boolean {
  if (failure === null) return false;
  return failure.reason === 'timeout' || exitCodeOf(failure.reason) === EXIT.unreachable;
}

/** What is wrong with a host as such: it is silent, its disks, its memory, its services. */
export function hostRules(host: HostStatus): readonly Alert[] {
  const { failure, host: name } = host;
  if (failure !== null) {
    const verb = isUnreachable(host) ? 'cannot be reached' : 'could not be asked';
    return [
      problem({
        id: isUnreachable(host) ? 'host.unreachable' : 'host.silent',
        host: name,
        message: `${name} ${verb}: ${failure.message}`,
        next: failure.details.remedy,
      }),
    ];
  }
  return [
    ...host.unknown
      .filter(({ part }) => !(part === 'backup' && keepsNone(host)))
      .map(({ part, why }) =>
        problem({
          id: 'host.unknown',
          host: name,
          message: `${name} does not tell about ${part}: ${why}`,
          next: `log in on ${name} and see what hangs: ps -ef --forest`,
        }),
      ),
    ...serviceRules(host),
    ...roomRules(host),
  ];
}

/** Whether a host is to keep the backups, and was never given what that takes. */
function keepsNone(host: HostStatus): boolean {
  const asked = host.unknown.some(({ part }) => part === 'backup');
  return asked && host.services !== null && unitsOf(host, 'backup').length === 0;
}

/** The units that a role brought to a host. */
export function unitsOf(host: HostStatus, role: string): readonly ServiceStatus[] {
  // The database roles move, and what they bring is the same: it is recorded as one.
  const name = DATABASE_ROLES.some((one) => one === role) ? 'postgres' : role;
  return (host.services ?? []).filter(({ roles }) => roles.includes(name));
}

/** A service that is stopped is told as such here, not once more by what it does not answer. */
export function runs(host: HostStatus, role: string): boolean {
  const units = unitsOf(host, role);
  return units.length > 0 && units.every(({ active }) => active === 'active');
}

/** Stages that bring units and are no roles of the inventory. */
const FOLLOWING = ['base', 'archive', 'backup', 'filestore-backup'];

function serviceRules(host: HostStatus): readonly Alert[] {
  if (host.services === null) return [];
  const missing = [
    ...host.roles.filter((role) => unitsOf(host, role).length === 0),
    ...(keepsNone(host) ? ['the keeper of the backups'] : []),
  ];
  const owned = new Set([...host.roles, ...FOLLOWING].flatMap((role) => unitsOf(host, role)));
  const others = host.services.filter(
    ({ roles, active }) => roles.length === 0 && active === 'failed',
  );
  return [
    ...(missing.length === 0
      ? []
      : [
          problem({
            id: 'host.not-set-up',
            host: host.host,
            message: `${host.host} was never set up as ${list(missing)}`,
            next: `odoo-prov apply FILE --limit ${host.host}`,
          }),
        ]),
    ...[...owned, ...others].flatMap((service) => unitRules(host, service)),
  ];
}

function unitRules(
  host: HostStatus,
  { unit, roles, active, sub }: ServiceStatus,
): readonly Alert[] {
  if (['active', 'reloading', 'refreshing'].includes(active)) return [];
  if (isPostgres(unit) && host.postgres !== null && host.postgres.server !== 'up') return [];
  if (unit === GUARD_UNIT && isRejoining(host)) return [];
  const said = sub === 'auto-restart' ? 'fails and is started again and again' : `is ${active}`;
  const words = {
    id: 'service.down',
    host: host.host,
    message: `${unit.replace(/\.service$/, '')} on ${host.host} ${said}`,
    next: `on ${host.host}: journalctl -u ${unit} -n 50, then systemctl start ${unit}`,
  };
  const waits = active === 'activating' && sub !== 'auto-restart';
  const minor = roles.length > 0 && roles.every((role) => role === 'base');
  return [waits || minor ? warning(words) : problem(words)];
}

/**
 * Its own unit, and the one that starts it at boot: while PostgreSQL is not up, rules-database.ts says more. Whether it is to be
 * started is another question where another one has taken over.
 */
function isPostgres(unit: string): boolean {
  return unit === 'postgresql.service' || unit.startsWith('postgresql@');
}

function roomRules({ host, system, backup }: HostStatus): readonly Alert[] {
  if (system === null) return [];
  // A full repository is told as such: rules-services.ts.
  const full = backup?.room && isFull(backup.room) ? [backup.room.path] : [];
  const disks = system.disks.filter(({ paths }) => !paths.some((path) => full.includes(path)));
  const limits = LIMITS.diskFree;
  const memory = system.memoryAvailable / system.memory;
  return [
    ...system.hanging.map((path) =>
      problem({
        id: 'host.mount',
        host,
        message: `${path} on ${host} gives no answer: its mount is dead`,
        next: `on ${host}: findmnt -T ${path}; is the file server up?`,
      }),
    ),
    ...disks.flatMap(({ mount, free, available }) =>
      // Less that is free is worse.
      graded(
        -free,
        { warning: -limits.warning, problem: -limits.problem },
        {
          id: 'host.disk',
          host,
          message: (limit) =>
            `${mount} on ${host} has ${percent(free)} left, ${size(available)} (limit ${percent(-limit)})`,
          next: `on ${host}: what takes the space: du -xh ${mount} | sort -h | tail`,
        },
      ),
    ),
    ...(memory < LIMITS.memoryAvailable
      ? [
          warning({
            id: 'host.memory',
            host,
            message: `${host} has ${percent(memory)} of its memory left (limit ${percent(LIMITS.memoryAvailable)})`,
            next: `on ${host}: which processes have it: ps -eo rss,args --sort=-rss | head`,
          }),
        ]
      : []),
  ];
}
