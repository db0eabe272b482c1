import { describe, expect, it } from 'vitest';
import { planFailover, type FailoverOptions } from '../../playbooks/primary/failover.js';
import { planRejoin, rowsOf, type RejoinPlan } from '../../playbooks/primary/rejoin-plan.js';
import { lookForMove } from '../../playbooks/primary/move-view.js';
import { planSwitchover, type SwitchoverPlan } from '../../playbooks/primary/switchover.js';
import type { Reached } from '../../playbooks/primary/connect.js';
import { Failure } from '../../src/failure/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import type { Session } from '../../src/transport/session.js';
import { testCluster, testHost } from '../support/site.js';

const cluster = testCluster([
  testHost('db1', 1, ['pg-primary']),
  testHost('db2', 2, ['pg-standby']),
  testHost('db3', 3, ['pg-standby']),
  testHost('pool1', 4, ['pgbouncer']),
]);

const PRIMARY = 'data no 1 0 7\nlive t 0/5000 0\n';
const STOPPED = 'data no 1 0 7\ndown\n';
const STANDBY = 'data yes 1 0 7\nlive f 0/5000 1\n';
const AHEAD = 'data yes 2 2 7\nlive t 0/6000 0\n'.replace('yes', 'no');

/** Hosts by what they answer; those without an answer cannot be reached. */
function reached(answers: Readonly<Record<string, string>>): Reached {
  const sessions = new Map<string, Session>();
  const unreached = new Map<string, Failure>();
  for (const host of cluster.hosts) {
    const stdout = answers[host.name] ?? (host.name === 'pool1' ? '' : undefined);
    if (stdout === undefined) {
      const remedy = 'look at its cable';
      unreached.set(
        host.name,
        new Failure({ reason: 'unreachable', host: host.name, message: 'no answer', remedy }),
      );
      continue;
    }
    sessions.set(host.name, {
      host,
      use: { connections: 1, execs: 0, bytesSent: 0, bytesReceived: 0 },
      run: () => Promise.resolve({ code: 0, stdout, stderr: '' }),
      close: () => Promise.resolve(),
    });
  }
  return { sessions, unreached };
}

/** As if that host could not be reached. */
function without({ sessions, unreached }: Reached, lost: string): Reached {
  const failure = new Failure({ reason: 'unreachable', message: 'no answer', remedy: '' });
  return {
    sessions: new Map([...sessions].filter(([name]) => name !== lost)),
    unreached: new Map([...unreached, [lost, failure]]),
  };
}

/** Fails where it is asked about standbys, unless the test answers. */
const OPTIONS: FailoverOptions = {
  force: false,
  confirmDead: [],
  withoutStandby: (host) =>
    Promise.reject(new Error(`asked what to do without a standby of ${host}`)),
};

async function switchoverOf(
  asked: Cluster,
  hosts: Reached,
  to: string | undefined,
  force = false,
): Promise<SwitchoverPlan> {
  return planSwitchover(asked, await lookForMove(asked, hosts), to, force);
}

async function plan(
  answers: Readonly<Record<string, string>>,
  options: Partial<FailoverOptions> = {},
  replication: Partial<Cluster['postgres']['replication']> = {},
) {
  const { postgres } = cluster;
  const asked: Cluster = {
    ...cluster,
    postgres: { ...postgres, replication: { ...postgres.replication, ...replication } },
  };
  return planFailover(asked, await lookForMove(asked, reached(answers)), {
    ...OPTIONS,
    ...options,
  });
}

describe('a restore that has not come to its end', () => {
  const to = "--to-time '2026-11-30 09:00:00+00'";
  const all = { db1: `restoring ${to}\n`, db2: STANDBY, db3: STANDBY };
  const refusal = /a restore of the database has not come to its end/;

  it('is named before the primary is moved, or an old one rejoins', async () => {
    await expect(plan(all)).rejects.toThrow(refusal);
    await expect(switchoverOf(cluster, reached(all), undefined)).rejects.toThrow(refusal);
    await expect(planRejoin(cluster, reached(all), undefined)).rejects.toMatchObject({
      details: {
        found: '/var/lib/odoo-prov/restoring-in-place on db1',
        remedy: expect.stringContaining(
          `odoo-prov restore FILE ${to} again, or with another moment`,
        ) as string,
      },
    });
  });
});

