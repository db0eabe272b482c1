import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  bytesText,
  chooseCandidate,
  lsnText,
  parseLsn,
  type Sight,
} from '../../src/postgres/promotion.js';
import { testCluster, testHost } from '../support/site.js';

const cluster = testCluster([
  testHost('db1', 1, ['pg-primary']),
  testHost('db2', 2, ['pg-standby']),
  testHost('db3', 3, ['pg-standby']),
  testHost('db4', 4, ['pg-replica']),
]);

function standby(host: string, lsn: number, change: Partial<Sight> = {}): Sight {
  return {
    ...{ host, lsn: BigInt(lsn), timeline: 1, systemIdentifier: '7' },
    ...{ hotStandby: {}, hotStandbyAtStart: {} },
    ...{
      running: true,
      stuck: false,
      handedOver: false,
      writable: false,
      standby: true,
      received: undefined,
      pastFork: false,
      dataTimeline: change.timeline ?? 1,
      compared: false,
      backingUp: false,
      replayPaused: false,
    },
    ...{ newest: undefined, fenced: false },
    ...change,
  };
}

const chosen = (sights: readonly Sight[], to?: string): string =>
  chooseCandidate(cluster, sights, to).candidate.host;

describe('who takes over', () => {
  it('is the standby that received most', () => {
    expect(chosen([standby('db2', 100), standby('db3', 200)])).toBe('db3');
  });

  it('is a standby before a replica that has a little more', () => {
    expect(chosen([standby('db2', 100), standby('db4', 200)])).toBe('db2');
    expect(chosen([standby('db4', 200)])).toBe('db4');
  });

  it('is whom the operator names', () => {
    expect(chosen([standby('db2', 100), standby('db4', 100)], 'db4')).toBe('db4');
  });

  it('is nobody who does not run, is on an older timeline, or is no standby', () => {
    for (const sight of [
      standby('db2', 1, { running: false }),
      standby('db2', 1, { standby: false, writable: true }),
    ]) {
      expect(() => chosen([sight])).toThrow('no standby that could take over');
    }
    const old = standby('db1', 1, { standby: false, running: false });
    const primary = standby('db2', 1, { standby: false, writable: true });
    const stopped = standby('db3', 1, { running: false });
    expect(() => chosen([old, primary, stopped])).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          remedy:
            'db2 is primary and takes writes. `odoo-prov rejoin FILE --host db1` makes db1 a standby; `odoo-prov apply FILE --limit db3` starts db3',
        }) as unknown,
      }),
    );
    expect(chosen([standby('db2', 900, { timeline: 1 }), standby('db3', 5, { timeline: 2 })])).toBe(
      'db3',
    );
  });

  it('is nobody who went on with an old primary, however much that is', () => {
    const past = standby('db3', 900, { timeline: 2, pastFork: true });
    expect(chosen([standby('db2', 5, { timeline: 2 }), past])).toBe('db2');
    expect(() => chosen([past], 'db3')).toThrow('it cannot take over');
    const last = standby('db2', 0, { timeline: 2, standby: false, running: false });
    expect(() => chosen([last, past])).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          remedy: '`odoo-prov apply FILE` starts db2, which was primary last',
        }) as unknown,
      }),
    );
    expect(() => chosen([{ ...last, fenced: true }, past])).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          remedy:
            'db2 was primary last and is fenced: bring back the host that has taken over from it; if that and all others are lost for good, `touch /run/odoo-prov/postgres-lone-start` on db2, with PostgreSQL stopped on the others, lets `odoo-prov apply FILE` start it',
        }) as unknown,
      }),
    );
  });

  it('is not one that cannot, whom the operator names: those that can are named', () => {
    const primary = standby('db1', 9, { standby: false, writable: true, timeline: 3 });
    const past = standby('db3', 5, { pastFork: true });
    const refusal = (remedy: string, found: string): unknown =>
      expect.objectContaining({
        details: expect.objectContaining({ remedy, found }) as unknown,
      });
    expect(() => chosen([primary, standby('db2', 5)], 'db1')).toThrow(
      refusal('nothing is to be done', 'it takes writes on timeline 3'),
    );
    const frozen = standby('db2', 5, { running: false, stuck: true });
    expect(() => chosen([frozen, standby('db4', 5)], 'db2')).toThrow(
      refusal(
        'choose db4 (a replica) with --to',
        'db2: a standby, running without an answer, timeline 1; db4: a standby, running, timeline 1',
      ),
    );
    expect(() => chosen([past, standby('db2', 5), standby('db4', 5)], 'db3')).toThrow(
      refusal(
        'choose db2 or db4 (a replica) with --to',
        'db3: a standby, running, timeline 1, past the point where it began; db2: a standby, running, timeline 1; db4: a standby, running, timeline 1',
      ),
    );
  });

  it('is nobody where the inventory has but one database host, which is no outage of a standby', () => {
    const alone = testCluster([testHost('db1', 1, ['pg-primary'])]);
    const primary = standby('db1', 9, { standby: false, writable: true });
    expect(() => chooseCandidate(alone, [primary], undefined)).toThrow(
      'this cluster has no standby',
    );
  });

  it('is nobody where the only standby does not answer, and that one is named', () => {
    const primary = standby('db1', 9, { standby: false, writable: true });
    expect(() => chooseCandidate(cluster, [primary], undefined, ['db2'])).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          found: "db1: a primary's data, running, timeline 1; db2: no answer",
        }) as unknown,
      }),
    );
  });

  it('is one that lacks something of a standby that is stopped, and says so; by choice only if that is much', () => {
    const stopped = standby('db1', 200, { running: false });
    expect(chooseCandidate(cluster, [stopped, standby('db2', 100)], undefined)).toMatchObject({
      candidate: { host: 'db2' },
      ...{ behind: 100n, most: { host: 'db1' } },
      others: [],
    });
    // Another one that runs has as much, and hands it over.
    const as = [stopped, standby('db2', 100), standby('db3', 200)];
    expect(chooseCandidate(cluster, as, 'db2')).toMatchObject({ most: { host: 'db3' } });
    const far = standby('db1', 18 * 1024 ** 2, { running: false });
    expect(() => chosen([far, standby('db2', 100)])).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          remedy:
            'start PostgreSQL on db1 (there: systemctl restart postgresql), then run this again. If it does not start: --to db2 goes on without it, and `odoo-prov rejoin FILE --host db1` saves later what only it has',
        }) as unknown,
      }),
    );
    expect(chosen([far, standby('db2', 100)], 'db2')).toBe('db2');
    // What went on with an old primary is no measure.
    expect(chosen([{ ...far, pastFork: true }, standby('db2', 100)])).toBe('db2');
    expect(chosen([{ ...far, timeline: 0 }, standby('db2', 100)])).toBe('db2');
  });

  it('is not one that lacks more than the limit', () => {
    const far = 17 * 1024 ** 2;
    expect(() => chosen([standby('db2', 0), standby('db3', far)], 'db2')).toThrow(
      'it lacks 17.0 MB of WAL that db3 has',
    );
  });
});

test('a WAL location is a number of bytes, in order', () => {
  expect(parseLsn('1/A')).toBe((1n << 32n) + 10n);
  expect(lsnText((1n << 32n) + 10n)).toBe('1/A');
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (lsn) => {
      expect(parseLsn(lsnText(lsn))).toBe(lsn);
    }),
  );
});

test('bytes are said in their unit', () => {
  expect([0n, 1536n, 5n * 1024n ** 3n].map(bytesText)).toEqual(['0 bytes', '1.5 kB', '5.0 GB']);
});
