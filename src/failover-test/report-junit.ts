import type { Check } from './check.js';
import { failedLines } from './report-text.js';
import { whyNothing, type Report } from './report.js';

/**
 * The report as JUnit's XML: a suite a scenario, a case an assertion; scenarios that were not run are skipped.
 * Cases are named by the assertion's id and host: programs compare them from run to run, so no figure is in them.
 */
export function reportToJunit(report: Report): string {
  const nothing = whyNothing(report);
  const suites = [
    ...report.scenarios.map(({ scenario, started, milliseconds, checks, verdict }) =>
      suite(
        scenario,
        verdict === 'interrupted' ? [...checks, INTERRUPTED] : checks,
        `timestamp="${started.slice(0, 19)}" time="${seconds(milliseconds)}"`,
      ),
    ),
    suite('afterwards', report.afterwards, ''),
    ...(nothing === undefined ? [] : [suite('run', [nothingTested(nothing)], '')]),
    ...report.skipped.map(
      ({
        scenario,
        why,
      }) => `  <testsuite name="${xml(scenario)}" tests="1" failures="0" skipped="1">
    <testcase classname="${xml(scenario)}" name="${xml(scenario)}"><skipped message="${xml(why)}"/></testcase>
  </testsuite>`,
    ),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="failover-test of ${xml(report.cluster)}">
${suites.join('\n')}
</testsuites>
`;
}

/** A run whose scenarios were all skipped is red, as its exit code. */
function nothingTested(found: string): Check {
  return {
    ...{ id: 'run.nothing', ok: false, text: 'at least one scenario was run', found },
    next: 'see why each was skipped, and mend that; or choose others',
  };
}

/** What is said of a scenario that was not finished, so that nobody takes it for passed. */
const INTERRUPTED: Check = {
  id: 'scenario.interrupted',
  ok: false,
  text: 'the scenario came to its end',
  found: 'it was interrupted',
  next: 'run it again',
};

function suite(name: string, checks: readonly Check[], attributes: string): string {
  const failures = checks.filter(({ ok }) => !ok).length;
  const names = namesOf(checks);
  const cases = checks.map((check, index) => {
    const head = `    <testcase classname="${xml(name)}" name="${xml(names[index] ?? check.id)}"`;
    if (check.ok) return `${head}/>`;
    return `${head}><failure message="${xml(check.found ?? '')}">${xml(failedLines(check).join('\n'))}</failure></testcase>`;
  });
  return `  <testsuite name="${xml(name)}" tests="${checks.length}" failures="${failures}" ${attributes}>
${cases.join('\n')}
  </testsuite>`;
}

/** `standby.streams db2`; the second one of a name gets a number. */
function namesOf(checks: readonly Check[]): readonly string[] {
  const seen = new Map<string, number>();
  return checks.map(({ id, host }) => {
    const name = host === undefined ? id : `${id} ${host}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** Text for XML and HTML, in elements and in attributes. */
export function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '�');
}
