import { describe, expect, it } from 'vitest';
import type { Runner } from '../../../src/batch/runner.js';
import { Failure } from '../../../src/failure/failure.js';
import { ApplyChannel } from '../../../src/run/apply-channel.js';
import { FailoverTestLock } from '../../../src/run/failover-test-lock.js';
import { LocalSession } from '../../support/local-session.js';

const ANN = { who: 'ann@laptop', version: '1.2.3', started: '2026-01-02T03:04:05Z' };
const BEN = { who: 'ben@desk', version: '1.2.3', started: '2026-01-02T04:00:00Z' };
const TEST = { ...ANN, failoverTest: 'a1' };
const NOTE = /^ann@laptop since 2026-01-02T03:04:05Z, odoo-prov 1\.2\.3, process \d+$/;

/** An apply that has a host, or why it does not get it. */
async function apply(session: LocalSession, runner: Runner): Promise<ApplyChannel | Failure> {
  const channel = new ApplyChannel(session, runner, {}, () => undefined);
  try {
    await channel.open();
    return channel;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

async function refused(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => new Error('it was not refused'),
    (why: unknown) => why,
  );
  if (error instanceof Failure) return error;
  throw error;
}

describe('the lock of a failover-test', () => {
  it('refuses a second one by the name of the first, until that has ended', async () => {
    const session = new LocalSession('a');
    const first = await FailoverTestLock.take(session, TEST);
    const { details } = await refused(
      FailoverTestLock.take(session, { ...BEN, failoverTest: 'b2' }),
    );
    expect(details).toMatchObject({ reason: 'run-lock', host: 'a' });
    expect(details.message).toBe('a failover-test runs on this host');
    expect(details.found).toMatch(NOTE);
    await first.release();
    await (await FailoverTestLock.take(session, { ...BEN, failoverTest: 'b2' })).release();
  });

  it("refuses an apply by name, lets the test's own through, and costs no exec", async () => {
    const session = new LocalSession('a');
    const lock = await FailoverTestLock.take(session, TEST);
    const other = await apply(session, BEN);
    if (other instanceof ApplyChannel) throw new Error('it was not refused');
    expect(other.details).toMatchObject({ reason: 'run-lock', host: 'a' });
    expect(other.details.found).toMatch(NOTE);
    expect(other.details.remedy).toContain('Ctrl-C where it runs');

    const execs = session.use.execs;
    const own = await apply(session, { ...ANN, failoverTest: 'a1' });
    if (own instanceof Failure) throw own;
    expect(session.use.execs).toBe(execs + 1);
    await own.close();

    await lock.release();
    const later = await apply(session, BEN);
    if (later instanceof Failure) throw later;
    await later.close();
  });

  it('is not had while a run changes the host', async () => {
    const session = new LocalSession('a');
    const run = await apply(session, BEN);
    if (run instanceof Failure) throw run;
    const { details } = await refused(FailoverTestLock.take(session, TEST));
    expect(details.message).toBe('another run is changing this host');
    expect(details.found).toMatch(/^ben@desk since /);
    await run.close();
    await (await FailoverTestLock.take(session, TEST)).release();
  });

  it('is taken over by the same test, whose connection was lost and is not yet missed', async () => {
    const session = new LocalSession('a');
    const lost = await FailoverTestLock.take(session, TEST);
    const anew = await FailoverTestLock.take(session, TEST);
    const other = await apply(session, BEN);
    expect(other).toBeInstanceOf(Failure);
    await lost.release();
    await anew.release();
  });
});
