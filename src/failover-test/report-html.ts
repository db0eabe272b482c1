import type { Check } from './check.js';
import { xml } from './report-junit.js';
import { expectationText, secondsText } from './report-text.js';
import type { Report, ScenarioReport } from './report.js';
import { timelineSvg } from './timeline-svg.js';

/** The report as one HTML file that needs nothing else: for those who were not there. */
export function reportToHtml(report: Report): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${xml(`Failover test of ${report.cluster}: ${report.verdict}`)}</title>
<style>${STYLE}</style></head><body>
<h1>Failover test of ${xml(report.cluster)}</h1>
<p class="verdict ${report.verdict}">${VERDICTS[report.verdict]}</p>
${factsOf(report)}
${tableOf(report)}
${afterwardsOf(report)}
${report.scenarios.map(scenarioOf).join('\n')}
${LEGEND}
</body></html>
`;
}

const VERDICTS: Readonly<Record<Report['verdict'], string>> = {
  passed: 'Passed: everything that was broken behaved as this cluster promises.',
  failed: 'Failed: see below what did, and what to do about it.',
  interrupted: 'Interrupted: what was broken has been healed; this is no verdict.',
};

const NAMES: Readonly<Record<ScenarioReport['verdict'], string>> = {
  survived: 'survived',
  recovered: 'outage, recovered',
  failed: 'failed',
  interrupted: 'interrupted',
};

function factsOf(report: Report): string {
  const { limits, synchronous, hosts, started, ended, clients, version } = report;
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
      `back within ${rto} s (RTO); a failover may lose ${rpo} s (RPO); what survives makes nobody wait for more than ${gap} s, and ${failedRequests} requests fail at most`,
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
    : `${users} users who work in Odoo through the edges, one request a second each; one who logs in again and again, one who sends messages and asks for jobs, two who listen`;
}

const WRITE_COLUMNS = ['Nobody could write', 'A client: longest', 'Saved', 'Failed', 'Lost'];
const USER_COLUMNS = [
  'A user: longest',
  'Answered',
  'Failed',
  'Sessions lost',
  'Messages lost',
  'Jobs never, twice',
  'Files missing',
];

function tableOf({ scenarios, skipped, users: withUsers }: Report): string {
  const columns = withUsers > 0 ? [...WRITE_COLUMNS, ...USER_COLUMNS] : WRITE_COLUMNS;
  const head = ['Scenario', 'Verdict', ...columns];
  const rows = scenarios.map(({ scenario, title, verdict, figures, users }) => {
    const writes =
      figures === null
        ? WRITE_COLUMNS.map(() => '')
        : [
            secondsText(figures.gaps.all),
            secondsText(figures.gaps.max),
            String(figures.acknowledged),
            String(figures.refused + figures.unknown),
            String(figures.lost.rows),
          ];
    const requests =
      users === null
        ? columns.slice(WRITE_COLUMNS.length).map(() => '')
        : [
            secondsText(users.gaps.max),
            String(users.answered),
            String(users.failed),
            String(users.sessionsLost),
            `${users.messages.lost} of ${users.messages.sent}`,
            `${users.jobs.never}, ${users.jobs.twice} of ${users.jobs.asked}`,
            String(users.filesMissing),
          ];
    const cells = [...writes, ...requests];
    return `<tr><td><a href="#${scenario}">${scenario}</a><br><small>${xml(title)}</small></td><td class="${verdict}">${NAMES[verdict]}</td>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`;
  });
  const missing = skipped.map(
    ({ scenario, why }) =>
      `<tr class="skipped"><td>${scenario}</td><td>skipped</td><td colspan="${columns.length}">${xml(why)}</td></tr>`,
  );
  const groups =
    withUsers > 0
      ? `<tr><th colspan="2"></th><th colspan="${WRITE_COLUMNS.length}">Writes through PgBouncer</th><th colspan="${USER_COLUMNS.length}">Odoo's users</th></tr>`
      : '';
  return `<table><thead>${groups}<tr>${head.map((text) => `<th>${text}</th>`).join('')}</tr></thead>
<tbody>${[...rows, ...missing].join('\n')}</tbody></table>`;
}

function afterwardsOf({ afterwards }: Report): string {
  return `<h2>Afterwards</h2>${checksOf(afterwards)}`;
}

