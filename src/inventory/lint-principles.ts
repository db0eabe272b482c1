import { hostsWith, runsOdoo, type Cluster } from './cluster.js';
import { LARGE, SMALL, type Finding } from './finding.js';

/** What a principle that does not hold means: a small cluster may start so, a large one may not. */
function severity(users: number): Finding['severity'] {
  if (users > LARGE) return 'error';
  return users > SMALL ? 'warning' : 'note';
}

function names(hosts: readonly { readonly name: string }[]): string {
  return hosts.map(({ name }) => name).join(', ');
}

/** 1: users, cron and websockets do not share one process pool. */
function separatePools(cluster: Cluster): Finding {
  const { users } = cluster.odoo;
  const mixed = hostsWith(cluster, 'app').filter(
    ({ roles }) => roles.includes('cron') || roles.includes('gevent'),
  );
  if (mixed.length === 0) {
    return {
      severity: 'fine',
      subject: 1,
      message: 'users, cron and websockets have processes and hosts of their own',
    };
  }
  return {
    severity: severity(users),
    subject: 1,
    message: `users, cron and websockets have processes of their own, but share the machine on ${names(mixed)}`,
    advice: `fine for up to ${SMALL} users; next, give cron and gevent hosts of their own`,
  };
}

/** 2: writes have a single place. */
function oneWriter(cluster: Cluster): Finding {
  const primaries = hostsWith(cluster, 'pg-primary');
  if (primaries.length === 1) {
    return { severity: 'fine', subject: 2, message: `all writes go to ${names(primaries)}` };
  }
  return {
    severity: 'error',
    subject: 2,
    message: `${primaries.length} hosts take writes: ${names(primaries)}`,
    advice: 'exactly one pg-primary',
  };
}

/** 3: Odoo serves neither static files nor attachments. */
function filesByTheEdge(cluster: Cluster): Finding {
  const { filestore, odoo } = cluster;
  const blind = hostsWith(cluster, 'edge').filter((host) => !runsOdoo(host));
  if (filestore.type === 'local' && blind.length > 0) {
    return {
      severity: odoo.users > SMALL ? 'error' : 'warning',
      subject: 3,
      message:
        `attachments are on Odoo's host, which ${names(blind)} cannot see: no X-Accel, ` +
        'so an Odoo worker is busy for as long as each download takes',
      advice: 'a shared filestore (posix), or the edge on the host that runs Odoo',
    };
  }
  const how = filestore.type === 'local' ? 'from the same machine' : `from ${filestore.path}`;
  return {
    severity: 'fine',
    subject: 3,
    message: `nginx serves static files itself and attachments by X-Accel ${how}`,
  };
}

function isOff(value: unknown): boolean {
  return ['off', 'false', 'no', '0'].includes(String(value).toLowerCase());
}

/** 4: PostgreSQL says what it does. The inventory's check refuses what would switch it off. */
function observability(cluster: Cluster): Finding {
  const { shared_preload_libraries: libraries } = cluster.postgres.settings;
  if (libraries !== undefined && !String(libraries).includes('pg_stat_statements')) {
    return {
      severity: 'error',
      subject: 4,
      message: 'pg_stat_statements is not loaded',
      advice: 'shared_preload_libraries with pg_stat_statements in it',
    };
  }
  return { severity: 'fine', subject: 4, message: 'pg_stat_statements and jsonlog are on' };
}

/** 5: autovacuum is never off. */
function autovacuum(cluster: Cluster): Finding {
  const { autovacuum: given, track_counts: counts } = cluster.postgres.settings;
  if ((given !== undefined && isOff(given)) || (counts !== undefined && isOff(counts))) {
    return {
      severity: 'error',
      subject: 5,
      message: 'autovacuum is off',
      advice: 'autovacuum: on, track_counts: on',
    };
  }
  return { severity: 'fine', subject: 5, message: 'autovacuum is on and sized' };
}

/** The five principles; each yields exactly one finding. */
export function lintPrinciples(cluster: Cluster): Finding[] {
  return [separatePools, oneWriter, filesByTheEdge, observability, autovacuum].map((principle) =>
    principle(cluster),
  );
}
