import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/plan/diff.js';
import { inTurn, type Members, type Rolling } from '../../../src/plan/rolling.js';
import type { Change, Kind, Resource, Restart } from '../../../src/resource/kind.js';
import { raw } from '../../../src/shell/index.js';

interface Server extends Resource {
  readonly restart?: Omit<Restart, 'what' | 'before' | 'calm'> & {
    /** Parts by their names; `restarts` says of the first whether it does. */
    readonly before?: string;
    readonly restarts?: boolean;
    readonly calm?: string;
  };
}

const named = (id: string, restart?: Server['restart']): Change<Server> => ({
  resource: { kind: 'server', id, ...(restart === undefined ? {} : { restart }) },
  have: 'absent',
  want: {},
  differences: [{ field: 'state', have: 'absent', want: 'present' }],
});
const check: Change = {
  resource: { kind: 'check', id: 'well' },
  have: {},
  want: {},
  differences: [],
  confirm: true,
};

const server: Kind<Server> = {
  name: 'server',
  summary: 'a server for this test',
  probe: () => raw(''),
  parse: () => new Map(),
  want: () => ({}),
  apply: () => raw(''),
  restarts: ({ resource: { restart } }) => {
    if (restart === undefined) return undefined;
    const { raises, lowers, heldUp, before, restarts = false, calm } = restart;
    return {
      ...{ what: 'it', raises, lowers, ...(heldUp && { heldUp }) },
      ...(before === undefined ? {} : { before: { change: named(before), restarts } }),
      ...(calm === undefined ? {} : { calm: named(calm) }),
    };
  },
};
const kinds = { server, check: { ...server, name: 'check', confirms: true } as unknown as Kind };

const plan = (host: string, ...changes: readonly Change[]): Plan => ({
  host,
  stages: [
    { stage: host === 'p' ? 'pg-primary' : 'pg-standby', changes: [...changes, check] },
    { stage: 'redis', changes: [named('redis')] },
  ],
  skipped: [],
  ok: 0,
});

function turns(
  hosts: readonly Plan[],
  more: Partial<Members> & { out?: readonly string[] } = {},
): Rolling {
  const { out = [], ...rest } = more;
  const members = hosts.map((one) => ({ plan: one, available: !out.includes(one.host) }));
  return inTurn({ hosts: members, silent: [], primary: 'p', consent: true, ...rest }, kinds);
}

/** `host stage: resources`, for each stage. */
const shown = ({ plans }: Rolling): readonly string[] =>
  plans.flatMap(({ host, stages }) =>
    stages
      .filter(({ stage }) => stage !== 'redis')
      .map(
        ({ stage, changes }) => `${host} ${stage}: ${changes.map((c) => c.resource.id).join(' ')}`,
      ),
  );

const raised = { raises: true, lowers: false, before: 'whole', restarts: true };
const lowered = { raises: false, lowers: true };
const mixed = { raises: true, lowers: true, before: 'raised', restarts: true };

describe('restarts of database servers', () => {
  it('are none of a plan that needs none', () => {
    const hosts = [plan('p', named('a')), plan('s', named('b'))];
    expect(turns(hosts)).toEqual({ plans: hosts, order: [], held: new Map() });
  });

  it('come in a stage of their own, followed by the health checks, before the next role', () => {
    const { plans } = turns([plan('p', named('file'), named('up', raised), named('unit'))]);
    expect(plans[0]?.stages.map(({ stage }) => stage)).toEqual(['pg-primary', 'restart', 'redis']);
    expect(shown(turns([plan('p', named('file'), named('up', raised), named('unit'))]))).toEqual([
      'p pg-primary: file unit',
      'p restart: up well',
    ]);
  });

  it('go from standby to standby, the primary last', () => {
    const rolling = turns([
      plan('p', named('up', raised)),
      plan('s', named('up', raised)),
      plan('r', named('up', raised)),
    ]);
    expect(rolling.order).toEqual(['s', 'r', 'p']);
    expect(shown(rolling)).toEqual([
      'p restart: up well',
      's restart: up well',
      'r restart: up well',
    ]);
  });

  it('begin with the primary where it has less from then on', () => {
    const rolling = turns([plan('s', named('down', lowered)), plan('p', named('down', lowered))]);
    expect(rolling.order).toEqual(['p', 's']);
  });

  it('take two passes where something is raised and something else lowered', () => {
    const rolling = turns([plan('p', named('both', mixed)), plan('s', named('both', mixed))]);
    expect(rolling.order).toEqual(['s', 'p']);
    expect(shown(rolling)).toEqual(['p restart: both well', 's restart: raised well']);
  });
});

