import { makeRoom } from '../postgres/archive-failure.js';
import { graded, problem, warning, type Alert } from './alert.js';
import { isFull, type BackupStatus } from './backup.js';
import { isMoveCut } from './cut-move.js';
import { serverOf } from './database.js';
import { LIMITS } from './limits.js';
import type { ClusterStatus, HostStatus } from './model.js';
import type { Pool, PooledDatabase } from './pgbouncer.js';
import { edgeRules, jobRules, odooRules } from './rules-odoo.js';
import { runs } from './rules-units.js';
import { counted, percent, size, span } from './words.js';

/** What is wrong with PgBouncer, Redis, Odoo, the edges and the backups: things that run and do not do their work. */
export function serviceRules(status: ClusterStatus): readonly Alert[] {
  return [
    ...status.hosts.flatMap((host) => pgbouncerRules(host, status)),
    ...status.hosts.flatMap(redisRules),
    ...status.hosts.flatMap(odooRules),
    ...jobRules(status),
    ...status.hosts.flatMap(edgeRules),
    ...status.hosts.flatMap((host) => backupRules(host, status)),
    ...status.hosts.flatMap(filestoreRules),
  ];
}

function pgbouncerRules(host: HostStatus, status: ClusterStatus): readonly Alert[] {
  const { pgbouncer } = host;
  if (pgbouncer === null || !runs(host, 'pgbouncer')) return [];
  if (!pgbouncer.answers) {
    return [
      problem({
        id: 'pgbouncer.silent',
        host: host.host,
        message: `PgBouncer on ${host.host} does not answer: ${pgbouncer.why}`,
        next: `on ${host.host}: journalctl -u pgbouncer -n 50, /var/log/postgresql/pgbouncer.log`,
      }),
    ];
  }
  return [
    ...pgbouncer.databases.flatMap((database) => targetRules(host, database, status)),
    ...pgbouncer.pools.flatMap((pool) => poolRules(host.host, pool)),
  ];
}

/** PgBouncer must lead to the host that takes the writes. */
function targetRules(
  at: HostStatus,
  { name, host, paused, disabled }: PooledDatabase,
  status: ClusterStatus,
): readonly Alert[] {
  const { database, hosts } = status;
  const alerts: Alert[] = [];
  const primary = hosts.find((one) => one.host === database.primary);
  const local = primary === at && /^(127\.|localhost$|::1$|\/|$)/.test(host);
  if (primary !== undefined && !local && host !== primary.address) {
    const led = hosts.find(({ address }) => address === host)?.host ?? host;
    alerts.push(
      problem({
        id: 'pgbouncer.target',
        host: at.host,
        message: `PgBouncer on ${at.host} sends the database ${name} to ${led}, but ${primary.host} takes the writes`,
        next: 'run odoo-prov apply: it points PgBouncer at the primary that is',
      }),
    );
  }
  if (paused || disabled) {
    alerts.push(
      problem({
        id: 'pgbouncer.paused',
        host: at.host,
        message: `PgBouncer on ${at.host} has the database ${name} ${paused ? 'paused' : 'disabled'}: its clients wait`,
        next: paused
          ? isMoveCut(status)
            ? 'a move of the primary was cut off: the same command again, or odoo-prov failover FILE, promotes one and lets them through'
            : 'if nobody is moving the primary just now: odoo-prov apply FILE lets them through, to the host that takes the writes'
          : `on ${at.host}, as postgres: psql -h /var/run/postgresql -p 6432 -U pgbouncer pgbouncer -c 'ENABLE ${name}'`,
      }),
    );
  }
  return alerts;
}

function poolRules(host: string, pool: Pool): readonly Alert[] {
  const { clientsWaiting, longestWait, database } = pool;
  if (clientsWaiting === 0) return [];
  return graded(longestWait, LIMITS.poolWait, {
    id: 'pgbouncer.waiting',
    host,
    message: (limit) =>
      `${counted(clientsWaiting, 'client', 'wait')} in PgBouncer on ${host} for the database ${database}, the first for ${span(longestWait)} (limit ${span(limit)})`,
    next: 'is PostgreSQL slow or gone, or is the pool smaller than what Odoo holds? odoo-prov lint shows the budget',
  });
}

function redisRules(host: HostStatus): readonly Alert[] {
  const { redis, host: name } = host;
  if (redis === null || !runs(host, 'redis')) return [];
  if (!redis.answers) {
    const message = `Redis on ${name} does not answer: ${redis.why}`;
    const next = `on ${name}: journalctl -u redis-server -n 50; nobody can log in until it does`;
    return [problem({ id: 'redis.silent', host: name, message, next })];
  }
  const alerts: Alert[] = [];
  if (!redis.persists) {
    const message = `Redis on ${name} cannot write its file: a restart would log everybody out`;
    const next = `on ${name}: /var/log/redis/redis-server.log, and the space on /var/lib/redis`;
    alerts.push(problem({ id: 'redis.file', host: name, message, next }));
  }
  const part = redis.maxMemory === 0 ? 0 : redis.memory / redis.maxMemory;
  if (part >= LIMITS.redisMemory) {
    const message = `Redis on ${name} uses ${percent(part)} of ${size(redis.maxMemory)} (limit ${percent(LIMITS.redisMemory)}): sessions are pushed out`;
    const next =
      'raise redis.settings.maxmemory in the inventory, or find out who makes so many sessions';
    alerts.push(warning({ id: 'redis.memory', host: name, message, next }));
  }
  return alerts;
}