describe('a failover', () => {
  it('is refused while the primary takes writes, and goes on by force', async () => {
    const all = { db1: PRIMARY, db2: STANDBY, db3: STANDBY };
    await expect(plan(all)).rejects.toThrow('is alive and takes writes');
    const forced = await plan(all, { force: true });
    expect(forced.fence).toEqual(['db1']);
    expect(['db2', 'db3']).toContain(forced.choice.candidate.host);
  });

  it('needs nobody’s word where the old primary can be reached: it is stopped there', async () => {
    const { fence, dead } = await plan({ db1: STOPPED, db2: STANDBY, db3: STANDBY });
    expect([fence, dead]).toEqual([['db1'], []]);
  });

  it('goes on where one was cut: what it had stopped is not advised to be started', async () => {
    const fenced = STOPPED.replace(' 7', ' 7 fenced');
    const { fence, notes } = await plan({ db1: fenced, db2: STANDBY, db3: STANDBY });
    expect([fence, notes]).toEqual([['db1'], []]);
    await expect(
      planRejoin(cluster, reached({ db1: fenced, db2: STANDBY }), undefined),
    ).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('a failover was cut off') as string },
    });
    const tookOver = 'data no 2 2 7\ndown\n';
    await expect(
      planRejoin(cluster, reached({ db1: fenced, db2: tookOver, db3: STANDBY }), undefined),
    ).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('starts PostgreSQL on db2 and') as string },
    });
  });

  it('is refused while PostgreSQL runs on data that was removed: it may take writes still', async () => {
    await expect(plan({ db1: 'emptied\n', db2: STANDBY, db3: STANDBY })).rejects.toMatchObject({
      details: { host: 'db1', remedy: expect.stringContaining('systemctl stop') as string },
    });
  });

  it('needs the operator’s word for a primary that is silent', async () => {
    const left = { db2: STANDBY, db3: STANDBY };
    for (const remembered of ['db1', undefined]) {
      const known = remembered === undefined ? {} : { remembered };
      await expect(plan(left, known)).rejects.toThrow('nobody can tell whether it still takes');
      expect((await plan(left, { ...known, confirmDead: ['db1'] })).dead).toEqual(['db1']);
    }
  });

  it('does not believe that a host was primary last which turns out to be a standby', async () => {
    const left = { db2: STANDBY, db3: STANDBY };
    await expect(plan(left, { remembered: 'db2' })).rejects.toThrow('nobody can tell');
  });

  it('does not ask for a standby that is silent beside a primary that is stopped', async () => {
    const { dead } = await plan({ db1: STOPPED, db2: STANDBY }, { remembered: 'db1' });
    expect(dead).toEqual([]);
  });

  it('asks for every host that may be the primary', async () => {
    const word = { confirmDead: ['db1'] };
    await expect(plan({ db2: STANDBY }, word)).rejects.toThrow('nobody can tell');
    const { dead } = await plan({ db2: STANDBY }, { confirmDead: ['db1', 'db3'] });
    expect(dead).toEqual(['db1', 'db3']);
  });

  it('asks for every silent host where a standby is beyond the data of the primary that was seen', async () => {
    // db2 was primary before db1, which is silent: whatever was remembered, db2's data is not the last.
    const beyond = STANDBY.replace('yes 1 0', 'yes 2 0');
    for (const old of [STOPPED, STOPPED.replace(' 7', ' 7 fenced')]) {
      for (const remembered of ['db1', 'db2', 'db3']) {
        const left = { db2: old, db3: beyond };
        await expect(plan(left, { remembered })).rejects.toMatchObject({
          details: {
            host: 'db1',
            remedy: expect.stringContaining('--confirm-dead db1') as string,
          },
        });
        const { fence, dead, notes } = await plan(left, { remembered, confirmDead: ['db1'] });
        expect([fence, dead, notes]).toEqual([['db2'], ['db1'], []]);
      }
    }
  });

  it('asks for every silent host where a failover has stopped the primary, for it may have promoted one', async () => {
    const fenced = STOPPED.replace(' 7', ' 7 fenced');
    const left = { db1: fenced, db3: STANDBY };
    await expect(plan(left, { remembered: 'db1' })).rejects.toThrow('nobody can tell');
    const { dead } = await plan(left, { remembered: 'db1', confirmDead: ['db2'] });
    expect(dead).toEqual(['db2']);
  });

  it('says all hosts that are to be confirmed, also those that were', async () => {
    const refusal = plan({ db2: STANDBY }, { remembered: 'db1', confirmDead: ['db1'] });
    await expect(refusal).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('--confirm-dead db1,db3') as string },
    });
  });

  it('is refused while a standby receives from a primary that lives out of reach', async () => {
    const receives = (address: string): string => `${STANDBY}sender ${address}\n`;
    const silent = cluster.hosts.find(({ name }) => name === 'db1')?.address ?? '';
    for (const confirmDead of [[], ['db1']]) {
      await expect(
        plan({ db2: receives(silent), db3: STANDBY }, { confirmDead }),
      ).rejects.toMatchObject({
        details: {
          host: 'db1',
          message: 'the primary is alive: db2 receives WAL from it, and it takes connections',
          found: `db2 receives from ${silent}, which cannot be reached from here`,
        },
      });
    }
    const all = { db1: receives('198.51.100.99'), db2: STANDBY, db3: STANDBY };
    await expect(plan(all)).rejects.toMatchObject({
      details: {
        found: 'db1 receives from 198.51.100.99, which is no database host of this inventory',
        remedy: expect.stringContaining('put that host back into the inventory') as string,
      },
    });
    await expect(plan({ ...all, db3: STOPPED })).rejects.toThrow('the primary is alive');
    // A receiver that is not streaming is not asked, nor anybody where a primary was seen to take writes.
    const idle = all.db1.replace('0/5000 1', '0/5000 0');
    await expect(plan({ ...all, db1: idle })).resolves.toBeDefined();
    await expect(plan({ ...all, db3: PRIMARY }, { force: true })).resolves.toBeDefined();
  });

  it('is refused while a PgBouncer cannot be reached, or hosts hold different clusters', async () => {
    const refusal = async (answers: Readonly<Record<string, string>>): Promise<unknown> =>
      lookForMove(cluster, without(reached(answers), 'pool1')).catch((error: unknown) => error);
    const message =
      'this PgBouncer cannot be reached: it could go on leading clients to the old primary';
    expect(await refusal({ db1: PRIMARY, db2: STANDBY, db3: STANDBY })).toMatchObject({
      details: {
        ...{ host: 'pool1', message, found: 'pool1: no answer' },
        remedy:
          'bring the host back, or give the role pgbouncer to another host in the inventory, instead of this one, if it is gone for good; then run this again',
      },
    });
    // A standby that receives: its primary was only not seen.
    expect(await refusal({ db2: STANDBY })).toMatchObject({ details: { message } });
    const idle = STANDBY.replace('0/5000 1', '0/5000 0');
    expect(await refusal({ db1: STOPPED, db2: idle, db3: idle })).toMatchObject({
      details: {
        message: `${message}. Meanwhile nobody takes writes`,
        remedy:
          'bring the host back, or give the role pgbouncer to another host in the inventory, instead of this one, if it is gone for good; then the same command again: until then nothing is saved',
      },
    });
    expect(await refusal({ db2: idle, db3: idle })).toMatchObject({
      details: { message: `${message}. Meanwhile no database host that answers takes writes` },
    });
    const other = STANDBY.replace(' 7', ' 8');
    await expect(plan({ db1: STOPPED, db2: other })).rejects.toThrow('another PostgreSQL cluster');
  });

  it('refuses the word that a host is dead which answers', async () => {
    const all = { db1: STOPPED, db2: STANDBY, db3: STANDBY };
    for (const host of ['db1', 'db3']) {
      await expect(plan(all, { confirmDead: [host] })).rejects.toThrow(
        'it answers, so it is not dead',
      );
    }
  });

  it('says of when the newest transaction is that takes over', async () => {
    const dated = STANDBY.replace(/1\n$/, '1 1795334400\n');
    const { notes } = await plan({ db1: STOPPED, db2: dated });
    expect(notes).toEqual([
      'db1 answers, and only its PostgreSQL is down: odoo-prov apply FILE starts it, and nothing is lost; fail over if that does not help',
      "db2's newest transaction was saved at 2026-11-22 08:00:00 UTC; what was saved later is not there",
    ]);
  });

  it('leaves no standby behind that is stopped and has more, unless told who is promoted', async () => {
    // A switchover that was cut: the old primary is a standby already, and the others lack its last WAL.
    const ended = 'data yes 1 0 7\ndown\nwal 1@0/5028 0@0/0 0\n';
    const hosts = { db1: ended, db2: STANDBY, db3: STANDBY };
    await expect(plan(hosts)).rejects.toMatchObject({
      details: {
        reason: 'refused',
        host: 'db2',
        message: 'it lacks 40 bytes of WAL that db1 has, a standby whose PostgreSQL is stopped',
        expected: 'PostgreSQL running on db1, so that nothing of that is lost',
        remedy:
          'start PostgreSQL on db1 (there: systemctl restart postgresql), then run this again. If it does not start: --to db2 goes on without it, and `odoo-prov rejoin FILE --host db1` saves later what only it has',
      },
    });
    const { notes, steps, fence, left } = await plan(hosts, { to: 'db2' });
    expect([fence, left]).toEqual([[], ['db1']]);
    expect(notes).toEqual([
      'PostgreSQL on db1, a standby, is stopped and has 40 bytes of WAL that db2 lacks: start it (there: systemctl restart postgresql) and run this again, and nothing of that is lost; fail over if that does not help',
    ]);
    expect(steps.join('\n')).toContain('which lacks 40 bytes that db1, which is stopped, has');
    expect(steps.at(-1)).toBe(
      'later, by you: odoo-prov rejoin FILE --host db1, which cannot follow: it saves the rows that only it has',
    );
    const less = ended.replace('0/5028', '0/4F00');
    const usual = await plan({ db1: less, db2: STANDBY, db3: STANDBY });
    expect([usual.notes, usual.left]).toEqual([[], []]);
    expect(usual.steps.join('\n')).toContain('which has most WAL of all that were seen');
  });

  describe('that leaves no standby for commits to wait for', () => {
    const last = { db1: STOPPED, db2: STANDBY };
    const waits = /no standby is left: every commit on db2 waits/;
    const goesOn = /db2 saves alone until a standby is back/;

    it('asks what commits shall do', async () => {
      const on = { synchronous: 'on' } as const;
      await expect(plan(last, {}, on)).rejects.toThrow('asked what to do without a standby of db2');
      const answer = (way: 'block' | 'continue') =>
        plan(last, { withoutStandby: () => Promise.resolve(way) }, on);
      const blocked = await answer('block');
      expect([blocked.alone, blocked.steps.join('\n')]).toEqual([
        false,
        expect.stringMatching(waits),
      ]);
      const alone = await answer('continue');
      expect([alone.alone, alone.steps.join('\n')]).toEqual([true, expect.stringMatching(goesOn)]);
    });

    it('goes on where the inventory says so', async () => {
      const { alone } = await plan(last, {}, { synchronous: 'on', onStandbyLoss: 'continue' });
      expect(alone).toBe(true);
    });

    it('has nothing to ask where commits wait for nobody, or another standby is there', async () => {
      expect((await plan(last)).alone).toBe(false);
      const both = { ...last, db3: STANDBY };
      const on = { synchronous: 'on', onStandbyLoss: 'continue' } as const;
      expect((await plan(both, {}, on)).alone).toBe(false);
    });
  });
});

