import { Failure } from '../failure/failure.js';
import { changesOf, kindOf, type Plan } from '../plan/diff.js';
import { keyOf, type Change } from '../resource/kind.js';
import type { RunContext } from './context.js';

/** What of a plan is ours to change, and why the rest is not: its first, for people. */
export function splitPlan(
  plan: Plan,
  kinds: RunContext['kinds'],
): { readonly ours: Plan; readonly others: Failure | undefined } {
  const remedyOf = (change: Change): string | undefined =>
    kindOf(kinds, change.resource).remedy?.(change);
  const stages = plan.stages.map(({ stage, changes }) => ({
    stage,
    changes: changes.filter((change) => remedyOf(change) === undefined),
  }));
  const ours = { ...plan, stages: stages.filter(({ changes }) => changes.length > 0) };
  const other = changesOf(plan).find((change) => remedyOf(change) !== undefined);
  const others = other && notOurs(plan.host, other, remedyOf(other) ?? '');
  return { ours, others };
}

function notOurs(host: string, { resource, differences }: Change, remedy: string): Failure {
  const words = (side: 'want' | 'have'): string =>
    differences.map((one) => `${one.field} ${String(one[side])}`).join(', ');
  return new Failure({
    reason: 'not-converged',
    host,
    resource: keyOf(resource),
    message: 'somebody else says otherwise, and has the last word: apply cannot change it',
    expected: words('want'),
    found: words('have'),
    remedy,
  });
}

/** What still differs after so many passes. */
export function notConverged(plan: Plan, passes: number): Failure {
  const fields = changesOf(plan).flatMap((change) =>
    change.differences.map((d) => ({ key: keyOf(change.resource), ...d })),
  );
  const [first] = fields;
  return new Failure({
    reason: 'not-converged',
    host: plan.host,
    ...(first === undefined ? {} : { resource: first.key }),
    message: `did not converge: after ${String(passes)} passes it still differs`,
    expected: fields.map((f) => `${f.key} ${f.field} ${String(f.want)}`).join('; '),
    found: fields.map((f) => `${f.key} ${f.field} ${String(f.have)}`).join('; '),
    remedy:
      'something on the host changes it back: look for another tool or a timer that owns it. If there is none, report it',
  });
}
