import type { Topology } from '../facts/topology.js';
import { EXIT, exitCodeOf, type Failure } from '../failure/failure.js';

/**
 * Who was primary last, where its host cannot be reached and no host that was reached holds a primary's data: then a failover may be
 * what helps, and no apply. Undefined where nobody can tell who it was, or there is no data yet.
 * @param remembered who was primary at an earlier run
 * @param failures of the database hosts that did not answer, by name
 */
export function primaryAway(
  { primary, primarySeen, systemIdentifier }: Topology,
  remembered: string | undefined,
  failures: ReadonlyMap<string, Failure | undefined>,
): string | undefined {
  if (primarySeen || systemIdentifier === undefined) return undefined;
  const failure = failures.get(primary);
  const unreachable = failure !== undefined && exitCodeOf(failure.reason) === EXIT.unreachable;
  const certain = primary === remembered || failures.size === 1;
  return unreachable && certain ? primary : undefined;
}