describe('a fault that a failover-test has left', () => {
  const folder = 'rejoin none no /var/lib/postgresql/17/main\n';
  const ARMED = 'armed primary-cut-off 143\n';
  const refusal = (host: string) => ({
    details: {
      host,
      message: 'a failover-test that was killed has left something broken here',
      found: 'primary-cut-off',
      remedy: `run this again when it is healed: it heals by itself in 143 s. At once, as root on ${host}: sh /run/odoo-prov/failover-test/primary-cut-off`,
    },
  });
  const rejoin = (answers: Readonly<Record<string, string>>, host?: string) =>
    planRejoin(cluster, reached(answers), host);

  it('refuses a rejoin of its host, and one that follows it; of a third host it is no matter', async () => {
    const old = PRIMARY + folder;
    await expect(rejoin({ db1: ARMED + old, db2: AHEAD })).rejects.toMatchObject(refusal('db1'));
    await expect(rejoin({ db1: old, db2: ARMED + AHEAD })).rejects.toMatchObject(refusal('db2'));
    const { rejoining } = await rejoin({ db1: old, db2: AHEAD, db3: ARMED + STANDBY });
    expect(rejoining.map(({ sight }) => sight.host)).toEqual(['db1']);
    // A primary that is frozen, or was stopped, is what somebody to follow is missing for.
    await expect(rejoin({ db1: ARMED + STOPPED, db2: STANDBY })).rejects.toMatchObject(
      refusal('db1'),
    );
  });

  it('refuses a switchover, on whatever database host it is', async () => {
    const to = (answers: Readonly<Record<string, string>>) =>
      switchoverOf(cluster, reached(answers), 'db2');
    await expect(to({ db1: PRIMARY, db2: STANDBY, db3: ARMED })).rejects.toMatchObject(
      refusal('db3'),
    );
    await expect(to({ db1: ARMED + STOPPED, db2: STANDBY })).rejects.toMatchObject(refusal('db1'));
    const failed = ARMED.replace('143', 'none');
    await expect(to({ db1: PRIMARY, db2: failed + STANDBY })).rejects.toMatchObject({
      details: {
        remedy: expect.stringContaining('could not heal by itself. As root on db2') as string,
      },
    });
  });

  it('is told by a failover, which cannot wait for it', async () => {
    const { fence, notes } = await plan({ db1: ARMED + STOPPED, db2: STANDBY, db3: STANDBY });
    expect([fence, notes[0]]).toEqual([
      ['db1'],
      'a failover-test that was killed has left primary-cut-off broken on db1: it heals by itself in 143 s. At once, as root on db1: sh /run/odoo-prov/failover-test/primary-cut-off',
    ]);
  });
});

