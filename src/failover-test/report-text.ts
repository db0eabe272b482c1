import type { Check } from './check.js';
import { whyNothing, type Mark, type Report, type ScenarioReport } from './report.js';
import type { Expectation } from './scenario.js';

/** The expectation as the verdict names it. */
export function expectationText({ kind, why }: Expectation): string {
  return `${kind === 'survives' ? 'survives' : 'outage, recovers'}: ${why}`;
}

/** A thing that happened, with the seconds since its scenario began. */
export function markLine({ at, host, text }: Mark): string {
  return `${(at / 1000).toFixed(1).padStart(7)} s  ${host}: ${text}`;
}

/** What came of a scenario: the verdict with its figures, and each assertion that failed. */
export function scenarioLines(report: ScenarioReport): readonly string[] {
  const users = usersText(report);
  return [
    `${verdictText(report)}  ${figuresText(report)}`,
    ...(users === undefined ? [] : [`           ${users}`]),
    ...report.checks.flatMap(failedLines),
  ];
}

/** `recovered` and not `survived` where writes stood still. */
function verdictText({ verdict }: ScenarioReport): string {
  switch (verdict) {
    case 'survived':
      return 'survived ';
    case 'recovered':
      return 'outage, recovered';
    case 'failed':
      return 'FAILED   ';
    case 'interrupted':
      return 'interrupted';
  }
}

function figuresText({ figures }: ScenarioReport): string {
  if (figures === null) return '';
  const { gaps, acknowledged, refused, unknown, lost } = figures;
  return [
    `no write for ${secondsText(gaps.all)} (a client: p50 ${secondsText(gaps.p50)}, max ${secondsText(gaps.max)})`,
    `${acknowledged} saved, ${refused + unknown} failed, ${lost.rows} lost`,
  ].join('; ');
}

/** What Odoo's users felt; undefined where they are no part of the test. */
function usersText({ users }: ScenarioReport): string | undefined {
  if (users === null) return undefined;
  const { gaps, answered, failed, logins, sessionsLost, messages, jobs, filesMissing } = users;
  return [
    `no answer for ${secondsText(gaps.all)} (a user: p50 ${secondsText(gaps.p50)}, max ${secondsText(gaps.max)})`,
    `${answered} requests answered, ${failed} failed (${logins.failed} of them logins)`,
    `${sessionsLost} sessions lost`,
    `${messages.sent} messages, ${messages.lost} lost, at most ${secondsText(messages.longest)} late`,
    `${jobs.asked} jobs, ${jobs.never} never done, ${jobs.twice} twice`,
    `${filesMissing} files missing`,
  ].join('; ');
}

/** A failed assertion: expected, found, what to do. */
export function failedLines(check: Check): readonly string[] {
  if (check.ok) return [];
  return [
    `  ${check.id}`,
    `    expected  ${check.text}`,
    ...(check.found ?? '')
      .split('\n')
      .map((line, index) => `    ${index === 0 ? 'found     ' : '          '}${line}`),
    ...(check.next === undefined ? [] : [`    next      ${check.next}`]),
  ];
}

/** The end of a run, on a few lines. */
export function summaryLines(report: Report): readonly string[] {
  return [
    ...report.afterwards.flatMap(failedLines),
    `${report.cluster}: ${report.verdict}. ${countsText(report)}.${leftText(report)}${nothingText(report)}`,
    ...primaryLines(report),
  ];
}

/** Who is primary, where that is in doubt: after Ctrl-C, or where it was not moved back. With the way back. */
function primaryLines({ primary: { before, now }, wayBack, verdict }: Report): readonly string[] {
  if (now === before) return verdict === 'interrupted' ? [`${now} is primary, as before.`] : [];
  return [
    `${now ?? 'nobody'} is primary; ${before} was, before. The way back, in this order:`,
    ...wayBack.map((step, index) => `${String(index + 1).padStart(3)}  ${step}`),
  ];
}

/** How many scenarios came to what; those that did not pass by their names. */
export function countsText({ scenarios, skipped }: Pick<Report, 'scenarios' | 'skipped'>): string {
  const of = (verdict: ScenarioReport['verdict']): readonly ScenarioReport[] =>
    scenarios.filter((one) => one.verdict === verdict);
  const named = (
    verdict: string,
    some: readonly Pick<ScenarioReport, 'scenario'>[],
  ): readonly string[] =>
    some.length === 0 ? [] : [`${some.length} ${verdict}${namesText(some)}`];
  return [
    `${of('survived').length} survived`,
    `${of('recovered').length} had an outage and recovered`,
    ...named('failed', of('failed')),
    ...named('interrupted', of('interrupted')),
    ...named('skipped', skipped),
  ].join(', ');
}

/** Why a run failed in which no scenario was run. */
function nothingText(report: Report): string {
  const nothing = whyNothing(report);
  return nothing === undefined ? '' : ` ${nothing.charAt(0).toUpperCase()}${nothing.slice(1)}.`;
}

/** Why a run failed in which no scenario did. */
function leftText({ afterwards }: Report): string {
  const otherwise = afterwards.filter(({ ok }) => !ok).map(({ id }) => id);
  return otherwise.length === 0 ? '' : ` Not as it was before: ${otherwise.join(', ')}.`;
}

/** Their names in brackets, after their number; nothing where there is none. */
function namesText(scenarios: readonly { readonly scenario: string }[]): string {
  return scenarios.length === 0 ? '' : ` (${scenarios.map(({ scenario }) => scenario).join(', ')})`;
}

/** Milliseconds as seconds, to the tenth. */
export function secondsText(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
