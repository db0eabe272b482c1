import type { Report } from '../../src/failover-test/report.js';
import { printed, type ProgramEnd } from './program.js';

/** The report that `failover-test --json` printed. */
export function reportOf(end: ProgramEnd): Report {
  const [line = ''] = end.stdout.trim().split('\n').slice(-1);
  try {
    return JSON.parse(line) as Report;
  } catch {
    throw new Error(`no report: it ${printed(end)}`);
  }
}

/** The assertions that failed, as `scenario assertion`. */
export function failures(report: Report): readonly string[] {
  return [
    ...report.scenarios.flatMap(({ scenario, checks }) =>
      checks.filter(({ ok }) => !ok).map(({ id }) => `${scenario} ${id}`),
    ),
    ...report.afterwards.filter(({ ok }) => !ok).map(({ id }) => `afterwards ${id}`),
  ];
}
