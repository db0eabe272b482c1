import { defineConfig } from 'vitest/config';

/** Whole clusters whose suites take longer than `npm test` may: `npm run soak`. */
const SOAK = [
  'test/e2e/database-*.test.ts',
  'test/e2e/full-status.test.ts',
  'test/e2e/full-failover-test.test.ts',
];

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
          exclude: SOAK,
          ...onHosts,
        },
      },
      { test: { name: 'soak', include: SOAK, ...onHosts } },
    ],
  },
});
