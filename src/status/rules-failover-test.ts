import { healCommand } from '../batch/armed-fault.js';
import { warning, type Alert } from './alert.js';
import type { ClusterStatus, HostStatus } from './model.js';
import { list } from './words.js';

/** What is broken on purpose, so that nobody takes it for an outage. Warnings: the test itself goes by the problems. */
export function failoverTestRules({ hosts }: ClusterStatus): readonly Alert[] {
  const tests = new Map<string, string[]>();
  for (const { host, failoverTest } of hosts) {
    const by = failoverTest?.by ?? null;
    if (by !== null) tests.set(by, [...(tests.get(by) ?? []), host]);
  }
  const running = [...tests].map(([by, tested]) =>
    warning({
      id: 'failover-test.runs',
      host: null,
      message: `a failover-test runs on ${list(tested)} and breaks things there on purpose: ${by}`,
      next: 'what is wrong there may be its doing: let it end, or ask who runs it, before anything is done',
    }),
  );
  return [...running, ...hosts.flatMap(leftRules)];
}

/** What a test has left that does not run any more. */
function leftRules({ host, failoverTest }: HostStatus): readonly Alert[] {
  if (failoverTest?.by !== null) return [];
  return failoverTest.armed.map((fault) => {
    const { scenario, secondsLeft } = fault;
    const heals =
      secondsLeft === null
        ? 'its timer could not heal it'
        : `it heals by itself in ${String(secondsLeft)} s`;
    const command = `as root on ${host}: ${healCommand(fault)}`;
    return warning({
      id: 'failover-test.left',
      host,
      message: `a failover-test that was killed has left ${scenario} broken on ${host}; ${heals}`,
      next: secondsLeft === null ? `${command}; it says why` : `wait for that; at once, ${command}`,
    });
  });
}