describe('two primaries', () => {
  const both = { db1: PRIMARY, db2: AHEAD };
  const refusal = {
    details: {
      message: 'more than one host takes writes',
      found: 'db1 (timeline 1), db2 (timeline 2)',
      remedy: expect.stringMatching(/^db2 took over.* On db1, at once: systemctl stop/) as string,
    },
  };

  it('are refused by a switchover and a failover: the one on the newest timeline is to be kept', async () => {
    await expect(switchoverOf(cluster, reached(both), undefined)).rejects.toMatchObject(refusal);
    await expect(plan(both)).rejects.toMatchObject(refusal);
    await expect(plan({ ...both, db3: STANDBY })).rejects.toMatchObject(refusal);
    // By force, where no standby is left: it is the old one that is to rejoin.
    await expect(plan(both, { force: true })).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('rejoin FILE --host db1') as string },
    });
  });

  it('are told apart by a rejoin; of the same timeline none that runs is taken', async () => {
    const folder = 'rejoin none no /var/lib/postgresql/17/main\n';
    const old = { db1: PRIMARY + folder, db2: AHEAD };
    const { primary, rejoining } = await planRejoin(cluster, reached(old), undefined);
    expect([primary.host, rejoining.map(({ sight }) => sight.host)]).toEqual(['db2', ['db1']]);
    const same = { db1: PRIMARY, db2: PRIMARY + folder };
    await expect(planRejoin(cluster, reached(same), 'db2')).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('stop PostgreSQL on db2') as string },
    });
  });
});

