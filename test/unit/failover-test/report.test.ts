import { describe, expect, it } from 'vitest';
import { assertion, onHost, type Check } from '../../../src/failover-test/check.js';
import { reportToHtml } from '../../../src/failover-test/report-html.js';
import { reportToJunit } from '../../../src/failover-test/report-junit.js';
import { scenarioLines, summaryLines } from '../../../src/failover-test/report-text.js';
import {
  haveWaited,
  verdictOf,
  verdictOfRun,
  type Mark,
  type Report,
  type ScenarioReport,
} from '../../../src/failover-test/report.js';
import { lostText } from '../../../src/failover-test/report-overview.js';
import { timelineSvg } from '../../../src/failover-test/timeline-svg.js';

const NEVER = { found: '', next: '' };

const RECOVERED: ScenarioReport = {
  scenario: 'pgbouncer-down',
  title: 'a PgBouncer is killed',
  expectation: { kind: 'outage', why: 'there is only one PgBouncer' },
  verdict: 'recovered',
  started: '2026-11-22T04:00:00.000Z',
  milliseconds: 12_000,
  checks: [{ id: 'writes.lost', ok: true, text: 'no acknowledged write was lost' }],
  figures: {
    ...{ acknowledged: 300, refused: 12, unknown: 3, unknownStored: 1 },
    lost: { rows: 0, seconds: 0, bytes: 0 },
    gaps: {
      ...{ all: 4200, allFrom: 3000, p50: 4300, max: 4400, silent: [], recovery: 900 },
      pauses: [
        { from: 3000, length: 4200 },
        { from: 9000, length: 1500 },
      ],
    },
    errors: { unreachable: 12 },
  },
  marks: [
    { at: 3000, kind: 'fault', host: 'pool1', text: 'PgBouncer is killed & <stays> down' },
    { at: 6500, kind: 'heal', host: 'pool1', text: 'healed' },
  ],
  users: {
    ...{
      answered: 55,
      failed: 2,
      sessionsLost: 0,
      recordsLost: 0,
      filesMissing: 0,
      errors: { 'HTTP 502': 2 },
    },
    gaps: {
      ...{ all: 300, allFrom: 1000, p50: 1100, max: 2200, silent: [], recovery: 100 },
      pauses: [],
    },
    logins: { done: 3, failed: 1 },
    messages: { sent: 6, lost: 0, longest: 140 },
    jobs: { asked: 6, never: 0, twice: 0 },
  },
  requests: Array.from({ length: 12 }, (_, second) => ({ saved: 4, failed: second === 3 ? 2 : 0 })),
  series: Array.from({ length: 12 }, (_, second) =>
    second >= 3 && second < 7 ? { saved: 0, failed: 4 } : { saved: 40, failed: 0 },
  ),
};

const FAILED: ScenarioReport = {
  ...RECOVERED,
  scenario: 'standby-down',
  verdict: 'failed',
  checks: [
    ...RECOVERED.checks,
    {
      id: 'standby.streams',
      ok: false,
      text: 'db2 follows on timeline 3',
      found: 'not streaming',
      next: 'odoo-prov rejoin FILE --host db2',
    },
  ],
};

const REPORT: Report = {
  cluster: 'acme',
  version: '0.1.0',
  started: '2026-11-22T04:00:00.000Z',
  ended: '2026-11-22T04:05:00.000Z',
  limits: { rto: 60, rpo: 5, gap: 5, failedRequests: 3 },
  synchronous: 'off',
  clients: 6,
  users: 4,
  hosts: [{ host: 'db1', roles: ['pg-primary'] }],
  verdict: 'failed',
  scenarios: [RECOVERED, FAILED],
  skipped: [{ scenario: 'archive-unreachable', why: 'postgres.backup is not set' }],
  primary: { before: 'db1', now: 'db1' },
  wayBack: [],
  afterwards: [{ id: 'after.apply', ok: true, text: 'apply finds nothing to change' }],
};

