import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lookUntilHealthy, type Seen } from '../../../playbooks/failover-test/health.js';

/** Milliseconds; only waiting makes them pass. */
const clock = vi.hoisted(() => ({ now: 0 }));
vi.mock('node:timers/promises', () => ({
  setTimeout: (milliseconds: number) => {
    clock.now += milliseconds;
    return Promise.resolve();
  },
}));
beforeEach(() => vi.spyOn(performance, 'now').mockImplementation(() => clock.now));
afterEach(() => vi.restoreAllMocks());

/** A cluster whose standby does not stream; without any primary where none is given. */
function unwell(primary: string | null): Seen {
  const database = { primary, members: [{ host: 'db1', state: 'down', slot: null }] };
  return { status: { database }, alerts: [], problems: [] } as unknown as Seen;
}

/** Waits as after Ctrl-C. @returns the seconds that it took, and what was told */
async function wait(
  primary: string | null,
  { seconds, stopped }: { readonly seconds: number; readonly stopped: boolean },
): Promise<{ readonly took: number; readonly told: readonly string[] }> {
  const told: string[] = [];
  const began = performance.now();
  await lookUntilHealthy(() => Promise.resolve(unwell(primary)), {
    ...{ seconds, secondsStopped: 1, tell: (text: string) => void told.push(text) },
    stop: stopped ? AbortSignal.abort() : new AbortController().signal,
  });
  return { took: (performance.now() - began) / 1000, told };
}

describe('waiting for a healthy cluster', () => {
  it('is short after Ctrl-C, and says what is waited for', async () => {
    const { took, told } = await wait('db2', { seconds: 60, stopped: true });
    expect(took).toBeLessThan(10);
    expect(told).toEqual(['waiting 1 s at most for the cluster to be healthy: db1: down']);
  });

  it('is not cut short where nobody is primary yet', async () => {
    const { took } = await wait(null, { seconds: 3, stopped: true });
    expect(took).toBeGreaterThan(2.9);
  });

  it('takes its time otherwise, without a word at first', async () => {
    const { took, told } = await wait('db2', { seconds: 3, stopped: false });
    expect(took).toBeGreaterThan(2.9);
    expect(told).toEqual([]);
  });

  it('tells what it waits for after 15 s, and every 30 s again, with the seconds that are left', async () => {
    const { told } = await wait('db2', { seconds: 80, stopped: false });
    expect(told).toEqual(
      [65, 35, 5].map(
        (left) => `waiting ${String(left)} s at most for the cluster to be healthy: db1: down`,
      ),
    );
  });
});
