import { defineConfig } from 'vitest/config';

// `unit` is what `npm test` runs: no network, no emulator, under 90 s. `long` holds exhaustive and random
// runs for .ci/run; `localstack` needs AWS_ENDPOINT_URL and is started by test/localstack/run.ts.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.long.test.ts', 'test/localstack/**'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/**/*.long.test.ts'],
          exclude: ['test/localstack/**'],
          testTimeout: 1_800_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'localstack',
          include: ['test/localstack/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
