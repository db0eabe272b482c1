import { expect, it } from 'vitest';
import { Failure, type Reason } from '../../../src/failure/failure.js';
import { notRestarted } from '../../../src/run/restarts.js';
import { testCluster } from '../../support/site.js';

const cluster = testCluster([]);
const command = `odoo-prov apply ${cluster.file} --restart-primary`;
const held = { what: 'max_connections 100 → 200', why: 'consent', hosts: [] } as const;

function failed(host: string, reason: Reason): Failure {
  return new Failure({ reason, host, message: 'it did not start', remedy: 'mend it' });
}

it('says how a restart that waits for consent is had', () => {
  expect(notRestarted('db1', held, cluster).details).toMatchObject({
    reason: 'consent',
    remedy: `${command}: transactions in flight fail, then writes wait for some seconds. The rest of this run was done`,
  });
});

it('does not send in a circle where what failed would fail again', () => {
  const failures = [failed('db2', 'command-failed'), failed('db3', 'unreachable')];
  expect(notRestarted('db1', held, cluster, failures).details.remedy).toBe(
    `first mend what this run says of db2, db3: until then one with --restart-primary ends in the same way. Then: ${command}`,
  );
});

it('has what a standby failed of mended, and only one that is away brought back', () => {
  const behind = { ...held, why: 'standbys', hosts: ['db2', 'db3'] } as const;
  const remedy = (...failures: readonly Failure[]): string =>
    notRestarted('db1', behind, cluster, failures).details.remedy;
  expect(remedy(failed('db2', 'command-failed'))).toBe(
    `first mend what this run says of db2: where PostgreSQL did not start with the settings, those (postgres.settings). Then: ${command}, without --limit and --role`,
  );
  const back = `bring db2, db3 back, or take it out of the inventory; then ${command}, without --limit and --role`;
  expect(remedy(failed('db2', 'unreachable'))).toBe(back);
  expect(remedy()).toBe(back);
});
