import { Failure } from '../../../src/failure/failure.js';
import { didYouMean } from '../../../src/inventory/index.js';
import type { RunnableScenario } from '../trial.js';
import { SCENARIOS } from './index.js';

/** Stands for every scenario, also those that are run by name only. */
const ALL = 'all';

/**
 * The named scenarios, or those that may be run without being named; in the order of the list.
 * @throws Failure usage
 */
export function chosenScenarios(names: readonly string[] | undefined): readonly RunnableScenario[] {
  if (names === undefined) return SCENARIOS.filter(({ onRequest }) => !onRequest);
  if (names.includes(ALL)) {
    if (names.length === 1) return SCENARIOS;
    throw new Failure({
      reason: 'usage',
      message: `${ALL} stands for every scenario, and so alone`,
      expected: `--scenario ${ALL}, or names without ${ALL}`,
      found: `--scenario ${names.join(',')}`,
      remedy: 'odoo-prov failover-test FILE --list shows the names',
    });
  }
  const known = [...SCENARIOS.map(({ name }) => name), ALL];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Failure({
      reason: 'usage',
      message: unknown
        .map((name) => `there is no scenario ${name}${didYouMean(name, known)}`)
        .join('\n'),
      expected: `some of: ${known.join(', ')}`,
      found: `--scenario ${names.join(',')}`,
      remedy: 'odoo-prov failover-test FILE --list shows what each of them breaks',
    });
  }
  return SCENARIOS.filter(({ name }) => names.includes(name));
}
