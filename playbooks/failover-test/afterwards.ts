import { assertion, type Check } from '../../src/failover-test/check.js';
import { failureOf } from './attempt.js';
import { converge, look } from './health.js';
import { LEFT_IN_ODOO } from './odoo-data.js';
import type { Bench } from './run-scenario.js';
import { dropTable, tableIsGone } from './table.js';

/** Nothing of the test is left: no row, no change, the same primary. */
export async function judgeAfterwards(
  bench: Omit<Bench, 'odoo'>,
  withOdoo: boolean,
): Promise<readonly Check[]> {
  const { cluster, written, tested, hosts, connect, primary } = bench;
  const { database } = cluster.odoo;
  const { status } = await look(written, tested, connect);
  const now = status.database.primary;
  const next = 'odoo-prov status FILE, then odoo-prov apply FILE';
  // Whatever a scenario left broken: the report must come.
  let [gone, left, changes] = [false, now === null ? 'nobody to ask for' : '0', 0];
  const kept =
    now === null
      ? undefined
      : await failureOf(async () => {
          if (withOdoo) left = await hosts.sql(now, database, LEFT_IN_ODOO);
          await dropTable(hosts, now, database);
          gone = await tableIsGone(hosts, now, database);
        });
  const differs = await failureOf(async () => {
    changes = await converge(written, tested, connect, 'check');
  });
  return [
    assertion('after.primary', `${primary.name} is primary, as before`, now === primary.name, {
      found: now ?? 'nobody is',
      next: `odoo-prov switchover FILE --to ${primary.name}`,
    }),
    assertion('after.rows', 'nothing of the test is left in the database', gone, {
      found:
        now === null
          ? 'no primary to ask'
          : (kept?.message ?? 'the schema odoo_prov_failover_test is there'),
      next: 'the next run removes it; or: drop schema odoo_prov_failover_test cascade',
    }),
    assertion('after.odoo', 'nothing of the test is left in Odoo', left === '0', {
      found: `${left} records`,
      next: 'the next run removes them: users, attachments, contact tags, actions called odoo-prov failover-test',
    }),
    assertion('after.apply', 'apply finds nothing to change', changes === 0 && !differs, {
      found: differs?.message ?? `${changes} changes`,
      next,
    }),
  ];
}
