import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { repositoryRoot } from './repository.js';
import {
  recordSoak,
  SOAK_PAGE,
  soakPage,
  soakRecord,
  soakSuites,
  testedCommit,
  type SoakResult,
} from './soak-record.js';

/** Records each test and each suite of `npm run soak` when it ends; writes the page of the last results at the end. */
export default class SoakReporter implements Reporter {
  /** Asked once: a commit made during the run is not what is tested. */
  readonly #commit = testedCommit();

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (state === 'pending') return;
    const milliseconds = test.diagnostic()?.duration ?? 0;
    recordSoak({ test: test.fullName, ...this.#ended(test.module, state, milliseconds) });
  }

  onTestModuleEnd(module: TestModule): void {
    const { duration, collectDuration } = module.diagnostic();
    const tests = [...module.children.allTests()];
    // At Ctrl-C the tests that are left count as skipped: such a suite has not passed.
    const all = tests.length > 0 && tests.every((test) => test.result().state === 'passed');
    const state = module.state() === 'failed' ? 'failed' : all ? 'passed' : 'skipped';
    recordSoak(this.#ended(module, state, duration + collectDuration));
  }

  onTestRunEnd(): void {
    const page = join(repositoryRoot, SOAK_PAGE);
    writeFileSync(page, soakPage(soakRecord(), soakSuites(), readFileSync(page, 'utf8')));
  }

  #ended(module: TestModule, result: SoakResult['result'], milliseconds: number): SoakResult {
    return {
      ...{ suite: module.relativeModuleId, result, commit: this.#commit },
      seconds: Math.round(milliseconds / 100) / 10,
      date: new Date().toISOString(),
    };
  }
}
