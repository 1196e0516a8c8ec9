// A process that runs tests with mutants: vitest with all mutants in what it loads.
import fs from 'node:fs';
import path from 'node:path';
import { startVitest } from 'vitest/node';
import { hashOf } from './coverage.ts';
import { instrumented } from './instrument.ts';
import { mutantsOf } from './mutants.ts';
import { isMutated } from './mutated.ts';

/** What vitest keeps of loaded files must not meet what it keeps for `npm test`, nor what another version of the mutants left. */
const MODULES = `.cache/mutation/modules-${hashOf(...['mutants.ts', 'instrument.ts'].map((name) => fs.readFileSync(path.join(import.meta.dirname, name), 'utf8')))}`;
const ROOT = path.resolve(import.meta.dirname, '../..');

const withMutants = {
  name: 'mutants',
  enforce: 'pre' as const,
  load(id: string): string | undefined {
    const file = path.relative(ROOT, id.split('?')[0] ?? '');
    if (!isMutated(file)) return undefined;
    const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
    return instrumented(file, text, mutantsOf(text));
  },
};

const vitest = await startVitest(
  'test',
  [],
  {
    root: ROOT,
    config: false,
    fsModuleCachePath: path.join(ROOT, MODULES),
    watch: false,
    include: ['test/mutation/driver.ts'],
    testNamePattern: '^mutants$',
    pool: 'forks',
    maxWorkers: 1,
    isolate: false,
    reporters: ['default'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
  { plugins: [withMutants] },
);
await vitest.close();