describe('without consent for the primary', () => {
  it('what is raised is raised on the standbys, and the primary gets what needs no restart', () => {
    const rolling = turns(
      [plan('p', named('up', { ...raised, calm: 'file' })), plan('s', named('up', raised))],
      { consent: false },
    );
    expect(rolling.order).toEqual(['s']);
    expect(shown(rolling)).toEqual(['p pg-primary: file well', 's restart: up well']);
    expect([...rolling.held]).toEqual([['p', { what: 'it', why: 'consent', hosts: [] }]]);
  });

  it('it is known who would hold its restart up with consent as well', () => {
    const raise = [plan('p', named('up', raised)), plan('s', named('up', raised))];
    const held = { consent: false, out: ['s'], silent: ['t'] };
    expect(turns(raise, held).held.get('p')).toMatchObject({ why: 'consent', hosts: ['s', 't'] });
    const lower = [plan('p', named('down', lowered)), plan('s', named('up', raised))];
    expect(turns(lower, held).held.get('p')).toMatchObject({ why: 'consent', hosts: ['s'] });
  });

  it('what is lowered stays everywhere as it is', () => {
    const hosts = [
      plan('p', named('down', lowered)),
      plan('s', named('down', { ...lowered, calm: 'memory' })),
    ];
    const rolling = turns(hosts, { consent: false });
    expect(rolling.order).toEqual([]);
    expect(shown(rolling)).toEqual(['s pg-standby: memory well']);
    expect([...rolling.held.keys()]).toEqual(['p', 's']);
    expect(rolling.held.get('s')).toMatchObject({ why: 'primary', hosts: ['p'] });
  });
});

describe('with hosts missing', () => {
  const hosts = [plan('p', named('up', raised)), plan('s', named('up', raised))];

  it('the primary waits for every standby that needs more first', () => {
    expect(turns(hosts, { out: ['s'] }).held.get('p')).toMatchObject({
      why: 'standbys',
      hosts: ['s'],
    });
    const silent = turns([plan('p', named('up', raised))], { silent: ['r'] });
    expect(silent.held.get('p')).toMatchObject({ why: 'standbys', hosts: ['r'] });
  });

  it('nobody waits for them where nothing is raised', () => {
    const other = { raises: false, lowers: false, before: 'whole', restarts: true };
    const rolling = turns([plan('p', named('x', other)), plan('s', named('x', other))], {
      out: ['s'],
      silent: ['r'],
    });
    expect(rolling.order).toEqual(['p']);
  });

  it('the primary waits for a standby that does not replay, whatever itself is restarted for', () => {
    const heldUp = { ...raised, raises: false, heldUp: true } as const;
    const hosts = [plan('p', named('down', lowered)), plan('s', named('up', heldUp))] as const;
    expect(turns(hosts).order).toEqual(['s', 'p']);
    const left = turns(hosts, { out: ['s'] });
    expect(left.order).toEqual([]);
    expect(left.held.get('p')).toEqual({ what: 'it', why: 'held-up', hosts: ['s'] });
  });

  it('a standby has not less before a primary that is not part of the run', () => {
    const lower = [plan('p', named('down', lowered)), plan('s', named('down', lowered))];
    const rolling = turns(lower, { out: ['p'] });
    expect(rolling.order).toEqual([]);
    expect(rolling.held.get('s')).toMatchObject({ why: 'primary', hosts: ['p'] });
  });
});