describe('a switchover', () => {
  it('needs exactly one primary, and a standby that streams', async () => {
    const to = (answers: Readonly<Record<string, string>>, host?: string) =>
      switchoverOf(cluster, reached(answers), host);
    expect((await to({ db1: PRIMARY, db2: STANDBY }, 'db2')).to.host).toBe('db2');
    await expect(to({ db1: STOPPED, db2: STANDBY })).rejects.toThrow('no host takes writes');
    await expect(to({ db1: PRIMARY, db2: PRIMARY, db3: STANDBY })).rejects.toMatchObject({
      details: {
        message: 'more than one host takes writes',
        remedy: expect.stringContaining('find out which of them PgBouncer uses') as string,
      },
    });
    await expect(to({ db1: PRIMARY, db2: STANDBY }, 'db1')).rejects.toThrow('primary already');
    await expect(to({ db1: STOPPED, db2: STANDBY })).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('starts PostgreSQL on db1') as string },
    });
    const idle = STANDBY.replace(/1\n$/, '0\n');
    await expect(to({ db1: PRIMARY, db2: idle })).rejects.toThrow('does not keep up');
  });
});

describe('a standby that has more than the others of what a standby needs', () => {
  const hot = (running: number, atStart = running): string =>
    `hot max_connections ${String(running)} ${String(atStart)}\n`;
  const more = STANDBY + hot(260);

  it('is not switched over to, unless the old primary is started with as much', async () => {
    const to = (primary: string) =>
      switchoverOf(cluster, reached({ db1: primary, db2: more }), 'db2');
    await expect(to(PRIMARY + hot(220))).rejects.toMatchObject({
      details: { host: 'db1', found: 'db1 would start with max_connections 220 instead of 260' },
    });
    expect((await to(PRIMARY + hot(220, 260))).to.host).toBe('db2');
  });

  it('is promoted by a failover, which says who will pause', async () => {
    const answers = { db1: STOPPED, db2: more, db3: STANDBY + hot(220) };
    const { choice, notes } = await plan(answers, { to: 'db2' });
    expect(choice.candidate.host).toBe('db2');
    expect(notes.join('\n')).toContain('db3 runs with max_connections 220 instead of 260');
  });
});

