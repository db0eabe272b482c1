import { expect, it } from 'vitest';
import { notRestarted } from '../../../src/run/restarts.js';
import { testCluster } from '../../support/site.js';

const cluster = testCluster([]);
const command = `odoo-prov apply ${cluster.file} --restart-primary`;
const held = { what: 'max_connections 100 → 200', why: 'consent', hosts: [] } as const;

it('says how a restart that waits for consent is had', () => {
  expect(notRestarted('db1', held, cluster).details).toMatchObject({
    reason: 'consent',
    remedy: `${command}: transactions in flight fail, then writes wait for some seconds. The rest of this run was done`,
  });
});

it('does not send in a circle where what failed would fail again', () => {
  expect(notRestarted('db1', held, cluster, ['db2', 'db3']).details.remedy).toBe(
    `first mend what this run says of db2, db3: until then one with --restart-primary ends in the same way. Then: ${command}`,
  );
});
