import { hostsWith, runsOdoo, type Cluster, type RoleName } from './cluster.js';
import { roleFacts, SUPPORTED_ROLES } from './roles.js';
import { SMALL, type Finding } from './finding.js';

/** Hosts whose loss is an outage, by name. */
function singlePoints(cluster: Cluster): Finding[] {
  if (cluster.hosts.length === 1) {
    const [host] = cluster.hosts;
    const advice = `fine for up to ${SMALL} users; next, a host of its own for pg-primary, then a second app host`;
    const message = `everything is on ${host?.name ?? ''}: its loss is an outage until it is back`;
    return [{ severity: 'note', subject: 'availability', message, advice }];
  }
  return SUPPORTED_ROLES.flatMap((role): Finding[] => {
    const facts = roleFacts(role);
    const [only, ...more] = hostsWith(cluster, role);
    if (facts?.lost === undefined || only === undefined || more.length > 0) return [];
    return [
      {
        severity: 'note',
        subject: 'availability',
        host: only.name,
        message: `the only ${role}: while it is down, ${facts.lost}`,
        advice: adviceFor(cluster, role, facts.single !== undefined),
      },
    ];
  });
}

/** How the loss of the only host of a role is shortened. */
function adviceFor(cluster: Cluster, role: RoleName, single: boolean): string {
  if (role === 'pg-primary') {
    return hostsWith(cluster, 'pg-standby').length > 0
      ? '`odoo-prov failover` makes a standby take its place: rehearse it'
      : 'a pg-standby, which `odoo-prov failover` makes take its place';
  }
  return single ? 'this version has one of it: know how to bring it back' : `a second ${role}`;
}

/** What waiting for standbys costs and gains. */
function replication(cluster: Cluster): Finding[] {
  const { synchronous, onStandbyLoss } = cluster.postgres.replication;
  const copies = hostsWith(cluster, 'pg-standby', 'pg-replica').map(({ name }) => name);
  const standbys = hostsWith(cluster, 'pg-standby').map(({ name }) => name);
  const add = (severity: Finding['severity'], message: string, advice?: string): Finding[] => [
    { severity, subject: 'replication', message, ...(advice !== undefined && { advice }) },
  ];
  if (copies.length === 0 && cluster.postgres.reporting !== undefined) {
    const message = 'reports read on the primary itself: a long one slows Odoo down';
    return add('warning', message, 'a pg-replica for them');
  }
  if (copies.length === 0) return [];
  if (synchronous === 'off') {
    const message = `commits wait for the primary alone: its loss costs what ${copies.join(', ')} had not yet received`;
    return add('note', message, 'replication: { synchronous: on } to lose nothing');
  }
  const waits =
    synchronous === 'on'
      ? 'a standby has it on disk'
      : 'it can be read on a standby: each commit takes as long as its replay there, which a long query may hold up';
  if (standbys.length > 1) {
    const none = onStandbyLoss === 'block' ? 'commits wait' : 'the primary goes on alone';
    const message = `a commit ends when ${waits} (any of ${standbys.join(', ')}); with none left, ${none}`;
    return add('fine', message);
  }
  const only = `a commit ends when ${waits}, and ${standbys.join('')} is the only one`;
  const without =
    onStandbyLoss === 'block'
      ? 'while it is down, nothing can be saved in Odoo'
      : 'while it is down, what is saved is on the primary only';
  return add('warning', `${only}: ${without}`, 'a second pg-standby');
}

/** What must be so outside of the cluster. */
function outside(cluster: Cluster): Finding[] {
  const { domain } = cluster.odoo;
  const edges = hostsWith(cluster, 'edge');
  const findings: Finding[] = [];
  if (domain.endsWith('.example')) {
    findings.push({
      severity: 'note',
      subject: 'names',
      message: `${domain} resolves nowhere`,
      advice: 'odoo: { domain: … }, and a DNS entry for it',
    });
  }
  if (edges.length > 1) {
    findings.push({
      severity: 'note',
      subject: 'names',
      message: `${edges.length} ways in: ${edges.map(({ name }) => name).join(', ')}`,
      advice: `let DNS name all their addresses for ${domain}: this version has no shared address`,
    });
  }
  if (cluster.filestore.type === 'posix') {
    const hosts = cluster.hosts.filter((host) => runsOdoo(host) || host.roles.includes('edge'));
    findings.push({
      severity: 'note',
      subject: 'availability',
      message: `${cluster.filestore.path} must be the same mount on ${hosts.map(({ name }) => name).join(', ')}`,
      advice:
        'read-only is enough on hosts that are only an edge; what serves it may be a single point too',
    });
  }
  return findings;
}

/** Single points, and what the cluster needs from outside. */
export function lintAvailability(cluster: Cluster): Finding[] {
  return [...singlePoints(cluster), ...replication(cluster), ...outside(cluster)];
}
