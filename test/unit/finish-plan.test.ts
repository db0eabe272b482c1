import { describe, expect, it } from 'vitest';
import { planFinish, type FinishOptions } from '../../playbooks/primary/finish.js';
import { planFailover } from '../../playbooks/primary/failover.js';
import { lookForMove, type MoveView } from '../../playbooks/primary/move-view.js';
import { planSwitchover } from '../../playbooks/primary/switchover.js';
import { Failure } from '../../src/failure/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import type { Session } from '../../src/transport/session.js';
import { testCluster, testHost } from '../support/site.js';

const hosts = [
  testHost('db1', 1, ['pg-primary']),
  testHost('db2', 2, ['pg-standby']),
  testHost('db3', 3, ['pg-standby']),
  testHost('pool1', 4, ['pgbouncer']),
];
const cluster = testCluster(hosts);
const addressOf = (name: string): string => hosts.find((host) => host.name === name)?.address ?? '';

const PRIMARY = 'data no 2 2 7\nlive t 0/6000 0\n';
const FOLLOWS = 'data yes 2 2 7\nlive f 0/6000 2\n';
const WAITS = 'data yes 2 2 7\nlive f 0/6000 0\n';
/** A primary's end, by its control file. */
const HANDED_OVER = 'data yes 2 2 7\ndown\nstate shut down\nwal 2@0/5F00 0@0/0 2 1@0/4000\n';
const paused = (host: string): string => `1 ${addressOf(host)}\n0 ${addressOf(host)}\n`;
const open = (host: string): string => `0 ${addressOf(host)}\n0 ${addressOf(host)}\n`;

/** @param answers by host; those without one cannot be reached */
function look(answers: Readonly<Record<string, string>>): Promise<MoveView> {
  const sessions = hosts.flatMap((host): [string, Session][] => {
    const stdout = answers[host.name];
    if (stdout === undefined) return [];
    const run = () => Promise.resolve({ code: 0, stdout, stderr: '' });
    return [[host.name, { host, run } as unknown as Session]];
  });
  return lookForMove(cluster, { sessions: new Map(sessions), unreached: new Map() });
}

const finish = async (answers: Readonly<Record<string, string>>, options: FinishOptions = {}) =>
  planFinish(cluster, await look(answers), options);

describe('a move that was cut after its promotion', () => {
  const cut = { db1: HANDED_OVER, db2: PRIMARY, db3: WAITS, pool1: paused('db2') };

  it('is brought to its end by the same command, with --to or without', async () => {
    const named = await finish(cut, { to: 'db2' });
    expect(named).toMatchObject({ clients: true, follow: ['db3'], start: ['db1'], left: [] });
    expect(named?.steps).toEqual([
      'db2 takes writes already, on timeline 2: a move was cut here',
      'lead every PgBouncer to db2 and let the clients through',
      'db3 follows db2',
      'start PostgreSQL on db1, which follows db2',
      'restart odoo-gevent, so that live chat listens again at once',
    ]);
    expect(named?.notes).toEqual(['PgBouncer on pool1 holds its clients back']);
    const unnamed = await finish(cut);
    expect(unnamed?.steps).toEqual(named?.steps);
    expect(unnamed?.notes.at(-1)).toContain('run this again');
  });

  it('is also one where PgBouncer was stopped, or leads elsewhere', async () => {
    expect(await finish({ ...cut, pool1: 'stopped\n' })).toMatchObject({ clients: true });
    const elsewhere = { db2: PRIMARY, db3: FOLLOWS, pool1: open('db1') };
    expect(await finish(elsewhere, { to: 'db2' })).toMatchObject({ clients: true });
    expect(await finish({ ...elsewhere, pool1: 'stuck\n' }, { to: 'db2' })).toMatchObject({
      clients: true,
    });
  });

  it('leaves the primary of before a failover to a rejoin', async () => {
    const fenced = 'data no 1 1 7 fenced\ndown\nstate shut down\nwal 1@0/5F00 0@0/0 0\n';
    const plan = await finish({ ...cut, db1: fenced }, { urgent: true });
    expect(plan).toMatchObject({ start: [], left: ['db1'] });
    expect(plan?.steps.at(-1)).toContain('odoo-prov rejoin FILE --host db1');
  });

  it('asks what commits do where no standby is left for them, only while clients wait', async () => {
    const { postgres } = cluster;
    const replication = { ...postgres.replication, synchronous: 'on' } as const;
    const synchronous: Cluster = { ...cluster, postgres: { ...postgres, replication } };
    const withoutStandby = () => Promise.resolve('continue' as const);
    const planned = async (pool1: string) =>
      planFinish(synchronous, await look({ db2: PRIMARY, pool1 }), { to: 'db2', withoutStandby });
    expect(await planned(paused('db2'))).toMatchObject({ alone: true });
    expect(await planned(open('db2'))).toMatchObject({ alone: false });
  });

  it('is not taken for one where another is named: that is moved to, and it is told that clients wait', async () => {
    const view = await look({ db2: PRIMARY, db3: FOLLOWS, pool1: paused('db2') });
    expect(await planFinish(cluster, view, { to: 'db3' })).toBeUndefined();
    const { to, notes } = planSwitchover(cluster, view, 'db3');
    expect(to.host).toBe('db3');
    expect(notes).toEqual([
      'a move was cut here: PgBouncer on pool1 holds its clients back; this one ends with letting them through',
    ]);
  });

  it('is not finished while two take writes, or what a failover-test broke is not healed', async () => {
    const two = { ...cut, db1: PRIMARY };
    expect(await finish(two, { to: 'db2' })).toBeUndefined();
    const armed = { ...cut, db3: `${WAITS}armed primary-frozen 100\n` };
    await expect(finish(armed, { to: 'db2' })).rejects.toThrow('has left something broken');
    expect((await finish(armed, { to: 'db2', urgent: true }))?.notes.join()).toContain('broken');
  });
});

