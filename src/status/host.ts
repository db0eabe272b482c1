import type { Output, Snippet } from '../batch/probe.js';
import { databaseProbe, parseFenced, parseRestoring } from '../facts/database-facts.js';
import type { Failure } from '../failure/failure.js';
import {
  backupHost,
  DATABASE_ROLES,
  type Cluster,
  type Host,
  type RoleName,
} from '../inventory/cluster.js';
import { filestoreRepository, SNAPSHOTS } from '../filestore/layout.js';
import { odooHosts } from '../odoo/layout.js';
import { walGone } from '../postgres/wal-gone.js';
import { backupProbe, holeProbe, parseBackup, parseHole } from './backup.js';
import { edgeProbe, parseEdge } from './edge.js';
import {
  bucketFilestoreProbe,
  filestoreBackupProbe,
  parseFilestoreBackup,
} from './filestore-backup.js';
import { failoverTestProbe, parseFailoverTest } from './failover-test.js';
import { jobsProbe, parseJobs } from './jobs.js';
import { keptProbe, parseKept } from './kept.js';
import type { HostStatus } from './model.js';
import { odooProbe, odooServices, parseOdoo } from './odoo.js';
import { parsePgbouncer, pgbouncerProbe } from './pgbouncer.js';
import { parsePostgres, postgresProbe } from './postgres.js';
import { parseRedis, redisProbe } from './redis.js';
import { parseServices, servicesProbe } from './services.js';
import { parseStartFailed, startFailedProbe } from './start-failed.js';
import { parseSystem, systemProbe } from './system.js';
import { parseUnusable, unusableProbe } from './unusable-files.js';

/** Seconds that one part of a host may take: it asks the host itself, where every answer is quick or wrong. */
export const PART_LIMIT = 8;

/** Everything that is asked of a host, by its roles: one snippet a part. None changes or locks anything. */
export function snippetsOf(cluster: Cluster, host: Host): readonly Snippet[] {
  const has = (...roles: readonly RoleName[]): boolean =>
    roles.some((role) => host.roles.includes(role));
  const keeps = backupHost(cluster)?.name === host.name;
  const inBucket = cluster.postgres.backup?.s3 !== undefined && has(...DATABASE_ROLES);
  const calendar = cluster.postgres.backup?.filestore;
  const snippets: (Snippet | false)[] = [
    { name: 'system', script: systemProbe(pathsOf(cluster, host)) },
    { name: 'services', script: servicesProbe() },
    { name: 'kept', script: keptProbe() },
    { name: 'failoverTest', script: failoverTestProbe() },
    has(...DATABASE_ROLES) && { name: 'databases', script: databaseProbe() },
    has(...DATABASE_ROLES) && { name: 'postgres', script: postgresProbe(cluster, host) },
    has(...DATABASE_ROLES) && { name: 'startFailed', script: startFailedProbe() },
    has(...DATABASE_ROLES) && { name: 'walGone', script: walGone(cluster) },
    has(...DATABASE_ROLES) && { name: 'unusable', script: unusableProbe(cluster) },
    has(...DATABASE_ROLES) && { name: 'jobs', script: jobsProbe(cluster.odoo.database) },
    has('pgbouncer') && { name: 'pgbouncer', script: pgbouncerProbe() },
    has('redis') && { name: 'redis', script: redisProbe() },
    has('app', 'cron', 'gevent') && { name: 'odoo', script: odooProbe(odooServices(host)) },
    has('edge') && { name: 'edge', script: edgeProbe(cluster.odoo.domain) },
    (keeps || inBucket) && { name: 'backup', script: backupProbe(cluster) },
    (keeps || inBucket) && { name: 'archive', script: holeProbe(cluster) },
    keeps &&
      calendar !== undefined && {
        name: 'filestoreBackup',
        script: filestoreBackupProbe(filestoreRepository(cluster), calendar),
      },
    inBucket &&
      calendar !== undefined && {
        name: 'filestoreBackup',
        script: bucketFilestoreProbe(SNAPSHOTS, calendar),
      },
  ];
  return snippets.filter((snippet) => snippet !== false);
}

/** Where the inventory says that a host keeps data. */
function pathsOf(cluster: Cluster, host: Host): readonly string[] {
  const uses = odooHosts(cluster).includes(host) || host.roles.includes('edge');
  const { backup } = cluster.postgres;
  return [
    ...(uses ? [cluster.filestore.path] : []),
    ...(backup?.host === host.name ? [backup.path] : []),
  ];
}

/** A host that could not be asked. */
export function silentHost(host: Host, failure: Failure): HostStatus {
  return { ...nothing(host), failure };
}

/** Reads what the snippets of {@link snippetsOf} printed. A part that cannot be read is unknown, and says why. */
export function readHost(host: Host, outputs: ReadonlyMap<string, Output>): HostStatus {
  const unknown: { part: string; why: string }[] = [];
  const part = <T>(name: string, parse: (text: string) => T): T | null => {
    const output = outputs.get(name);
    if (output === undefined) return null;
    try {
      if (output.code !== 0) throw new Error(ended(output));
      return parse(output.text);
    } catch (error) {
      unknown.push({ part: name, why: error instanceof Error ? firstLine(error) : String(error) });
      return null;
    }
  };
  const backup = part('backup', parseBackup);
  const restoring = part('databases', parseRestoring);
  return {
    ...nothing(host),
    unknown,
    system: part('system', parseSystem),
    services: part('services', parseServices),
    postgres: part('postgres', (text) => parsePostgres(text, outputs.get('databases')?.text ?? '')),
    restoring: restoring !== null,
    restoringTo: restoring,
    startFailed: part('startFailed', parseStartFailed),
    walGone: part('walGone', (text) => text.trim() || null),
    unusable: part('unusable', parseUnusable),
    fenced: part('databases', parseFenced),
    kept: part('kept', parseKept),
    failoverTest: part('failoverTest', parseFailoverTest),
    jobs: part('jobs', parseJobs),
    pgbouncer: part('pgbouncer', parsePgbouncer),
    redis: part('redis', parseRedis),
    odoo: part('odoo', (text) => parseOdoo(text, odooServices(host))),
    edge: part('edge', parseEdge),
    // Before there is a backup there is nothing that a hole could be in.
    backup: backup && {
      ...backup,
      hole: backup.newest === null ? null : part('archive', parseHole),
    },
    filestoreBackup: part('filestoreBackup', parseFilestoreBackup),
  };
}

function nothing(host: Host): HostStatus {
  return {
    host: host.name,
    address: host.address,
    roles: host.roles,
    failure: null,
    unknown: [],
    system: null,
    services: null,
    postgres: null,
    startFailed: null,
    walGone: null,
    unusable: null,
    restoring: false,
    restoringTo: null,
    fenced: null,
    kept: null,
    failoverTest: null,
    jobs: null,
    pgbouncer: null,
    redis: null,
    odoo: null,
    edge: null,
    backup: null,
    filestoreBackup: null,
  };
}

function ended({ code, text }: Output): string {
  if (code === 124 || code === 137) return `no answer within ${String(PART_LIMIT)} s`;
  const said = text.trim().split('\n').at(-1) ?? '';
  return `it ended with code ${String(code)}${said === '' ? '' : `: ${said}`}`;
}

function firstLine(error: Error): string {
  return (error.message.trim().split('\n')[0] ?? '').slice(0, 200);
}
