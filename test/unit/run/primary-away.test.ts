import { describe, expect, it } from 'vitest';
import { primaryAwayText } from '../../../src/cli/apply.js';
import type { Topology } from '../../../src/facts/topology.js';
import { Failure, type Reason } from '../../../src/failure/failure.js';
import { primaryAway } from '../../../src/run/primary-away.js';
import { nameInventory } from '../../../src/ui/named-inventory.js';

const unseen: Topology = {
  ...{ primary: 'db1', primarySeen: false, systemIdentifier: '7' },
  ...{ formerPrimaries: [], rivals: [], withoutPrimary: false },
};

function failing(reason: Reason, ...hosts: readonly string[]): ReadonlyMap<string, Failure> {
  return new Map(
    hosts.map((host) => [host, new Failure({ reason, host, message: 'no', remedy: 'none' })]),
  );
}

describe('the last known primary', () => {
  it('is away where its host cannot be reached and nobody else is primary', () => {
    expect(primaryAway(unseen, 'db1', failing('unreachable', 'db1', 'db2'))).toBe('db1');
    expect(primaryAway(unseen, undefined, failing('unreachable', 'db1'))).toBe('db1');
  });

  it('is not where another is primary, it was reached, or there is no data', () => {
    const lost = failing('unreachable', 'db1');
    expect(primaryAway({ ...unseen, primarySeen: true }, 'db1', lost)).toBeUndefined();
    expect(primaryAway(unseen, 'db1', failing('unreachable', 'db2'))).toBeUndefined();
    expect(primaryAway(unseen, 'db1', failing('disk-full', 'db1'))).toBeUndefined();
    const bare = { primary: 'db1', primarySeen: false, withoutPrimary: false };
    expect(
      primaryAway({ ...bare, formerPrimaries: [], rivals: [] }, undefined, lost),
    ).toBeUndefined();
  });

  it('is not known where several are silent and none is remembered', () => {
    expect(primaryAway(unseen, undefined, failing('unreachable', 'db1', 'db2'))).toBeUndefined();
  });

  it('is told in one line, with what shows the state and what moves the primary', () => {
    expect(nameInventory(primaryAwayText('db1'), 'acme.yaml')).toBe(
      'no database host that answered takes writes, and db1, the primary, cannot be reached: odoo-prov status acme.yaml shows the state; if db1 is lost, odoo-prov failover acme.yaml promotes a standby (--dry-run shows how)',
    );
  });
});
