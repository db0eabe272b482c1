import type { Alert } from '../status/alert.js';
import type { ClusterStatus } from '../status/model.js';
import type { Judgement } from '../status/rules.js';
import { databaseLines } from './status-database.js';
import { hostLines } from './status-hosts.js';
import type { StatusView } from './status-view.js';
import { plural, printable, wrap } from './text.js';

/** One look at a cluster as a screen: what is wrong first, then the database, then every host. */
export function statusLines(
  status: ClusterStatus,
  judgement: Judgement,
  view: StatusView,
): readonly string[] {
  const alerts = judgement.alerts.flatMap((alert) => alertLines(alert, view));
  return [
    headLine(status, judgement, view),
    ...(alerts.length === 0 ? [] : ['', ...alerts]),
    ...databaseLines(status, view),
    '',
    ...hostLines(status, judgement.alerts, view),
  ];
}

function headLine(status: ClusterStatus, { alerts }: Judgement, { style }: StatusView): string {
  const count = (severity: Alert['severity']): number =>
    alerts.filter((alert) => alert.severity === severity).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  const parts = [
    ...(problems === 0 ? [] : [style.bad(plural(problems, 'problem'))]),
    ...(warnings === 0 ? [] : [style.changed(plural(warnings, 'warning'))]),
  ];
  const verdict = parts.length === 0 ? style.good('all is well') : parts.join(', ');
  const at = `${status.at.slice(0, 19).replace('T', ' ')} UTC`;
  return `${style.strong(status.cluster)}: ${verdict}  ${style.dim(`${plural(status.hosts.length, 'host')}, ${at}`)}`;
}

/** Columns of the word before a sentence. */
const INDENT = 9;

function alertLines(
  { severity, message, next }: Alert,
  { width, style }: StatusView,
): readonly string[] {
  const colour = severity === 'problem' ? style.bad : style.changed;
  const [first = '', ...rest] = wrap(printable(message), width - INDENT);
  const [then = '', ...more] = wrap(printable(next), width - INDENT);
  const indent = ' '.repeat(INDENT);
  return [
    `${colour(severity.padEnd(INDENT))}${first}`,
    ...rest.map((line) => indent + line),
    `${'next'.padStart(INDENT - 2)}  ${then}`,
    ...more.map((line) => indent + line),
  ];
}
