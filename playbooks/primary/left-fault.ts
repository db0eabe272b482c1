import { healText, type ArmedFault } from '../../src/batch/armed-fault.js';
import { Failure } from '../../src/failure/failure.js';

/** What failover-tests have broken on hosts and not healed yet, by the hosts' names. */
export type Armed = ReadonlyMap<string, readonly ArmedFault[]>;

/**
 * What a test that was killed has left broken fails whatever is done there, with an error of something else.
 * @param armed as it was seen on the hosts
 * @param concerned those of them that matter; all if not given
 * @throws Failure refused, with when it heals by itself, and how at once
 */
export function refuseLeftFaults(armed: Armed, concerned?: readonly string[]): void {
  for (const [host, faults] of armed) {
    if (faults.length === 0 || concerned?.includes(host) === false) continue;
    throw new Failure({
      reason: 'refused',
      host,
      message: 'a failover-test that was killed has left something broken here',
      expected: 'no fault',
      found: scenariosOf(faults),
      remedy: `run this again when it is healed: ${healText(host, faults)}`,
    });
  }
}

/** The same for who cannot wait for it: a line for each host. */
export function leftFaultsText(armed: Armed): readonly string[] {
  return [...armed]
    .filter(([, faults]) => faults.length > 0)
    .map(
      ([host, faults]) =>
        `a failover-test that was killed has left ${scenariosOf(faults)} broken on ${host}: ${healText(host, faults)}`,
    );
}

function scenariosOf(faults: readonly ArmedFault[]): string {
  return faults.map(({ scenario }) => scenario).join(', ');
}
