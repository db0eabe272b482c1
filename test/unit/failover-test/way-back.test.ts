import { describe, expect, it } from 'vitest';
import { wayBack } from '../../../src/failover-test/way-back.js';
import type { ClusterStatus } from '../../../src/status/model.js';

function status(primary: string | null, db1: string): ClusterStatus {
  const members = [
    { host: 'db1', state: db1 },
    { host: 'db2', state: primary === 'db2' ? 'writable' : 'streaming' },
  ];
  return { database: { primary, members } } as unknown as ClusterStatus;
}

describe('the way back', () => {
  it('is none where the same host is primary', () => {
    expect(wayBack(status('db1', 'writable'), 'db1')).toEqual([]);
  });

  it('begins with a rejoin where a failover left the old primary behind', () => {
    expect(wayBack(status('db2', 'down'), 'db1')).toEqual([
      'odoo-prov rejoin FILE --host db1',
      'odoo-prov switchover FILE --to db1',
      'odoo-prov apply FILE',
    ]);
  });

  it('needs no rejoin where the old primary follows', () => {
    expect(wayBack(status('db2', 'streaming'), 'db1')).toEqual([
      'odoo-prov switchover FILE --to db1',
      'odoo-prov apply FILE',
    ]);
  });

  it('is nothing that could be named where nobody is primary', () => {
    expect(wayBack(status(null, 'down'), 'db1')).toEqual([
      'odoo-prov status FILE says what to do first',
    ]);
  });
});
