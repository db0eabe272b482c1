import { defineConfig } from 'vitest/config';
import {
  finishedSuites,
  soakRecord,
  soakSuites,
  testedCommit,
} from './test/support/soak-record.js';

// Whole clusters whose suites take longer than `npm test` may.
const soak = [...soakSuites()];
// `npm run soak` goes on where it was stopped; a suite that is named to vitest is run in any case.
const finished =
  process.env['ODOO_PROV_SOAK'] === 'resume' ? finishedSuites(soakRecord(), testedCommit()) : [];

const onHosts = {
  globalSetup: ['test/support/lab-teardown.ts'],
  fileParallelism: false,
  testTimeout: 600_000,
  hookTimeout: 1_200_000,
};

// `unit` needs neither root nor Linux. The others run against real hosts of the lab, one file after the other.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'hosts',
          include: ['test/lab/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          exclude: soak,
          ...onHosts,
        },
      },
      { test: { name: 'soak', include: soak, exclude: [...finished], ...onHosts } },
    ],
  },
});
