import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { catchUp, CATCH_UP_SECONDS, fetchFrom } from '../../playbooks/primary/catch-up.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import type { Choice, Sight } from '../../src/postgres/promotion.js';
import type { Answer, Session } from '../../src/transport/session.js';
import { testCluster, testHost } from '../support/site.js';

const hosts = [
  testHost('db1', 1, ['pg-primary']),
  testHost('db2', 2, ['pg-standby']),
  testHost('db3', 3, ['pg-standby']),
  testHost('db4', 4, ['pg-replica']),
];

function sight(host: string, lsn: bigint): Sight {
  return { host, lsn, running: true, standby: true } as Sight;
}

function choice(others: readonly Sight[]): Choice {
  const candidate = sight('db2', 100n);
  const [most = candidate] = others;
  return { candidate, most, others, behind: most.lsn - candidate.lsn };
}

/** What is told where the script ends so on db2, and who cannot follow. */
async function caughtUp(
  most: string | readonly Sight[],
  answer: Partial<Answer>,
  synchronous: Cluster['postgres']['replication']['synchronous'],
): Promise<{ readonly ahead: readonly string[]; readonly told: string }> {
  const plain = testCluster(hosts).postgres;
  const replication = { ...plain.replication, synchronous };
  const cluster = testCluster(hosts, { postgres: { ...plain, replication } });
  const run = (): Promise<Answer> =>
    Promise.resolve({ code: 0, stdout: '', stderr: '', ...answer });
  const session = { host: hosts[1], run } as unknown as Session;
  const told: string[] = [];
  const mover = {
    cluster,
    sessions: new Map([['db2', session]]),
    tell: (host: string, text: string) => void told.push(`${host}: ${text}`),
  };
  const others = typeof most === 'string' ? [sight(most, 356n)] : most;
  const ahead = (await catchUp(mover, choice(others))).map(({ host }) => host);
  return { ahead, told: told.join('\n') };
}

const LATE = { stdout: 'late\n' };
const BROKEN = { code: 3, stderr: 'psql: error: permission denied\n' };

describe('a standby that lacks what another one has', () => {
  it('is promoted when it has it', async () => {
    expect(await caughtUp('db3', {}, 'on')).toEqual({
      ahead: [],
      told: 'db2: fetched 256 bytes of WAL that only db3 had',
    });
  });

  it.each([
    ['a replica, for which nobody waits', 'db4', 'on'],
    ['a standby, and no commit waited for it', 'db3', 'off'],
  ] as const)(
    'is promoted without where that is %s, and it is told what is lost',
    async (_, most, synchronous) => {
      const late = await caughtUp(most, LATE, synchronous);
      expect(late.ahead).toEqual([most]);
      expect(late.told).toContain(`only ${most} had (not within 15 s), and goes on without`);
      const broken = await caughtUp(most, BROKEN, synchronous);
      expect(broken.ahead).toEqual([most]);
      expect(broken.told).toContain('(psql: error: permission denied), and goes on without');
      expect(broken.told).toContain(`odoo-prov rejoin FILE --host ${most}`);
    },
  );

  it('is not promoted without what may have been acknowledged', async () => {
    for (const answer of [LATE, BROKEN]) {
      await expect(caughtUp('db3', answer, 'on')).rejects.toMatchObject({
        details: { remedy: expect.stringContaining('odoo-prov failover FILE --to db3') as string },
      });
    }
  });

  it('is not promoted without that either where a replica has as much as the standby, or more', async () => {
    for (const replica of [356n, 400n]) {
      const others = [sight('db4', replica), sight('db3', 356n)];
      await expect(caughtUp(others, LATE, 'on')).rejects.toMatchObject({
        details: { remedy: expect.stringContaining('odoo-prov failover FILE --to db3') as string },
      });
    }
    // A standby that has no more than the one to be promoted has acknowledged nothing beyond it.
    const others = [sight('db4', 400n), sight('db3', 100n)];
    expect((await caughtUp(others, LATE, 'on')).ahead).toEqual(['db4']);
  });

  it('waits no longer than it may, and then receives from its primary again', () => {
    expect(CATCH_UP_SECONDS).toBe(15);
    const run = (answer: string): readonly string[] => {
      const { stdout, stderr } = spawnSync('sh', [
        '-euc',
        `sql() { text=$(cat); printf '%s\n' "$text" >&2; case $text in *greatest*) echo ${answer} ;; esac; }
${fetchFrom('198.51.100.3', '0/164', 1)}`,
      ]);
      return `${stdout.toString()}${stderr.toString()}`.trim().split('\n');
    };
    const late = run('f');
    expect(late).toContain('late');
    expect(late).toContain('alter system reset primary_conninfo;');
    const there = run('t');
    expect(there).not.toContain('late');
    expect(there.join('\n')).toContain("'host=198.51.100.3'");
  });

  it('receives from its primary again also where its server says no', () => {
    const script = `sql() { text=$(cat); echo "$text" >&2; case $text in *format*) return 1 ;; esac; }
${fetchFrom('198.51.100.3', '0/164', 1)}`;
    const { status, stderr } = spawnSync('sh', ['-euc', script]);
    expect(status).not.toBe(0);
    expect(stderr.toString()).toContain('alter system reset primary_conninfo');
  });
});