function scenarioOf(report: ScenarioReport): string {
  const { scenario, title, verdict, expectation, marks, checks, figures, users } = report;
  const errors = Object.entries(figures?.errors ?? {}).map(([name, count]) => `${name} ${count}×`);
  const told = Object.entries(users?.errors ?? {}).map(([name, count]) => `${name} ${count}×`);
  const happened = marks.map(
    ({ at, kind, host, text }) =>
      `<li class="${kind}"><span>${secondsText(at)}</span> ${xml(`${host}: ${text}`)}</li>`,
  );
  return `<section id="${scenario}"><h2>${scenario} <span class="${verdict}">${NAMES[verdict]}</span></h2>
<p>${xml(title)}. Expected: ${xml(expectationText(expectation))}.</p>
${timelineSvg(report)}
<ol>${happened.join('\n')}</ol>
${checksOf(checks)}
${errors.length === 0 ? '' : `<p><small>What clients were told: ${xml(errors.join(', '))}.</small></p>`}
${told.length === 0 ? '' : `<p><small>What users were told: ${xml(told.join(', '))}.</small></p>`}
</section>`;
}

function checksOf(checks: readonly Check[]): string {
  const items = checks.map(({ ok, text, found, next }) =>
    ok
      ? `<li class="ok">${xml(text)}</li>`
      : `<li class="bad">${xml(text)}<br>found: <b>${xml(found ?? 'otherwise')}</b>${next === undefined ? '' : `<br>next: ${xml(next)}`}</li>`,
  );
  return `<ul class="checks">${items.join('\n')}</ul>`;
}

function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

const LEGEND = `<p class="legend"><i class="saved"></i> writes saved, or requests answered, in a second <i class="failed"></i> those that failed
<i class="gap"></i> the longest time in which nobody could. Numbered lines are what happened, red: broken, green: healed.
<b>Survived</b>: writers and users went on. <b>Outage, recovered</b>: they stopped, as they must where there is only one of
something, and went on within the limit.</p>`;

const STYLE = `
:root{color-scheme:light}
body{font:15px/1.5 system-ui,sans-serif;max-width:1200px;margin:2em auto;padding:0 1em;color:#1c2430}
h1{margin-bottom:.2em} h2{margin-top:2em} h2 span{font-size:.7em;padding:.15em .6em;border-radius:1em;vertical-align:middle}
.verdict{font-size:1.2em;padding:.6em 1em;border-radius:6px}
.passed,.survived{background:#dff3e3;color:#14532d} .recovered{background:#fdf0cf;color:#6b4600}
.failed{background:#fbdedb;color:#8a1c12} .interrupted{background:#e6e8ec}
dl{display:grid;grid-template-columns:8em 1fr;gap:.2em 1em} dt{color:#5c6675} dd{margin:0}
table{border-collapse:collapse;width:100%} th,td{border-bottom:1px solid #dde1e7;padding:.4em .6em;text-align:left;vertical-align:top}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums} small,.skipped td{color:#5c6675}
svg{width:100%;height:auto;font:11px system-ui,sans-serif}
rect.saved{fill:#4a9d63} rect.failed{fill:#d64533} rect.gap{fill:#f6c9c3}
.axis,line.tick{stroke:#8b94a3} .scale{text-anchor:end;fill:#5c6675} text.tick{text-anchor:middle;fill:#5c6675} text.label{fill:#5c6675}
g text{text-anchor:middle} g line{stroke-width:1;stroke-dasharray:3 2}
g.fault line{stroke:#b3271b} g.fault text{fill:#b3271b;font-weight:bold} g.heal line{stroke:#1c7a37} g.heal text{fill:#1c7a37;font-weight:bold}
g.step line{stroke:#a9b1bd} g.step text{fill:#5c6675}
ol{padding-left:2.2em} ol span{display:inline-block;min-width:4.5em;text-align:right;color:#5c6675;margin-right:.6em}
li.fault{color:#b3271b} li.heal{color:#1c7a37}
.checks{list-style:none;padding:0} .checks li{padding-left:1.6em;position:relative}
.checks .ok:before{content:"✓";position:absolute;left:0;color:#1c7a37} .checks .bad:before{content:"✗";position:absolute;left:0;color:#b3271b}
.checks .bad{background:#fbeceb;padding:.4em .6em .4em 1.6em;margin:.3em 0;border-radius:4px;white-space:pre-line}
.legend{color:#5c6675;border-top:1px solid #dde1e7;padding-top:1em;margin-top:2em}
.legend i{display:inline-block;width:.9em;height:.9em;vertical-align:-.1em;margin-left:.6em}
i.saved{background:#4a9d63} i.failed{background:#d64533} i.gap{background:#f6c9c3}
@media print{section{break-inside:avoid}}
`;
