import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure/failure.js';
import type { RunEvent } from '../../src/run/event.js';
import { eventToJson } from '../../src/ui/json.js';
import { nameInventory, nameInventoryIn, nameInventoryOf } from '../../src/ui/named-inventory.js';

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
    const text = 'give --become-password-file FILE instead; FILE says no; PROFILE';
    expect(nameInventory(text, 'acme.yaml')).toBe(text);
  });

  it('of a failure is named in whatever is told of it', () => {
    const text = 'odoo-prov status FILE';
    const [message, expected, found, output, remedy] = [text, text, text, text, text];
    const words = { message, expected, found, output, remedy };
    const failure = new Failure({ reason: 'refused', host: 'pg1', ...words });
    const named = Object.fromEntries(
      Object.keys(words).map((name) => [name, 'odoo-prov status a.yaml']),
    );
    expect(nameInventoryOf(failure, 'a.yaml').details).toEqual({
      ...{ reason: 'refused', host: 'pg1' },
      ...named,
    });
    const short = new Failure({ reason: 'refused', message: 'no', remedy: 'none' });
    expect(nameInventoryOf(short, 'a.yaml').details).toEqual(short.details);
  });

  it('in a run is named in all that a host said, and in no file', () => {
    const said = 'it cannot follow; next: odoo-prov rejoin FILE --host db1';
    const change = {
      ...{ resource: { kind: 'check', id: 'streams' }, have: { result: said } },
      ...{ want: { result: 'streaming' } },
      differences: [
        { field: 'result', have: said, want: 'streaming' },
        { field: 'n', have: 1, want: 2 },
      ],
    };
    const events: readonly RunEvent[] = [
      {
        ...{ type: 'host-planned', host: 'db1', pass: 1, changes: [change] },
        ...{ skipped: [], leftOver: [] },
      },
      { type: 'resource-output', host: 'db1', key: 'check:streams', line: said },
      { type: 'stage-skipped', host: 'db1', stage: 'pg-standby', why: said },
      { type: 'verify-checked', host: 'db1', check: 'login', ok: false, detail: said },
      {
        ...{ type: 'host-failed', host: 'db1' },
        failure: new Failure({ reason: 'command-failed', message: 'no', remedy: said }),
      },
    ];
    for (const event of events) {
      const told = JSON.stringify(eventToJson(nameInventoryIn(event, 'acme.yaml')));
      expect(told).toBe(JSON.stringify(eventToJson(event)).replaceAll('FILE', 'acme.yaml'));
    }
    const diff = { type: 'file-diff', host: 'db1', key: 'file:/x', diff: said } as const;
    expect(nameInventoryIn(diff, 'acme.yaml')).toBe(diff);
  });
});
