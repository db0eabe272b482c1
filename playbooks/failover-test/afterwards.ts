import { assertion } from '../../src/failover-test/check.js';
import type { Report } from '../../src/failover-test/report.js';
import { wayBack } from '../../src/failover-test/way-back.js';
import { failureOf } from './attempt.js';
import { converge, look } from './health.js';
import { LEFT_IN_ODOO } from './odoo-data.js';
import type { Bench } from './run-scenario.js';
import { dropTable, tableIsGone } from './table.js';

/** Nothing of the test is left: no row, no change, the same primary; else the way back. */
export async function judgeAfterwards(
  bench: Omit<Bench, 'odoo'>,
  withOdoo: boolean,
): Promise<Pick<Report, 'primary' | 'wayBack' | 'afterwards'>> {
  const { cluster, written, tested, hosts, connect, primary } = bench;
  const { database } = cluster.odoo;
  const { status } = await look(written, tested, connect);
  const now = status.database.primary;
  const back = wayBack(status, primary.name);
  const next =
    back.length > 0 ? back.join(', then ') : 'odoo-prov status FILE, then odoo-prov apply FILE';
  // Whatever a scenario left broken: the report must come.
  let [gone, left] = [false, now === null ? 'nobody to ask for' : '0'];
  let changes: readonly string[] = [];
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
  const afterwards = [
    assertion('after.primary', `${primary.name} is primary, as before`, now === primary.name, {
      found: now ?? 'nobody is',
      next,
    }),
    assertion('after.rows', 'nothing of the test is left in the database', gone, {
      found:
        now === null
          ? 'no primary to ask'
          : (kept?.message ?? 'the schema odoo_prov_failover_test is there'),
      next: 'the next run removes it; or: drop schema odoo_prov_failover_test cascade',
    }),
    ...(withOdoo
      ? [
          assertion('after.odoo', 'nothing of the test is left in Odoo', left === '0', {
            found: `${left} records`,
            next: 'the next run removes them: users, attachments, contact tags, actions called odoo-prov failover-test',
          }),
        ]
      : []),
    assertion('after.apply', 'apply finds nothing to change', changes.length === 0 && !differs, {
      found:
        differs === undefined
          ? `it would change ${changes.join('; ')}`
          : `${differs.message}: ${differs.details.found ?? ''}`,
      next,
    }),
  ];
  return { primary: { before: primary.name, now }, wayBack: back, afterwards };
}
