import { ARMED_FAULTS, parseArmedFaults, type ArmedFault } from '../batch/armed-fault.js';
import { FAILOVER_TESTER, parseFailoverTester } from '../batch/failover-test-lock.js';
import { lines, type Script } from '../shell/index.js';

/** What a failover-test does on a host, or has left there. */
export interface FailoverTestStatus {
  /** Who holds the host for a test, since when: `user@machine since …, odoo-prov …`; null where nobody does. */
  readonly by: string | null;
  readonly armed: readonly ArmedFault[];
}

/** Takes no lock: an apply that asks for it meanwhile would be refused. */
export function failoverTestProbe(): Script {
  return lines([FAILOVER_TESTER, ARMED_FAULTS]);
}

/** Reads what {@link failoverTestProbe} printed. */
export function parseFailoverTest(text: string): FailoverTestStatus {
  return {
    by: parseFailoverTester(text)?.by ?? null,
    armed: parseArmedFaults(text),
  };
}
