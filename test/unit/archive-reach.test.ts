import { describe, expect, it } from 'vitest';
import { isBehindArchive, notArchived, requireReach } from '../../playbooks/archive-moment.js';
import { Failure } from '../../src/failure/failure.js';
import { archiveReach, lastArchived } from '../../src/postgres/archive-reach.js';
import { endIn } from '../../src/postgres/recovery-end.js';
import type { Recoverable, RecoveryPlan } from '../../src/postgres/recovery-plan.js';
import { testHost } from '../support/site.js';

const FIRST = '000000010000000000000002';
const LAST = '000000020000000000000005';

/** An archive of two timelines, whose last segment came at this time. */
function known(at?: number): Recoverable {
  return {
    info: {
      ...{ sets: [], archive: '17-1', systemIdentifier: '7', running: false },
      ...{ firstSegment: FIRST, lastSegment: LAST },
    },
    history: { points: [], setBacks: [] },
    timelines: new Map([[2, '1\t0/3000000\tbefore']]),
    segments:
      at === undefined
        ? []
        : [
            { first: FIRST, last: FIRST, at: 5000 },
            { first: LAST, last: LAST, at },
          ],
  };
}

describe('how far an archive reaches', () => {
  it('is by the time of the last segment, before which no transaction need have ended for a while', () => {
    expect(lastArchived(known(10_000))).toBe(10_000);
    expect(archiveReach(known(10_000), 9000, 2)).toBe('holds');
    expect(archiveReach(known(10_000), 9970, 2)).toBe('may hold');
    expect(archiveReach(known(10_000), 10_000, 2)).toBe('ends before');
  });

  it('is no question on a timeline that was left, nor where nobody could tell what is archived', () => {
    expect(archiveReach(known(10_000), 20_000, 1)).toBe('holds');
    expect(archiveReach(known(), 20_000, 2)).toBe('holds');
  });
});

describe('a moment behind the end of the archive', () => {
  const plan: RecoveryPlan = {
    set: {
      ...{ label: '20261122-010000F', type: 'full', timeline: 2, lsn: 1n, started: 1, stopped: 2 },
      ...{ segment: FIRST, size: 1, stored: 1 },
    },
    timeline: 2,
    options: [],
  };
  const behind = { type: 'time', at: 10_000 } as const;
  const primary = testHost('db1', 31, ['pg-primary']);

  /** What a restore in place says before it stops anything; the primary says this to whether it takes writes. */
  async function refusal(
    says: string,
    at: number = behind.at,
    archived = true,
  ): Promise<Failure['details'] | undefined> {
    const procedure = { ask: () => Promise.resolve(says) };
    const from = { primary, archived };
    try {
      await requireReach(procedure, known(10_000), plan, { type: 'time', at }, from);
      return undefined;
    } catch (error) {
      if (error instanceof Failure) return error.details;
      throw error;
    }
  }

  it('is one of a time only', () => {
    expect(isBehindArchive(known(10_000), plan, behind)).toBe(true);
    expect(isBehindArchive(known(10_000), plan, { type: 'time', at: 9999 })).toBe(false);
    expect(isBehindArchive(known(10_000), plan, { type: 'latest' })).toBe(false);
  });

  it('is refused in place unless the primary runs, and hands over what it wrote', async () => {
    expect(await refusal('yes\n')).toBeUndefined();
    expect(await refusal('', 9999)).toBeUndefined();
    expect(await refusal('')).toMatchObject({
      reason: 'refused',
      host: 'db1',
      message:
        'that moment cannot be restored: what was written then is not archived; nothing was stopped',
      expected: 'WAL of 1970-01-01 02:46:40+00 in the archive',
      found:
        'the archive ends before 1970-01-01 02:46:40+00; PostgreSQL there takes no writes, and hands nothing over',
      remedy: expect.stringMatching(/^if it can be started .* or earlier, or --latest$/) as string,
    });
    const other = await refusal('yes\n', behind.at, false);
    expect(other?.found).toContain('of another cluster than the archive');
    expect(other?.remedy).toBe(
      "What is there already: --to-time '1970-01-01 02:44:40+00' or earlier, or --latest",
    );
  });

  it('names the host that could bring it into the archive, or that keeps it', () => {
    const nothing = { untouched: 'nothing was copied', why: 'none takes writes' };
    const { details } = notArchived(known(10_000), 10_000, { host: 'backup1', ...nothing });
    expect(details).toMatchObject({ reason: 'refused', host: 'backup1' });
  });
});

describe('a recovery that broke off', () => {
  it('is told from others by what it said', () => {
    expect(
      endIn('the copy ended\nthe archive ends at 2026-11-22 13:05:00.5+00\nFATAL: recovery ended'),
    ).toBe('2026-11-22 13:05:00.5+00');
    expect(endIn('FATAL: could not connect')).toBeUndefined();
  });
});
