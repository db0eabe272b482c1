import { graded, problem, warning, type Alert } from './alert.js';
import { serverOf } from './database.js';
import { LIMITS } from './limits.js';
import type { ClusterStatus, HostStatus } from './model.js';
import type { OdooServiceStatus } from './odoo.js';
import { runs } from './rules-units.js';
import { span } from './words.js';

/** Processes that are missing, and health pages that say no. */
export function odooRules(host: HostStatus): readonly Alert[] {
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

/** Scheduled jobs that nobody runs. Asked of the primary only: what a standby shows of it is the same, or older. */
export function jobRules({ hosts, database }: ClusterStatus): readonly Alert[] {
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

/** What users meet at the edge: Odoo's answer, and the certificate. */
export function edgeRules(host: HostStatus): readonly Alert[] {
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
    message: (limit: number) => `the certificate of ${name} ${left} (limit ${String(-limit)} d)`,
    next: 'put a new one where edge.tls of the inventory says, then run odoo-prov apply; without edge.tls, apply makes a new one',
  };
  // Fewer days are worse.
  return [
    ...alerts,
    ...graded(-days, { warning: -limits.warning, problem: -limits.problem }, words),
  ];
}
