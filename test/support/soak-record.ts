import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from './repository.js';

/*
 * What `npm run soak` remembers, so that it can be stopped and resumed: a line of JSON for each test and for each suite
 * that ended, in a file that is no part of the repository. What a suite's tests do builds on one another: one that was
 * cut begins anew.
 */

/** A test that ended; a whole suite where `test` is not given. */
export interface SoakResult {
  /** Path in the repository. */
  readonly suite: string;
  readonly test?: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  /** As `git describe --always --dirty` says it. */
  readonly commit: string;
  /** When it ended: ISO 8601, UTC. */
  readonly date: string;
}

/** Where the last results are told, in the repository. */
export const SOAK_PAGE = 'docs/soak.md';
const RECORD = join(repositoryRoot, '.odoo-prov/soak.jsonl');
const FOLDER = 'test/e2e';
/** Suites that take longer than `npm test` may. */
const SUITE = /^(database-.*|full-status|full-failover-test)\.test\.ts$/;

/** The suites of the soak, as paths in the repository. */
export function soakSuites(): readonly string[] {
  return readdirSync(join(repositoryRoot, FOLDER))
    .filter((name) => SUITE.test(name))
    .sort()
    .map((name) => `${FOLDER}/${name}`);
}

/** The commit that is tested; ends with `-dirty` where files differ from it, this record's own page aside. */
export function testedCommit(): string {
  const differs = git('status', '--porcelain', '--', '.', `:(exclude)${SOAK_PAGE}`) !== '';
  return `${git('rev-parse', '--short=12', 'HEAD')}${differs ? '-dirty' : ''}`;
}

function git(...words: readonly string[]): string {
  return execFileSync('git', words, { cwd: repositoryRoot, encoding: 'utf8' }).trim();
}

/** What is recorded, oldest first. */
export function soakRecord(): readonly SoakResult[] {
  if (!existsSync(RECORD)) return [];
  return readFileSync(RECORD, 'utf8').split('\n').flatMap(parsed);
}

/** A line is cut where a run was ended in the middle of it: that suite is run again. */
function parsed(line: string): readonly SoakResult[] {
  try {
    return [JSON.parse(line) as SoakResult];
  } catch {
    return [];
  }
}

/** Adds a result at once: it is there whatever happens to the run afterwards. */
export function recordSoak(result: SoakResult): void {
  mkdirSync(dirname(RECORD), { recursive: true });
  appendFileSync(RECORD, `${JSON.stringify(result)}\n`);
}

/** Suites that have passed and need not be run again for a commit; none where files differ from it. */
export function finishedSuites(record: readonly SoakResult[], commit: string): readonly string[] {
  if (commit.endsWith('-dirty')) return [];
  const passed = record.filter(
    ({ test, result, commit: tested }) =>
      test === undefined && result === 'passed' && tested === commit,
  );
  return [...new Set(passed.map(({ suite }) => suite))];
}

/**
 * The last result of each suite, as a page.
 * @param suites all there are
 * @param before the page as it is: what was run in another clone is on it only, and stays
 */
export function soakPage(
  record: readonly SoakResult[],
  suites: readonly string[],
  before: string,
): string {
  const known = before.split('\n');
  const rows = suites.map((suite) => {
    const name = suite.slice(FOLDER.length + 1, -'.test.ts'.length);
    const row =
      known.find((line) => line.startsWith(`| ${name} |`)) ?? `| ${name} | not run | | | | |`;
    const last = record.findLast((one) => one.suite === suite && one.test === undefined);
    if (last === undefined || endOf(row) > endOf(rowOf(record, name, last))) return row;
    return rowOf(record, name, last);
  });
  return `# The last results of \`npm run soak\`

Written by it. Each suite with the commit that it was run on; how it is run: [CONTRIBUTING.md](../CONTRIBUTING.md#tests).

| suite | result | tests passed | minutes | commit | ended |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

function rowOf(record: readonly SoakResult[], name: string, last: SoakResult): string {
  const tests = testsOf(record, last);
  const passed = tests.filter(({ result }) => result === 'passed').length;
  const minutes = (last.seconds / 60).toFixed(1);
  return `| ${name} | ${last.result} | ${String(passed)} of ${String(tests.length)} | ${minutes} | ${last.commit} | ${last.date.slice(0, 16)}Z |`;
}

/** When a row's suite ended, ISO 8601; nothing where it was not run. */
function endOf(row: string): string {
  return row.split('|').at(-2)?.trim() ?? '';
}

/** The results of a suite's tests in the run that ended with this result. */
function testsOf(record: readonly SoakResult[], suite: SoakResult): readonly SoakResult[] {
  const until = record.indexOf(suite);
  const from = Date.parse(suite.date) - suite.seconds * 1000 - 1000;
  return record
    .slice(0, until)
    .filter((one) => one.suite === suite.suite && one.test !== undefined)
    .filter(({ date }) => Date.parse(date) >= from);
}