/** Where snapshots are taken at other times than each hour, once a day is what is expected. */
function filestoreRules({ host, filestoreBackup }: HostStatus): readonly Alert[] {
  if (filestoreBackup === null) return [];
  const { age, hourly } = filestoreBackup;
  const words = {
    id: 'backup.filestore',
    host,
    next: "on Odoo's first app host: journalctl -u odoo-prov-filestore-backup -n 50; odoo-prov backup FILE takes one now",
  };
  if (age === null) {
    return [problem({ ...words, message: 'there is no snapshot of the filestore' })];
  }
  const limits = hourly ? LIMITS.filestoreAge : LIMITS.backupAge;
  return graded(age, limits, {
    ...words,
    message: (limit) =>
      `the newest snapshot of the filestore is ${span(age)} old (limit ${span(limit)})`,
  });
}

function backupRules(
  { host, backup, services }: HostStatus,
  status: ClusterStatus,
): readonly Alert[] {
  if (backup === null) return [];
  const { newest, running } = backup;
  const next = `on ${host}: journalctl -u 'odoo-prov-backup@*' -n 50, and /var/log/pgbackrest`;
  if (newest === null && running) {
    const message = `the first backup is being made on ${host}: there is none yet`;
    return [warning({ id: 'backup.repository', host, message, next })];
  }
  const full = fullRules(host, backup, status.cluster);
  if (newest === null || (!backup.ok && full.length === 0)) {
    if (full.length > 0) return full;
    const message = `the backup repository on ${host} says: ${backup.message}`;
    return [problem({ id: 'backup.repository', host, message, next })];
  }
  if (newest.damaged) {
    const message = `the newest backup (${newest.label}) holds damaged pages`;
    return [problem({ id: 'backup.damaged', host, message, next })];
  }
  const hole =
    backup.hole === null
      ? missingAtEnd(backup, status)
      : `the archive lacks ${backup.hole}: nothing that was written after it can be restored`;
  const holes =
    hole === undefined
      ? []
      : [
          problem({
            id: 'backup.hole',
            host,
            message: hole,
            next: 'make a backup now: odoo-prov backup FILE; from its end on every moment can be restored again',
          }),
        ];
  const daily = services?.some(
    ({ unit, active }) => unit === 'odoo-prov-backup-diff.timer' && active === 'active',
  );
  const limits = daily === false ? LIMITS.weeklyBackupAge : LIMITS.backupAge;
  const old = graded(newest.age, limits, {
    id: 'backup.age',
    host,
    message: (limit) => `the newest backup is ${span(newest.age)} old (limit ${span(limit)})`,
    next,
  });
  return [...full, ...holes, ...old];
}

/** @param stanza its name, which is the cluster's */
function fullRules(host: string, { room }: BackupStatus, stanza: string): readonly Alert[] {
  if (room === null || !isFull(room)) return [];
  const message = `the backup repository on ${host} is full: ${size(room.available)} left in ${room.path}, and neither WAL nor a backup finds room`;
  return [
    problem({ id: 'backup.repository', host, message, next: makeRoom(host, room.path, stanza) }),
  ];
}

/**
 * What the primary counts as archived and the repository does not have, while nothing later has come that would show the
 * hole. What was written before on another timeline is not judged: the server counts on over a switchover there and back.
 * @returns a message; undefined where nothing is missing, or nobody can tell
 */
function missingAtEnd(
  { archivedTo }: BackupStatus,
  { hosts, database }: ClusterStatus,
): string | undefined {
  const primary = hosts.find(({ host }) => host === database.primary);
  const server = primary && serverOf(primary);
  const { last = null, lastAge = null } = server?.archive ?? {};
  if (primary === undefined || server === undefined || last === null) return undefined;
  // A .history, .backup or .partial file tells nothing of segments.
  if (!/^[0-9A-F]{24}$/.test(last)) return undefined;
  if (Number.parseInt(last.slice(0, 8), 16) !== server.timeline) return undefined;
  // By name, the newest of the newest timeline: what is earlier is there, or is a hole with something behind it.
  if (last <= (archivedTo ?? '')) return undefined;
  if ((lastAge ?? 0) <= LIMITS.archiveArrival) return undefined;
  return (
    `the archive lacks ${last}, which ${primary.host} counts as archived ${span(lastAge ?? 0)} ago: ` +
    `${archivedTo === null ? 'it is empty' : `it ends with ${archivedTo}`}, and nothing that was written later can be restored`
  );
}