describe('a move that was cut, with a PgBouncer that is gone', () => {
  it('is refused, and says who waits: on a primary, or on nobody', async () => {
    const both = testCluster([...hosts, testHost('pool2', 5, ['pgbouncer'])]);
    const refusal = async (answers: Readonly<Record<string, string>>): Promise<unknown> => {
      const { sessions } = await look(answers);
      const gone = new Failure({ reason: 'unreachable', message: 'no answer', remedy: '' });
      const unreached = new Map([['pool2', gone]]);
      return lookForMove(both, { sessions, unreached }).catch((error: unknown) => error);
    };
    const found = 'pool2: no answer; PgBouncer on pool1 holds its clients back';
    const stopped = { db1: HANDED_OVER, db2: WAITS, db3: WAITS, pool1: paused('db1') };
    expect(await refusal(stopped)).toMatchObject({
      details: {
        message: expect.stringMatching(/Meanwhile nobody takes writes$/) as string,
        found,
        remedy:
          'bring the host back, or take the role pgbouncer off it in the inventory if it is gone for good; then the same command again: until then nothing is saved',
      },
    });
    expect(await refusal({ ...stopped, db2: PRIMARY })).toMatchObject({
      details: { message: expect.stringMatching(/to the old primary$/) as string, found },
    });
  });
});

describe('a move to the host that is the primary', () => {
  it('moves nothing', async () => {
    const well = { db1: FOLLOWS, db2: PRIMARY, db3: FOLLOWS, pool1: open('db2') };
    const plan = await finish(well, { to: 'db2' });
    expect(plan).toMatchObject({ clients: false, follow: [], start: [], left: [] });
    expect(plan?.steps).toEqual([
      'db2 is the primary already, and clients get through to it: nothing is moved',
    ]);
    // Nobody named one: that is a move.
    expect(await finish(well)).toBeUndefined();
  });
});

describe('a switchover that was cut before its promotion', () => {
  const cut = { db1: HANDED_OVER, db2: WAITS, db3: WAITS, pool1: paused('db1') };
  const over = async (answers: Readonly<Record<string, string>>, to?: string) =>
    planSwitchover(cluster, await look(answers), to);

  it('goes on where the standby has all that the old primary wrote', async () => {
    const plan = await over(cut, 'db2');
    expect(plan).toMatchObject({ cut: true, from: { host: 'db1' }, to: { host: 'db2' } });
    expect(plan.steps[0]).toContain('a switchover was cut here: db1 was stopped for it');
    expect(plan.steps).toContain('promote db2');
    expect(plan.steps).toContain('db1 follows db2');
  });

  it('does not where it lacks the end, a host was not seen, or the one that is stopped was a standby', async () => {
    const lacks = WAITS.replace('0/6000', '0/5F00');
    const inRecovery = HANDED_OVER.replace('shut down', 'shut down in recovery');
    for (const one of [
      { ...cut, db2: lacks, db3: lacks },
      { ...cut, db1: inRecovery },
      { ...cut, db3: FOLLOWS },
    ]) {
      await expect(over(one, 'db2')).rejects.toMatchObject({
        details: {
          message:
            'no host takes writes, and clients wait: PgBouncer on pool1 holds its clients back, as a move leaves it that was cut',
          remedy: expect.stringContaining('`odoo-prov failover FILE --to db2`') as string,
        },
      });
    }
    const view = await look(cut);
    const silent = new Map([['db3', new Error('no answer') as never]]);
    expect(() => planSwitchover(cluster, { ...view, silent }, 'db2')).toThrow('clients wait');
  });

  it('is told by a failover as well', async () => {
    const options = {
      confirmDead: [],
      force: false,
      withoutStandby: () => Promise.resolve('block' as const),
    };
    const { notes } = await planFailover(cluster, await look(cut), options);
    expect(notes[0]).toContain('a move was cut here');
  });
});
