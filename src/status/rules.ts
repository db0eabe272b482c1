import { EXIT } from '../failure/failure.js';
import type { Alert } from './alert.js';
import type { ClusterStatus } from './model.js';
import { databaseRules } from './rules-database.js';
import { failoverTestRules } from './rules-failover-test.js';
import { serviceRules } from './rules-services.js';
import { hostRules, isUnreachable } from './rules-units.js';

/** What a look means: alerts with what is broken on purpose first, then the gravest, and the exit code for monitoring. */
export interface Judgement {
  readonly alerts: readonly Alert[];
  /** 0 well, or warnings only; 3 a problem; 4 a host is unreachable, whatever else is wrong. */
  readonly exitCode: number;
}

/** What outweighs everything else, in this order: the loss of data, of writes, of a host. */
const GRAVEST = [
  'postgres.two-primaries',
  'postgres.restoring',
  'postgres.no-primary',
  'host.unreachable',
];

/** Judges what was seen by the rules of docs/status.md. */
export function judge(status: ClusterStatus): Judgement {
  const restoring = status.hosts.some((host) => host.restoring);
  const alerts = [
    ...status.hosts.flatMap(hostRules),
    ...databaseRules(status),
    ...serviceRules(status),
    ...failoverTestRules(status),
    // What a restore has stopped must stay so until it has come to its end: nobody is to start it.
  ].filter(({ id }) => !(restoring && id === 'service.down'));
  const rank = ({ severity, id }: Alert): number => {
    // Before all that it explains.
    if (id.startsWith('failover-test.')) return -1;
    const at = GRAVEST.indexOf(id);
    if (at >= 0) return at;
    return severity === 'problem' ? GRAVEST.length : GRAVEST.length + 1;
  };
  return {
    alerts: alerts.sort((a, b) => rank(a) - rank(b)),
    exitCode: exitCodeFor(status, alerts),
  };
}

function exitCodeFor(status: ClusterStatus, alerts: readonly Alert[]): number {
  // What a silent host would have said is not known: that comes first for those who watch.
  if (status.hosts.some(isUnreachable)) return EXIT.unreachable;
  return alerts.some(({ severity }) => severity === 'problem') ? EXIT.failed : EXIT.done;
}
