import type { ClusterStatus } from '../status/model.js';
import type { Judgement } from '../status/rules.js';
import { failureToJson } from './json.js';

/**
 * A look as plain data for `--json`. Its form is an interface that programs read: docs/status.md describes it,
 * fields are added and never renamed.
 */
export function statusToJson(
  status: ClusterStatus,
  { alerts, exitCode }: Judgement,
): Readonly<Record<string, unknown>> {
  const { cluster, at, database, budget, hosts } = status;
  return {
    cluster,
    at,
    exitCode,
    alerts,
    database,
    budget,
    hosts: hosts.map(({ failure, ...host }) => ({
      ...host,
      failure: failure === null ? null : failureToJson(failure),
    })),
  };
}
