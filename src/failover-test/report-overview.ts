import { xml } from './report-junit.js';
import { countsText, secondsText } from './report-text.js';
import type { Report, ScenarioReport } from './report.js';
import type { UserFigures } from './users.js';

/** How verdicts are called in the HTML report. */
export const VERDICT_NAMES: Readonly<Record<ScenarioReport['verdict'], string>> = {
  survived: 'survived',
  recovered: 'outage, recovered',
  failed: 'failed',
  interrupted: 'interrupted',
};

/** The whole run in sentences for people who read nothing else: how many, the longest outage, what was lost. HTML. */
export function summaryHtml({ scenarios, skipped, verdict }: Report): string {
  const all = scenarios.length + skipped.length;
  const cut = verdict === 'interrupted' || scenarios.some((one) => one.verdict === 'interrupted');
  const sentences = [
    `${all} ${all === 1 ? 'scenario' : 'scenarios'}: ${countsText({ scenarios, skipped })}.`,
    ...longestOutage(scenarios, 'Writes', ({ figures }) => figures?.gaps.all),
    ...longestOutage(scenarios, "Odoo's users", ({ users }) => users?.gaps.all),
    `Lost${cut ? ' until it was interrupted' : ''}: ${lostText(scenarios)}.`,
  ];
  return `<p class="summary">${xml(sentences.join(' '))}</p>`;
}

function longestOutage(
  scenarios: readonly ScenarioReport[],
  who: string,
  gap: (scenario: ScenarioReport) => number | undefined,
): readonly string[] {
  const [most] = scenarios
    .flatMap((scenario) => {
      const length = gap(scenario);
      return length === undefined ? [] : [{ name: scenario.scenario, length }];
    })
    .sort((a, b) => b.length - a.length);
  if (most === undefined) return [];
  return [`${who} stood still for ${secondsText(most.length)} at most (${most.name}).`];
}

/** What users and writers had been told is done, and is not; or done twice. `nothing`, or a list. */
export function lostText(scenarios: readonly Pick<ScenarioReport, 'figures' | 'users'>[]): string {
  const sum = (of: (users: UserFigures) => number): number =>
    scenarios.reduce((total, { users }) => total + (users === null ? 0 : of(users)), 0);
  const losses: readonly (readonly [number, string])[] = [
    [scenarios.reduce((total, { figures }) => total + (figures?.lost.rows ?? 0), 0), 'writes'],
    [sum(({ recordsLost }) => recordsLost), 'records'],
    [sum(({ sessionsLost }) => sessionsLost), 'sessions'],
    [sum(({ messages }) => messages.lost), 'messages'],
    [sum(({ jobs }) => jobs.never), 'jobs never done'],
    [sum(({ jobs }) => jobs.twice), 'jobs done twice'],
    [sum(({ filesMissing }) => filesMissing), 'files missing'],
  ];
  const lost = losses.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return lost.length === 0 ? 'nothing' : lost.join(', ');
}

const COLUMNS = ['all waited', 'one waited', 'failed'];

/** A row a scenario: the verdict, how long writes and requests stood still, what failed and what was lost. HTML. */
export function overviewHtml({ scenarios, skipped, users: withUsers }: Report): string {
  const groups = withUsers > 0 ? ['Writes', "Requests of Odoo's users"] : ['Writes'];
  const rows = scenarios.map((report) => {
    const { scenario, title, verdict, figures, users } = report;
    const writes =
      figures === null
        ? COLUMNS.map(() => '')
        : [
            secondsText(figures.gaps.all),
            secondsText(figures.gaps.max),
            outOf(figures.refused + figures.unknown, figures.acknowledged),
          ];
    const requests =
      users === null
        ? COLUMNS.map(() => '')
        : [
            secondsText(users.gaps.all),
            secondsText(users.gaps.max),
            outOf(users.failed, users.answered),
          ];
    const cells = (withUsers > 0 ? [...writes, ...requests] : writes).map((cell, index) => {
      const what = `${index < COLUMNS.length ? 'writes' : 'requests'}: ${COLUMNS[index % COLUMNS.length] ?? ''}`;
      // A telephone has no room for the columns' heads.
      return `<td class="number" data-what="${what}">${cell}</td>`;
    });
    return `<tr><td><a href="#${scenario}">${scenario}</a><br><small>${xml(title)}</small></td><td class="${verdict}">${VERDICT_NAMES[verdict]}</td>${cells.join('')}<td data-what="lost:">${lostText([report])}</td></tr>`;
  });
  const width = COLUMNS.length * groups.length + 1;
  const missing = skipped.map(
    ({ scenario, why }) =>
      `<tr class="skipped"><td>${scenario}</td><td>skipped</td><td colspan="${width}">${xml(why)}</td></tr>`,
  );
  return `<div class="overview"><table><thead>
<tr><th rowspan="2">Scenario</th><th rowspan="2">Verdict</th>${groups.map((text) => `<th colspan="${COLUMNS.length}">${text}</th>`).join('')}<th rowspan="2">Lost</th></tr>
<tr>${groups.map(() => COLUMNS.map((text) => `<th class="number">${text}</th>`).join('')).join('')}</tr></thead>
<tbody>${[...rows, ...missing].join('\n')}</tbody></table></div>
<p class="legend"><b>Survived</b>: ${withUsers > 0 ? 'writers and users' : 'writers'} went on. <b>Outage, recovered</b>: they stopped, as they must where there is
only one of something, and went on within the limit. <b>All waited</b>: the longest time without a success of anybody; <b>one
waited</b>: the same of the client${withUsers > 0 ? ' or user who' : ' that'} waited longest. The limit (RTO) is
measured from the fault on, or from the healing on where only the host's return can end the outage; the time in which a person
decides for a failover is not in it. A client writes ten times a second${withUsers > 0 ? ', a user asks once a second' : ''}:
that much is no wait.</p>`;
}

function outOf(failed: number, succeeded: number): string {
  return `${failed} of ${failed + succeeded}`;
}
