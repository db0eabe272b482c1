import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/status/rules.js';
import { STOPPED_DATABASES } from './recorded.js';
import { db1, front, pool1, seen } from './statuses.js';

const TESTER = 'tested root@ops since 2026-11-30T02:00:00.000Z, odoo-prov 1.0.0, process 7';

/** Alerts of a cluster whose standby is down, and tells this of tests. */
function told(failoverTest: string): readonly string[] {
  const standby = front('down', { databases: STOPPED_DATABASES, failoverTest });
  return judge(seen(db1(), standby)).alerts.map((a) => `${a.severity} ${a.id}: ${a.message}`);
}

describe('what a failover-test breaks', () => {
  it('is told before the outage, once for all hosts, as a warning', () => {
    const [first, ...others] = told(`${TESTER}\narmed standby-down 170\n`);
    expect(first).toBe(
      'warning failover-test.runs: a failover-test runs on front and breaks things there on purpose: root@ops since 2026-11-30T02:00:00.000Z, odoo-prov 1.0.0',
    );
    // Each host has a shell of its own for the same test.
    const primary = db1(undefined, { failoverTest: TESTER.replace('process 7', 'process 9') });
    const standby = front(undefined, { failoverTest: TESTER });
    expect(judge(seen(primary, standby)).alerts.map(({ message }) => message)).toEqual([
      expect.stringContaining('a failover-test runs on db1 and front and breaks things'),
    ]);
    expect(others.some((line) => line.startsWith('problem postgres.down'))).toBe(true);
    expect(others.join()).not.toContain('failover-test');
  });

  it('is told with the time of its healing where the test was killed', () => {
    expect(told('armed standby-down 42\n')[0]).toBe(
      'warning failover-test.left: a failover-test that was killed has left standby-down broken on front; it heals by itself in 42 s',
    );
    expect(told('armed standby-down none\n')[0]).toBe(
      'warning failover-test.left: a failover-test that was killed has left standby-down broken on front; its timer could not heal it',
    );
  });

  it('is not told where there is none', () => {
    expect(told('').join()).not.toContain('failover-test');
    expect(judge(seen(db1(), front(), pool1())).alerts.map(({ id }) => id)).not.toContain(
      'failover-test.runs',
    );
  });
});
