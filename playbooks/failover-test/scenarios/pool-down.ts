import type { Expectation, ScenarioName } from '../../../src/failover-test/scenario.js';
import { hostsWith, type Cluster, type RoleName } from '../../../src/inventory/cluster.js';
import { unitDown } from '../fault.js';
import type { RunnableScenario } from '../trial.js';

/** Seconds for which it stays down: longer than any pause of a client that merely connects anew. */
const DOWN_SECONDS = 8;

/** What the loss of one host of a pool is for the cluster. */
interface Pool {
  readonly name: ScenarioName;
  readonly role: RoleName;
  readonly unit: string;
  /** For people: `Odoo's HTTP service`. */
  readonly what: string;
  readonly title: string;
  /** Why it survives with so many of them. */
  readonly several: (count: number) => string;
  /** Why it does not with one. */
  readonly single: string;
  /** Whether users' requests go on in any case: only messages or jobs wait. */
  readonly usersGoOn: boolean;
}

/** The first host of a pool of Odoo loses its service for a while. Writers of the database notice nothing. */
export function poolDown(pool: Pool): RunnableScenario {
  const count = (cluster: Cluster): number => hostsWith(cluster, pool.role).length;
  const expects = (cluster: Cluster): Expectation =>
    count(cluster) > 1
      ? { kind: 'survives', why: pool.several(count(cluster)) }
      : { kind: 'outage', why: pool.single };
  return {
    ...{ name: pool.name, title: pool.title, expects },
    ...{ onRequest: false, recoversFrom: 'heal', promotions: 0, needsOdoo: true },
    lacks: (cluster) => (count(cluster) === 0 ? `no host has the role ${pool.role}` : undefined),
    expectsWrites: () => ({ kind: 'survives', why: 'the database is not touched' }),
    ...(pool.usersGoOn
      ? { expectsUsers: () => ({ kind: 'survives', why: 'no request goes there' }) }
      : {}),
    run: async (trial) => {
      const [host] = hostsWith(trial.cluster, pool.role);
      if (host === undefined) throw new Error(`there is no ${pool.role}`);
      await trial.fault(unitDown(host, pool.name, pool.unit, pool.what));
      await trial.wait(DOWN_SECONDS);
      await trial.heal();
    },
  };
}
