import type { Cluster } from '../inventory/cluster.js';
import { expectationText } from './report-text.js';
import type { Expectation, Means, Scenario, ScenarioName } from './scenario.js';

/** A scenario as `--list --json` tells it. Fields are added, never renamed. */
export interface ListedScenario {
  readonly scenario: ScenarioName;
  readonly title: string;
  /** `by name`: not by itself, see `onRequest`. `no`: see `lacks`. */
  readonly run: 'yes' | 'by name' | 'no';
  readonly lacks: string | null;
  readonly expectation: Expectation;
  /** Also skipped where Odoo is not installed: nobody was asked whether it is. */
  readonly needsOdoo: boolean;
}

/** What of the scenarios can be run in a cluster, as far as it is known without contacting anyone. */
export function listScenarios(
  scenarios: readonly Scenario[],
  cluster: Cluster,
  means: Means,
): readonly ListedScenario[] {
  return scenarios.map((scenario) => {
    const lacks = scenario.lacks(cluster, means) ?? null;
    return {
      ...{ scenario: scenario.name, title: scenario.title, lacks },
      run: lacks !== null ? 'no' : scenario.onRequest ? 'by name' : 'yes',
      expectation: scenario.expects(cluster),
      needsOdoo: scenario.needsOdoo === true,
    };
  });
}

/** The same for people: name, whether it is run, what it breaks; below that what is expected, or what is missing. */
export function listRows(listed: readonly ListedScenario[]): readonly (readonly string[])[] {
  return [
    ['scenario', 'run', 'what'],
    ...listed.flatMap(({ scenario, run, title, lacks, expectation, needsOdoo }) => [
      [scenario, run, needsOdoo ? `${title} (where Odoo is installed)` : title],
      ['', '', lacks ?? expectationText(expectation)],
    ]),
  ];
}
