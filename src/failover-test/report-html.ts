import type { Check } from './check.js';
import { errorsText } from './error-words.js';
import { xml } from './report-junit.js';
import { overviewHtml, summaryHtml, VERDICT_NAMES } from './report-overview.js';
import { REPORT_STYLE } from './report-style.js';
import { secondsText } from './report-text.js';
import { whyNothing, type Report, type ScenarioReport } from './report.js';
import type { Expectation } from './scenario.js';
import { timelineSvg } from './timeline-svg.js';

/** The report as one HTML file that needs nothing else: for those who were not there. */
export function reportToHtml(report: Report): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${xml(`Failover test of ${report.cluster}: ${report.verdict}`)}</title>
<style>${REPORT_STYLE}</style></head><body>
<h1>Failover test of ${xml(report.cluster)}</h1>
<p class="verdict ${report.verdict}">${verdictText(report)}</p>
${summaryHtml(report)}
${factsOf(report)}
${overviewHtml(report)}
${afterwardsOf(report)}
${report.scenarios.map(scenarioOf).join('\n')}
${legendOf(report)}
</body></html>
`;
}

const VERDICTS: Readonly<Record<Report['verdict'], string>> = {
  passed: 'Passed: everything that was broken behaved as this cluster promises.',
  failed: 'Failed: see below what did, and what to do about it.',
  interrupted:
    'Interrupted before its end: this is no verdict. How the cluster was left stands under Afterwards.',
};

function verdictText(report: Report): string {
  const nothing = whyNothing(report);
  return nothing === undefined ? VERDICTS[report.verdict] : `Failed: ${nothing}.`;
}

function factsOf(report: Report): string {
  const { limits, synchronous, hosts, started, ended, clients, users, version } = report;
  const { rto, rpo, gap, failedRequests } = limits;
  const rows: readonly (readonly [string, string])[] = [
    ['When', `${moment(started)} to ${moment(ended)} (UTC), odoo-prov ${version}`],
    [
      'Load',
      `${clients} clients that write through PgBouncer, ten rows a second each; ${usersOf(report)}`,
    ],
    ['Replication', synchronous === 'off' ? 'asynchronous' : `synchronous (${synchronous})`],
    [
      'Limits',
      `back within ${rto} s (RTO); a failover may lose ${rpo} s (RPO); what survives makes nobody wait for more than ${gap} s${users === 0 ? '' : `, and ${failedRequests} requests fail at most`}`,
    ],
    [
      'Hosts',
      hosts.map(({ host, roles }) => `${host} (${roles.join(', ') || 'backup'})`).join(', '),
    ],
  ];
  return `<dl>${rows.map(([name, text]) => `<dt>${name}</dt><dd>${xml(text)}</dd>`).join('')}</dl>`;
}

/** The users, or why there are none. */
function usersOf({ users, withoutOdoo }: Report): string {
  return users === 0
    ? `no users of Odoo: ${withoutOdoo ?? ''}`
    : `${users} users who work in Odoo through the edges, one request a second each; one who logs in again and again, one who loads a page every second, one who sends messages and asks for jobs, two who listen`;
}

function afterwardsOf({ afterwards }: Report): string {
  return `<h2>Afterwards</h2>${checksOf(afterwards, ' open')}`;
}

function scenarioOf(report: ScenarioReport): string {
  const { scenario, title, verdict, marks, checks, figures, users } = report;
  const errors = errorsText(figures?.errors ?? {});
  const told = errorsText(users?.errors ?? {});
  const happened = marks.map(
    ({ at, kind, host, text }) =>
      `<li class="${kind}"><span>${secondsText(at)}</span> ${xml(`${host}: ${text}`)}</li>`,
  );
  return `<section id="${scenario}"><h2>${scenario} <span class="${verdict}">${VERDICT_NAMES[verdict]}</span></h2>
<p>${xml(capital(title))}. ${expectedOf(report)}</p>
<div class="wide">${timelineSvg(report)}</div>
<ol>${happened.join('\n')}</ol>
${checksOf(checks)}
${errors === '' ? '' : `<p><small>What clients were told: ${xml(errors)}.</small></p>`}
${told === '' ? '' : `<p><small>What users were told: ${xml(told)}.</small></p>`}
</section>`;
}

function expectedOf({ expectation, usersExpectation }: ScenarioReport): string {
  const forUsers =
    usersExpectation === undefined ? '' : ` For users: ${expectedText(usersExpectation)}.`;
  return `Expected: ${expectedText(expectation)}.${forUsers}`;
}

/** HTML. */
function expectedText({ kind, why }: Expectation): string {
  return `<b>${kind === 'survives' ? 'survives' : 'outage, recovers'}</b>, because ${xml(why)}`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** What failed, and what to do; what holds is folded away. */
function checksOf(checks: readonly Check[], folded: '' | ' open' = ''): string {
  const failed = checks.flatMap(({ ok, text, found, next }) =>
    ok
      ? []
      : [
          `<li class="bad">${xml(text)}<br>found: <b>${xml(found ?? 'otherwise')}</b>${next === undefined ? '' : `<br>next: ${xml(next)}`}</li>`,
        ],
  );
  const held = checks.flatMap(({ ok, text }) => (ok ? [`<li class="ok">${xml(text)}</li>`] : []));
  const bad = failed.length === 0 ? '' : `<ul class="checks">${failed.join('\n')}</ul>`;
  return `${bad}<details${folded}><summary>${held.length} of ${checks.length} assertions hold</summary><ul class="checks">${held.join('\n')}</ul></details>`;
}

function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** What the chart's colours are. */
function legendOf({ users }: Report): string {
  const [requests, logins] =
    users === 0
      ? ['', '']
      : [', or requests answered,', ' In the first seconds of each scenario the users log in.'];
  return `<p class="legend colours"><i class="saved"></i> writes saved${requests} in a second <i class="failed"></i> those that failed
<i class="gap"></i> times of a second or more in which nobody could. Numbered lines are what happened, red: broken, green: healed.${logins}</p>`;
}