describe('a switchover with an archive', () => {
  const backup = { host: 'pool1' } as NonNullable<Cluster['postgres']['backup']>;
  const archiving: Cluster = { ...cluster, postgres: { ...cluster.postgres, backup } };
  const answers = { db1: PRIMARY, db2: STANDBY };
  const first = "see that the archive takes db1's WAL now: stopping waits for it";

  it('sees first that it takes WAL, unless --force is given', async () => {
    const plain = await switchoverOf(archiving, reached(answers), 'db2');
    expect(plain.archiveFirst).toBe(true);
    expect(plain.steps).toContain(first);
    expect(plain.steps.indexOf(first)).toBeLessThan(
      plain.steps.indexOf('hold all clients back at every PgBouncer'),
    );
    const forced = await switchoverOf(archiving, reached(answers), 'db2', true);
    expect(forced.archiveFirst).toBe(false);
    expect(forced.steps.join()).not.toContain(first);
    expect(forced.steps.join()).toContain('however long its archive takes');
    const none = await switchoverOf(cluster, reached(answers), 'db2');
    expect(none.archiveFirst).toBe(false);
  });
});

describe('a backup that is being made of the primary', () => {
  it('is named before the primary is stopped', async () => {
    const backedUp = { db1: 'data no 1 0 7\nlive t 0/5000 0 0 f t\n', db2: STANDBY, db3: STANDBY };
    const note =
      'a backup of db1 is being made, and breaks off when that stops: wait for its end, or make it again (`odoo-prov backup FILE`)';
    expect((await switchoverOf(cluster, reached(backedUp), 'db2')).notes).toEqual([note]);
    expect((await plan(backedUp, { force: true })).notes).toContain(note);
    const idle = { ...backedUp, db1: PRIMARY };
    expect((await switchoverOf(cluster, reached(idle), 'db2')).notes).toEqual([]);
  });
});

describe('a switchover with synchronous replication', () => {
  it('says that commits wait where the old primary is the only standby then', async () => {
    const { postgres } = cluster;
    const replication = { ...postgres.replication, synchronous: 'on' } as const;
    const synchronous: Cluster = { ...cluster, postgres: { ...postgres, replication } };
    const steps = async (answers: Readonly<Record<string, string>>): Promise<string> =>
      (await switchoverOf(synchronous, reached(answers), 'db2')).steps.join('\n');
    const waits = 'every commit waits until db1 follows';
    expect(await steps({ db1: PRIMARY, db2: STANDBY })).toContain(waits);
    expect(await steps({ db1: PRIMARY, db2: STANDBY, db3: STANDBY })).not.toContain(waits);
  });
});

