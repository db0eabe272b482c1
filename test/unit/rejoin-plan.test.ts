import { describe, expect, it } from 'vitest';
import { phaseOf } from '../../playbooks/primary/rejoin-look.js';
import { nothingToDo } from '../../playbooks/primary/rejoin-plan.js';
import type { Sight } from '../../src/postgres/promotion.js';

function sight(host: string, more: Partial<Sight> = {}): Sight {
  return {
    ...{ host, writable: false, standby: true, running: true, stuck: false, fenced: false },
    ...{ timeline: 2, dataTimeline: 2, lsn: 0n, newest: undefined, received: 2, pastFork: false },
    ...{ compared: false, backingUp: false, hotStandby: {}, hotStandbyAtStart: {} },
    ...{ handedOver: false, replayPaused: false },
    systemIdentifier: '7',
    ...more,
  };
}

const primary = sight('db2', { writable: true, standby: false, received: undefined });
const stopped = sight('db1', { running: false, received: undefined });

describe('a host whose rejoin was cut', () => {
  it('is left to follow where it was rewound or copied, also if its data is a standby’s already', () => {
    expect(phaseOf('rewound', stopped, 0)).toBe('rewound');
    expect(phaseOf('copied', stopped, 0)).toBe('copied');
  });

  it('is rewound again where another one has taken over since', () => {
    expect(phaseOf('rewound', { ...stopped, pastFork: true }, 0)).toBe('none');
  });

  it('is copied where it was cut in the middle, unless it is on a later timeline by now', () => {
    expect(phaseOf('rewinding', stopped, 2)).toBe('rewinding');
    expect(phaseOf('rewinding', stopped, 1)).toBe('none');
  });

  it('is as any other once it runs', () => {
    expect(phaseOf('rewound', { ...stopped, running: true }, 0)).toBe('none');
  });
});

describe('where nobody is to rejoin', () => {
  it('says that there is nothing to do only if all follow', () => {
    const { remedy, found } = nothingToDo([sight('db1'), primary], primary, undefined).details;
    expect(found).toBe('db1: a standby; db2: the primary');
    expect(remedy).toBe('nothing is to be done; `odoo-prov apply FILE` mends standbys');
  });

  it('says that the host that was named has no data, and what brings it there', () => {
    expect(nothingToDo([sight('db1'), primary], primary, 'db3').details).toMatchObject({
      host: 'db3',
      message: 'it holds no database: everything is being copied there, or that was cut',
      remedy:
        'a copy that was begun goes on by itself: run the same command again in some minutes. Where none runs: `odoo-prov apply FILE --limit db3` copies everything',
    });
    // One that has data may have damaged data.
    expect(nothingToDo([sight('db1'), primary], primary, 'db1').details.remedy).toContain(
      '`odoo-prov rejoin FILE --host db1 --clone` copies everything anew',
    );
  });

  it('is nothing as far as is known, where a host does not answer', () => {
    const sights = [sight('db1'), primary];
    const { remedy, found } = nothingToDo(sights, primary, undefined, [], ['db3']).details;
    expect(found).toBe('db1: a standby; db2: the primary; db3: no answer');
    expect(remedy).toBe('bring back db3, and run this again');
  });

  it('names a standby that is stopped, and what starts it', () => {
    const { remedy, found } = nothingToDo([stopped, primary], primary, undefined).details;
    expect(found).toBe('db1: a standby, PostgreSQL is stopped; db2: the primary');
    expect(remedy).toBe(
      '`odoo-prov apply FILE` starts PostgreSQL on db1. Only if that does not help: `odoo-prov rejoin FILE --host db1`',
    );
  });

  it('names one that runs and receives nothing', () => {
    const lost = sight('db3', { received: undefined });
    const { remedy } = nothingToDo([lost, stopped, primary], primary, undefined).details;
    expect(remedy).toContain(
      'mends db3, which receives nothing, starts PostgreSQL on db1. Only if that does not help: `odoo-prov rejoin FILE --host db3`, `odoo-prov rejoin FILE --host db1`',
    );
  });
});
