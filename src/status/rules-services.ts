import { graded, problem, warning, type Alert } from './alert.js';
import { serverOf } from './database.js';
import { LIMITS } from './limits.js';
import type { ClusterStatus, HostStatus } from './model.js';
import type { OdooServiceStatus } from './odoo.js';
import type { Pool, PooledDatabase } from './pgbouncer.js';
import { unitsOf } from './rules-units.js';
import { counted, percent, size, span } from './words.js';

/** What is wrong with PgBouncer, Redis, Odoo, the edges and the backups: things that run and do not do their work. */
export function serviceRules(status: ClusterStatus): readonly Alert[] {
  return [
    ...status.hosts.flatMap((host) => pgbouncerRules(host, status)),
    ...status.hosts.flatMap(redisRules),
    ...status.hosts.flatMap(odooRules),
    ...jobRules(status),
    ...status.hosts.flatMap(edgeRules),
    ...status.hosts.flatMap(backupRules),
  ];
}

/** A service that is stopped is told as such (rules-units.ts), not once more by what it does not answer. */
function runs(host: HostStatus, role: string): boolean {
  const units = unitsOf(host, role);
  return units.length > 0 && units.every(({ active }) => active === 'active');
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
  { database, hosts }: ClusterStatus,
): readonly Alert[] {
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
        next: `if nobody is moving the primary just now: on ${at.host}, psql -h /var/run/postgresql -p 6432 -U pgbouncer pgbouncer -c '${paused ? 'RESUME' : `ENABLE ${name}`}' as postgres`,
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
    message: `${counted(clientsWaiting, 'client', 'wait')} in PgBouncer on ${host} for the database ${database}, the first for ${span(longestWait)} (limit ${span(LIMITS.poolWait.warning)})`,
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

function odooRules(host: HostStatus): readonly Alert[] {
  return (host.odoo ?? [])
    .filter(({ service }) => runs(host, service))
    .flatMap((service) => odooServiceRules(host.host, service));
}

function odooServiceRules(host: string, service: OdooServiceStatus): readonly Alert[] {
  const { processes, wanted, health } = service;
  const unit = `odoo-${service.service}`;
  const next = `on ${host}: journalctl -u ${unit} -n 50`;
  const count = `${String(processes)} of ${String(wanted)}`;
  if (processes < wanted) {
    const message = `${unit} on ${host} has ${count} processes`;
    const words = { id: `odoo.${service.service}-processes`, host, message, next };
    // Odoo replaces a worker that has used up its limits: one may be missing for a moment.
    return [processes === 0 ? problem(words) : warning(words)];
  }
  if (health === null || health === 200) return [];
  const said = health === 0 ? 'does not answer' : `answers ${String(health)}`;
  const message = `${unit} on ${host} ${said} on its health page`;
  return [problem({ id: `odoo.${service.service}-health`, host, message, next })];
}

/** Asked of the primary only: what a standby shows of it is the same, or older. */
function jobRules({ hosts, database }: ClusterStatus): readonly Alert[] {
  const primary = hosts.find(({ host }) => host === database.primary);
  const jobs = primary && serverOf(primary) && primary.jobs;
  if (!jobs || jobs.overdue <= LIMITS.jobOverdue) return [];
  return [
    warning({
      id: 'odoo.jobs-overdue',
      host: null,
      message: `a scheduled job of Odoo is overdue for ${span(jobs.overdue)} (limit ${span(LIMITS.jobOverdue)})`,
      next: 'on the cron hosts: journalctl -u odoo-cron -n 50; in Odoo: Settings, Technical, Scheduled Actions',
    }),
  ];
}

function edgeRules(host: HostStatus): readonly Alert[] {
  const { edge, host: name } = host;
  if (edge === null || !runs(host, 'edge')) return [];
  const alerts: Alert[] = [];
  if (edge.status !== 200) {
    const said = edge.status === 0 ? 'does not answer' : `answers ${String(edge.status)}`;
    const message = `Odoo ${said} through ${name}`;
    const next = `are the app hosts well? On ${name}: tail /var/log/nginx/error.log`;
    alerts.push(problem({ id: 'edge.answer', host: name, message, next }));
  }
  if (edge.certificate === null) {
    const message = `${name} shows no certificate on port 443`;
    const next = `on ${name}: nginx -t, tail /var/log/nginx/error.log`;
    return [...alerts, problem({ id: 'edge.certificate', host: name, message, next })];
  }
  const { days } = edge.certificate;
  const limits = LIMITS.certificate;
  const left =
    days < 0 ? `expired ${span(-days * 86_400)} ago` : `expires in ${span(days * 86_400)}`;
  const words = {
    id: 'edge.certificate',
    host: name,
    message: `the certificate of ${name} ${left} (limit ${String(limits.warning)} d)`,
    next: 'put a new one where edge.tls of the inventory says, then run odoo-prov apply; without edge.tls, apply makes a new one',
  };
  // Fewer days are worse.
  return [
    ...alerts,
    ...graded(-days, { warning: -limits.warning, problem: -limits.problem }, words),
  ];
}

function backupRules(status: HostStatus): readonly Alert[] {
  const { host, backup } = status;
  if (backup === null) return [];
  const { newest, running } = backup;
  const next = `on ${host}: journalctl -u 'odoo-prov-backup@*' -n 50, and /var/log/pgbackrest`;
  if (newest === null && running) {
    const message = `the first backup is being made on ${host}: there is none yet`;
    return [warning({ id: 'backup.repository', host, message, next })];
  }
  if (newest === null || !backup.ok) {
    const message = `the backup repository on ${host} says: ${backup.message}`;
    return [problem({ id: 'backup.repository', host, message, next })];
  }
  if (newest.damaged) {
    const message = `the newest backup (${newest.label}) holds damaged pages`;
    return [problem({ id: 'backup.damaged', host, message, next })];
  }
  const daily = status.services?.some(
    ({ unit, active }) => unit === 'odoo-prov-backup-diff.timer' && active === 'active',
  );
  const limits = daily === false ? LIMITS.weeklyBackupAge : LIMITS.backupAge;
  return graded(newest.age, limits, {
    id: 'backup.age',
    host,
    message: `the newest backup is ${span(newest.age)} old (limit ${span(limits.warning)})`,
    next,
  });
}