describe('a rejoin', () => {
  const of = (answers: Readonly<Record<string, string>>, host?: string) =>
    planRejoin(cluster, reached(answers), host);
  const hostsOf = ({ rejoining }: RejoinPlan): readonly string[] =>
    rejoining.map(({ sight }) => sight.host);
  /** What a host with a primary's data says besides. */
  const folder = (words: string): string => `rejoin ${words} /var/lib/postgresql/17/main\n`;
  const OLD = STOPPED + folder('none no');
  const SAME = STOPPED.replace('no 1 0', 'no 2 2');

  it('copies everything where a standby lacks WAL that nobody has, once it is named', async () => {
    const waits = STANDBY.replace('0/5000 1', '0/5000 0') + folder('none no');
    const gone = `${waits}000000010000000000000004\n`;
    const stepsOf = async (db2: string): Promise<string | undefined> =>
      (await of({ db1: PRIMARY, db2 }, 'db2')).steps[0];
    expect(await stepsOf(gone)).toBe(
      'db2: stop PostgreSQL, copy everything from db1, keep the old data in a folder beside the new (nobody has the WAL that it needs, 000000010000000000000004)',
    );
    expect(await stepsOf(waits)).toBe('db2: stop PostgreSQL');
    await expect(of({ db1: PRIMARY, db2: gone })).rejects.toMatchObject({ reason: 'refused' });
  });

  it('is for data of an older timeline, and for a named standby that cannot follow', async () => {
    expect(hostsOf(await of({ db1: OLD, db2: AHEAD, db3: STANDBY }))).toEqual(['db1']);
    await expect(of({ db1: PRIMARY, db2: STANDBY })).rejects.toThrow('no old primary');
    await expect(of({ db1: OLD, db2: STANDBY })).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('starts PostgreSQL on db1') as string },
    });
    const idle = STANDBY.replace(/1\n$/, '0\n') + folder('none no');
    expect(hostsOf(await of({ db2: AHEAD, db3: idle }, 'db3'))).toEqual(['db3']);
    await expect(of({ db2: AHEAD, db3: idle })).rejects.toThrow('no old primary');
    const past = STANDBY.replace(/1\n$/, '0 0 t\n') + folder('none no');
    expect(hostsOf(await of({ db2: AHEAD, db3: past }))).toEqual(['db3']);
    // Every few seconds it asks for WAL of its own timeline, and looks like one that receives for a moment.
    const asking = past.replace('0 0 t', '1 0 t');
    expect(hostsOf(await of({ db2: AHEAD, db3: asking }))).toEqual(['db3']);
    const following = past.replace('0 0 t', '2 0 t');
    await expect(of({ db2: AHEAD, db3: following })).rejects.toThrow('no old primary');
    await expect(of({ db2: AHEAD, db3: STANDBY }, 'db1')).rejects.toThrow('no answer');
  });

  it('is for a standby that is stopped and cannot follow, or whose rejoin was cut while its rows were compared', async () => {
    const ahead = `${AHEAD}wal 2@0/5100 0@0/0 2 1@0/5000\n`;
    const stopped = (end: string, more = ''): string =>
      `data yes 1 0 7\ndown\nwal ${end} 0@0/0 0\n${more}${folder('none no')}`;
    const found = await of({ db1: stopped('1@0/5028'), db2: ahead, db3: STANDBY });
    expect(hostsOf(found)).toEqual(['db1']);
    expect(found.steps.join('\n')).toContain('db1: save the rows that only it has');
    // It has fetched WAL of the new timeline, which it cannot replay: its rows are on the old one.
    const fetched = stopped('1@0/5028').replace('data yes 1 0 7', 'data yes 1 2 7');
    const further = await of({ db1: fetched, db2: ahead, db3: STANDBY });
    expect(hostsOf(further)).toEqual(['db1']);
    const [one] = further.rejoining;
    expect(one && rowsOf(one, further.primary)).toMatchObject({ host: 'db1', timeline: 1 });
    // One that only receives nothing is on the primary's own.
    const follower = stopped('2@0/5028').replace('data yes 1 0 7', 'data yes 2 2 7');
    const idle = await of({ db1: follower, db2: ahead }, 'db1');
    expect(idle.rejoining.map((other) => rowsOf(other, idle.primary))).toEqual([undefined]);
    const cut = stopped('1@0/4000', 'compared\n');
    expect(hostsOf(await of({ db1: cut, db2: ahead, db3: STANDBY }))).toEqual(['db1']);
    await expect(of({ db1: stopped('1@0/4000'), db2: ahead })).rejects.toMatchObject({
      details: { remedy: expect.stringContaining('odoo-prov rejoin FILE --host db1') as string },
    });
  });

  it('says of each host what it has where the named one has nothing, and names those that have', async () => {
    const [waits, cut] = [folder('none no'), folder('rewinding:2 no')];
    const all = { db1: STOPPED + waits, db2: AHEAD, db3: SAME + cut };
    expect(hostsOf(await of(all))).toEqual(['db1', 'db3']);
    await expect(of(all, 'db2')).rejects.toMatchObject({
      details: {
        host: 'db2',
        found:
          'db1: a primary of an older timeline, 1 (db2: 2), PostgreSQL is stopped; db2: the primary; db3: a primary of the same timeline, PostgreSQL is stopped',
        remedy: '`odoo-prov rejoin FILE` takes db1, db3',
      },
    });
    const standby = STANDBY.replace('yes 1', 'yes 2').replace(/1\n$/, '2\n') + waits;
    await expect(of({ ...all, db3: standby }, 'db2')).rejects.toMatchObject({
      details: {
        found: expect.stringContaining('db3: a standby') as string,
        remedy: '`odoo-prov rejoin FILE` takes db1',
      },
    });
    // One that follows has nothing either.
    await expect(of({ ...all, db3: standby }, 'db3')).rejects.toMatchObject({
      details: { host: 'db3', remedy: '`odoo-prov rejoin FILE` takes db1' },
    });
  });

  it('says what it keeps', async () => {
    const { steps } = await of({ db1: OLD, db2: AHEAD });
    expect(steps.join('\n')).toContain('db1: save the rows that only it has');
    const neither = await planRejoin(cluster, reached({ db1: OLD, db2: AHEAD }), undefined, {
      rows: false,
      data: true,
      clone: false,
    });
    expect(neither.steps.join('\n')).toContain('do not look for rows');
    expect(neither.steps.join('\n')).toContain('keep a copy of all its data');
  });

  it('goes on where it was cut, also on data that has the new timeline already', async () => {
    const rewound = await of({ db1: SAME + folder('rewound no'), db2: AHEAD });
    expect(rewound.steps).toEqual(['db1: it has been rewound already', 'db1: follow db2']);
    for (const data of [STOPPED, SAME]) {
      const half = await of({ db1: data + folder('rewinding:2 no'), db2: AHEAD });
      expect(half.steps[0]).toContain('copy everything from db2, keep the old data');
    }
    // Promoted since: what the marker tells is over.
    const later = await of({ db1: OLD.replace('none', 'rewinding:0'), db2: AHEAD });
    expect(later.steps.join('\n')).toContain('pg_rewind');
  });

  it('copies everything to a rival that is stopped, where somebody names it', async () => {
    const rivals = { db1: SAME + folder('none no'), db2: AHEAD };
    await expect(of(rivals)).rejects.toMatchObject({
      details: { reason: 'refused', remedy: expect.stringContaining('--host db1') as string },
    });
    expect((await of(rivals, 'db1')).steps[0]).toContain('copy everything from db2');
    const running = AHEAD.replace('2 2', '2 1') + folder('none no');
    await expect(of({ db1: running, db2: AHEAD + folder('none no') }, 'db1')).rejects.toThrow(
      'no old primary',
    );
  });

  it('copies everything where that is asked for, also of a standby that follows; first it saves rows', async () => {
    const clone = { rows: true, data: false, clone: true };
    const standby = STANDBY.replace('yes 1', 'yes 2').replace(/1\n$/, '2\n') + folder('none no');
    const all = { db1: OLD, db2: AHEAD, db3: standby };
    const copy = 'copy everything from db2, keep the old data in a folder beside the new';
    const follows = await planRejoin(cluster, reached(all), 'db3', clone);
    expect(follows.steps).toEqual([`db3: stop PostgreSQL, ${copy}`, 'db3: follow db2']);
    const old = await planRejoin(cluster, reached(all), 'db1', clone);
    expect(old.steps).toEqual([
      'db1: stop PostgreSQL',
      'db1: save the rows that only it has (its data is started by itself for that)',
      `db1: ${copy}`,
      'db1: follow db2',
    ]);
    // What was copied already, and never ran, is not copied once more; what was rewound is.
    const again = (phase: string) =>
      planRejoin(cluster, reached({ ...all, db1: SAME + folder(`${phase} no`) }), 'db1', clone);
    expect((await again('copied')).steps[0]).toBe('db1: it has been copied already');
    expect((await again('rewound')).steps[0]).toBe(`db1: stop PostgreSQL, ${copy}`);
    // Nobody else is left for commits to wait for.
    const replication = { ...cluster.postgres.replication, synchronous: 'on' as const };
    const waiting = { ...cluster, postgres: { ...cluster.postgres, replication } };
    const { steps } = await planRejoin(waiting, reached(all), 'db3', clone);
    expect(steps[0]).toBe(
      'every commit on db2 waits until db3 follows again: no other standby does',
    );
  });

  it('is refused where old data cannot be renamed', async () => {
    for (const [word, text] of [
      ['mount', 'a mount point'],
      ['tablespaces', 'has tablespaces'],
      ['link', 'a symbolic link'],
    ] as const) {
      const refusal = of({ db1: STOPPED + folder(`none ${word}`), db2: AHEAD });
      await expect(refusal).rejects.toMatchObject({
        details: { reason: 'refused', host: 'db1', found: expect.stringContaining(text) as string },
      });
    }
  });
});
