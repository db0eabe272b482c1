import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure/failure.js';
import { nameInventory, nameInventoryOf } from '../../src/ui/named-inventory.js';

describe('advice', () => {
  it('names the inventory in every command of ours, quoted where a shell needs it', () => {
    const text =
      'run `odoo-prov apply FILE`; odoo-prov restore FILE --on h --discard-old; odoo-prov exec FILE -- x';
    expect(nameInventory(text, 'acme.yaml')).toBe(
      'run `odoo-prov apply acme.yaml`; odoo-prov restore acme.yaml --on h --discard-old; odoo-prov exec acme.yaml -- x',
    );
    expect(nameInventory('odoo-prov lab up FILE', "our $& cluster's.yaml")).toBe(
      "odoo-prov lab up 'our $& cluster'\\''s.yaml'",
    );
  });

  it('leaves every other FILE alone', () => {
    const text = 'give --become-password-file FILE instead; FILE says filestore: off; PROFILE';
    expect(nameInventory(text, 'acme.yaml')).toBe(text);
  });

  it('of a failure keeps all the rest', () => {
    const failure = new Failure({
      reason: 'refused',
      host: 'pg1',
      message: 'no',
      remedy: 'odoo-prov status FILE',
    });
    expect(nameInventoryOf(failure, 'a.yaml').details).toEqual({
      reason: 'refused',
      host: 'pg1',
      message: 'no',
      remedy: 'odoo-prov status a.yaml',
    });
  });
});