describe('the report', () => {
  it('names an outage as one, with what to do about each failure', () => {
    expect(scenarioLines(FAILED)).toEqual([
      'FAILED     no write for 4.2 s (a client: p50 4.3 s, max 4.4 s); 300 saved, 15 failed, 0 lost',
      '           no answer for 0.3 s (a user: p50 1.1 s, max 2.2 s); 55 requests answered, 2 failed (1 of them logins); 0 sessions lost; 6 messages, 0 lost, at most 0.1 s late; 6 jobs, 0 never done, 0 twice; 0 files missing',
      '  standby.streams',
      '    expected  db2 follows on timeline 3',
      '    found     not streaming',
      '    next      odoo-prov rejoin FILE --host db2',
    ]);
    expect(scenarioLines(RECOVERED)[0]).toMatch(/^outage, recovered {2}no write for 4\.2 s/);
    const cut: ScenarioReport = { ...RECOVERED, verdict: 'interrupted' };
    const gone = { id: 'after.primary', ok: false, text: '' };
    expect(
      summaryLines({ ...REPORT, scenarios: [cut], skipped: [], afterwards: [gone] }).at(-1),
    ).toBe(
      'acme: failed. 0 survived, 0 had an outage and recovered, 1 interrupted (pgbouncer-down). Not as it was before: after.primary.',
    );
    expect(summaryLines(REPORT)).toEqual([
      'acme: failed. 0 survived, 1 had an outage and recovered, 1 failed (standby-down), 1 skipped (archive-unreachable).',
    ]);
  });

  it('counts what was interrupted, and tells who is primary with the way back in its order', () => {
    const cut: ScenarioReport = { ...RECOVERED, scenario: 'power-cut', verdict: 'interrupted' };
    const report: Report = { ...REPORT, verdict: 'interrupted', scenarios: [cut], skipped: [] };
    const count =
      'acme: interrupted. 0 survived, 0 had an outage and recovered, 1 interrupted (power-cut).';
    expect(summaryLines(report)).toEqual([count, 'db1 is primary, as before.']);
    const steps = ['odoo-prov rejoin FILE --host db1', 'odoo-prov switchover FILE --to db1'];
    const moved = { ...report, primary: { before: 'db1', now: 'db2' }, wayBack: steps };
    expect(summaryLines(moved)).toEqual([
      count,
      'db2 is primary; db1 was, before. The way back, in this order:',
      '  1  odoo-prov rejoin FILE --host db1',
      '  2  odoo-prov switchover FILE --to db1',
    ]);
    expect(reportToHtml(report)).toContain('1 interrupted (power-cut)');
    expect(reportToHtml(report)).toContain('Lost until it was interrupted: nothing.');
  });

  it('is one HTML file that loads nothing and lets no text be markup', () => {
    const html = reportToHtml(REPORT);
    expect(html).not.toMatch(/<script|<link|src=|url\(|https?:/);
    expect(html).toContain('PgBouncer is killed &amp; &lt;stays&gt; down');
    expect(html).toContain('<b>outage, recovers</b>, because there is only one PgBouncer.');
    // On a telephone each figure says what it is: there are no heads of columns.
    expect(html).toContain('<td class="number" data-what="writes: all waited">4.2 s</td>');
    expect(html).toContain('<td class="number" data-what="requests: failed">2 of 57</td>');
    expect(html).toContain('next: odoo-prov rejoin FILE --host db2');
    expect(html).toContain('postgres.backup is not set');
    expect(html).toContain('What users were told: HTTP 502 2× (the edge got no answer of Odoo).');
    expect(html).toContain("Requests of Odoo's users");
    // Eight seconds with saved writes, four with failed ones; twelve with requests, one with failed ones; twice.
    expect(html.match(/<rect class="saved"/g)).toHaveLength(2 * (8 + 12));
    expect(html.match(/<rect class="failed"/g)).toHaveLength(2 * (4 + 1));
    // Each time in which nobody could write: two, twice.
    expect(html.match(/<rect class="gap"/g)).toHaveLength(2 * 2);
  });

  it('says at its top what came of it, and what was lost', () => {
    const html = reportToHtml(REPORT);
    expect(html).toContain(
      '3 scenarios: 0 survived, 1 had an outage and recovered, 1 failed (standby-down), 1 skipped (archive-unreachable). Writes stood still for 4.2 s at most (pgbouncer-down).',
    );
    expect(html).toContain('users stood still for 0.3 s at most (pgbouncer-down). Lost: nothing.');
    expect(lostText([RECOVERED])).toBe('nothing');
    const { figures, users } = RECOVERED;
    if (figures === null || users === null) throw new Error('the example has figures');
    const lossy = {
      figures: { ...figures, lost: { rows: 3, seconds: 1, bytes: 9 } },
      users: { ...users, jobs: { asked: 6, never: 1, twice: 2 } },
    };
    expect(lostText([lossy, lossy])).toBe('6 writes, 2 jobs never done, 4 jobs done twice');
  });

  it('names what is expected of users where it is not the same', () => {
    const why = 'requests end with their connection';
    const one: ScenarioReport = { ...RECOVERED, usersExpectation: { kind: 'outage', why } };
    expect(reportToHtml({ ...REPORT, scenarios: [one] })).toContain(
      `For users: <b>outage, recovers</b>, because ${why}.`,
    );
  });

  it('shows failures, and folds away what holds', () => {
    const html = reportToHtml({ ...REPORT, scenarios: [FAILED] });
    const [shown = '', folded = ''] = html.slice(html.indexOf('<section')).split('<details>');
    expect(shown).toContain('not streaming');
    expect(shown).not.toContain('no acknowledged write was lost');
    expect(folded).toContain('no acknowledged write was lost');
    expect(folded).toContain('1 of 2 assertions hold');
  });

  it('draws a second that the end has cut as the rate that it was, not as a drop', () => {
    const full = { saved: 60, failed: 0 };
    const heights = (milliseconds: number, last: number): readonly string[] =>
      [
        ...timelineSvg({
          ...{ ...RECOVERED, milliseconds, marks: [], requests: [] },
          series: [full, full, { saved: last, failed: 0 }],
        }).matchAll(/class="saved"[^>]* height="([\d.]+)"/g),
      ].map(([, height = '']) => height);
    expect(heights(2600, 36)).toEqual(['120', '120', '120']);
    expect(heights(2300, 18)).toEqual(['120', '120']);
    expect(heights(3000, 30)).toEqual(['120', '120', '60']);
  });

  it('puts the numbers of what happened beside or below each other', () => {
    const at = (time: number): Mark => ({ at: time, kind: 'step', host: 'db1', text: 'done' });
    const svg = timelineSvg({ ...RECOVERED, marks: [0, 10, 20, 6000, 6010].map(at) });
    const rows = [...svg.matchAll(/y="(\d+)">\d<\/text><\/g>/g)].map(([, y]) => Number(y));
    const [first = 0] = rows;
    expect(rows.map((y) => (y - first) / 13)).toEqual([0, 1, 2, 0, 1]);
  });

  it('says that there were no users, and why', () => {
    const alone = { ...RECOVERED, users: null, requests: [] };
    const report = { ...REPORT, users: 0, withoutOdoo: 'Odoo is not installed on web1' };
    const html = reportToHtml({ ...report, scenarios: [alone] });
    expect(html).toContain('no users of Odoo: Odoo is not installed on web1');
    expect(html.slice(html.indexOf('</style>'))).not.toMatch(/\busers?\b(?! of Odoo: )|request/i);
    expect(html.match(/<rect class="saved"/g)).toHaveLength(8);
    expect(scenarioLines(alone)).toHaveLength(1);
  });

  it('names the cases of JUnit without a figure, each once', () => {
    const streams = (host: string): Check =>
      onHost(host, assertion('standby.streams', `${host} follows on timeline 7`, true, NEVER));
    const steps = assertion('scenario.steps', 'every step could be done', true, NEVER);
    const one: ScenarioReport = {
      ...RECOVERED,
      checks: [streams('db2'), streams('db3'), steps, steps],
    };
    const names = [...reportToJunit({ ...REPORT, scenarios: [one] }).matchAll(/ name="([^"]*)"/g)];
    expect(names.map(([, name]) => name).slice(1, 6)).toEqual([
      ...['pgbouncer-down', 'standby.streams db2', 'standby.streams db3'],
      ...['scenario.steps', 'scenario.steps (2)'],
    ]);
  });

  it('is JUnit: a case an assertion, what was not run is skipped', () => {
    const text = reportToJunit(REPORT);
    expect(text).toContain('<testsuite name="standby-down" tests="2" failures="1"');
    expect(text).toContain('<failure message="not streaming">');
    expect(text).toContain('<skipped message="postgres.backup is not set"/>');
    expect(text.match(/<testcase/g)).toHaveLength(5);
  });
});

describe('the verdict of a scenario', () => {
  it('is no survival where only users had an outage, as expected', () => {
    const { users } = RECOVERED;
    if (users === null) throw new Error('the example has users');
    const survives = { kind: 'survives', why: 'there are two' } as const;
    const { limits } = REPORT;
    expect(haveWaited(users, limits)).toBe(false);
    expect(verdictOf([], survives, haveWaited(users, limits))).toBe('survived');
    expect(verdictOf([], survives, haveWaited({ ...users, failed: 4 }, limits))).toBe('recovered');
    const waited = { ...users, gaps: { ...users.gaps, max: 5100 } };
    expect(verdictOf([], survives, haveWaited(waited, limits))).toBe('recovered');
  });
});

describe('the verdict of a run', () => {
  it('is failed where a scenario or what is left behind is', () => {
    const { afterwards } = REPORT;
    const run = { scenarios: [RECOVERED], skipped: [], afterwards };
    expect(verdictOfRun(run, false)).toBe('passed');
    expect(verdictOfRun({ ...run, scenarios: [RECOVERED, FAILED] }, false)).toBe('failed');
    const left = [{ id: 'after.apply', ok: false, text: '' }];
    expect(verdictOfRun({ ...run, afterwards: left }, false)).toBe('failed');
  });

  it('is failed where a scenario could not be run because of the one before, and passed where its hosts are missing', () => {
    const { afterwards } = REPORT;
    const skip = { scenario: 'switchover', why: 'x' } as const;
    const run = { scenarios: [RECOVERED], afterwards };
    expect(verdictOfRun({ ...run, skipped: [skip] }, false)).toBe('passed');
    expect(verdictOfRun({ ...run, skipped: [{ ...skip, unhealthy: true }] }, false)).toBe('failed');
  });

  it('is failed where all that was chosen was skipped, and each form of the report says so', () => {
    const skipped = [{ scenario: 'primary-cut-off', why: 'nftables is not installed' }] as const;
    const run = { ...REPORT, verdict: 'failed', scenarios: [], skipped } as const;
    expect(verdictOfRun(run, false)).toBe('failed');
    const why = 'othing was tested: every scenario that was chosen was skipped.';
    expect(summaryLines(run).join('\n')).toContain(why);
    expect(reportToHtml(run)).toContain(`Failed: n${why}`);
    expect(reportToJunit(run)).toContain('<testcase classname="run" name="run.nothing"><failure');
    // After Ctrl-C that is no wonder.
    const cut = { ...run, verdict: 'interrupted' } as const;
    expect(reportToJunit(cut)).not.toContain('run.nothing');
  });

  it('is interrupted at Ctrl-C, but what failed before that has failed', () => {
    const cut = { ...RECOVERED, verdict: 'interrupted' } as const;
    const run = { scenarios: [cut], skipped: [], afterwards: [] };
    expect(verdictOfRun(run, true)).toBe('interrupted');
    expect(verdictOfRun({ ...run, scenarios: [FAILED, cut] }, true)).toBe('failed');
    // Whoever reads JUnit's file alone does not take it for passed either.
    expect(reportToJunit({ ...REPORT, scenarios: [cut] })).toContain('scenario.interrupted');
  });
});
