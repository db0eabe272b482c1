import { describe, expect, it } from 'vitest';
import { pausingText, requireEnough } from '../../playbooks/primary/enough-settings.js';
import { Failure } from '../../src/failure/failure.js';
import type { Sight } from '../../src/postgres/promotion.js';

/** @param connections with which it runs; @param atStart with which it would start again */
function sight(host: string, connections: number, atStart = connections): Sight {
  return {
    ...{ host, writable: host === 'db1', standby: host !== 'db1', running: true, stuck: false },
    ...{ fenced: false, timeline: 1, dataTimeline: 1, lsn: 0n, newest: undefined, received: 1 },
    ...{
      pastFork: false,
      handedOver: false,
      compared: false,
      backingUp: false,
      replayPaused: false,
      systemIdentifier: '7',
    },
    hotStandby: { max_connections: connections, max_wal_senders: 10 },
    hotStandbyAtStart: { max_connections: atStart, max_wal_senders: 10 },
  };
}

function refusal(from: Sight, to: Sight, others: readonly Sight[] = []): Failure['details'] {
  try {
    requireEnough({ from, to, others });
  } catch (error) {
    if (error instanceof Failure) return error.details;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a switchover to a standby with more than the others', () => {
  it('is refused, with all hosts, the setting and both values', () => {
    const { reason, host, message, found, remedy } = refusal(sight('db1', 220), sight('db2', 260), [
      sight('db3', 240),
      sight('db4', 260),
    ]);
    expect([reason, host]).toEqual(['refused', 'db1']);
    expect(message).toBe(
      'it could not follow db2, which has more of settings of which a standby needs as much as its primary',
    );
    expect(found).toBe(
      'db1 would start with max_connections 220 instead of 260; db3 runs with max_connections 240 instead of 260',
    );
    expect(remedy).toContain('`odoo-prov apply FILE`:');
    expect(remedy).toContain('a switchover restarts it');
  });

  it('goes on where the old primary takes as much in when it is started again', () => {
    const [from, to] = [sight('db1', 220, 260), sight('db2', 260)];
    expect(() => requireEnough({ from, to, others: [] })).not.toThrow();
    expect(refusal(from, to, [sight('db3', 220)]).found).toBe(
      'db3 runs with max_connections 220 instead of 260',
    );
  });

  it('is refused where the old primary would start with less than it had itself', () => {
    const { found, remedy } = refusal(sight('db1', 260, 100), sight('db2', 260));
    expect(found).toBe('db1 would start with max_connections 100 instead of 260');
    expect(remedy).toContain('`odoo-prov apply FILE --restart-primary`');
  });

  it('is refused where the standby has less than its primary: it would end', () => {
    expect(refusal(sight('db1', 260), sight('db2', 220))).toMatchObject({
      host: 'db2',
      found: 'max_connections 220 instead of 260',
      remedy: '`odoo-prov apply FILE` restarts db2 with as much; then run this again',
    });
  });

  it('says nothing of servers that did not tell theirs', () => {
    const silent = { ...sight('db1', 0), hotStandby: {}, hotStandbyAtStart: {} };
    const move = { from: silent, to: sight('db2', 260), others: [{ ...silent, host: 'db3' }] };
    expect(() => requireEnough(move)).not.toThrow();
  });
});

it('a failover tells who pauses, and holds nothing up for it', () => {
  expect(pausingText(sight('db2', 260), [sight('db3', 220), sight('db4', 260)])).toEqual([
    'db3 runs with max_connections 220 instead of 260, as db2 has it: it receives from db2 and replays nothing until the apply that follows has restarted it with as much',
  ]);
});
