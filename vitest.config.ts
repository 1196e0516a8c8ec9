import { defineConfig } from 'vitest/config';

const ALONE = ['test/drive/directory-order.test.ts', 'test/engine/fsyncs.test.ts'];

// `unit` and `unit-alone` are what `npm test` runs: no network, no emulator, two minutes on two cores: hence as many
// workers as cores, which keep the modules they have loaded. Files that replace modules of Node are `unit-alone`: each
// in a process of its own. `long` holds exhaustive and random runs for .ci/run; `localstack` needs AWS_ENDPOINT_URL and
// is started by test/localstack/run.ts.
export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.long.test.ts', 'test/localstack/**', ...ALONE],
          isolate: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      { test: { name: 'unit-alone', include: ALONE, testTimeout: 240_000, hookTimeout: 240_000 } },
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
