// Which files have mutants, and which tests are run with them.

const MUTATED = ['lib/volume/', 'lib/compaction/', 'lib/frontend/', 'lib/gc/'];
/** Folders of tests that come by what is mutated, in the process they run in: those that come closest first. */
const TESTED_IN = [
  'golden',
  'gc',
  'volume',
  'repair',
  'frontend',
  'model',
  'compaction',
  'live-coder',
  'store',
  'faults',
  'functions',
  'client',
  'keys',
  'verify',
  'cost',
  'sim',
  'engine',
  'gateway',
  'prove',
];

export const isMutated = (file: string): boolean =>
  file.endsWith('.ts') && MUTATED.some((folder) => file.startsWith(folder));

const rankOf = (file: string): number => TESTED_IN.findIndex((folder) => file.startsWith(`test/${folder}/`));

/** Too long for every day, and no other test comes by as much. */
const LONG_BUT_TELLING: readonly string[] = [
  'test/compaction/future-times.long.test.ts',
  'test/engine/damaged-rows.long.test.ts',
  'test/engine/upkeep-progress.long.test.ts',
  'test/faults/conflicts.long.test.ts',
  'test/faults/lost-answers.long.test.ts',
  'test/faults/refused-first-calls.long.test.ts',
  'test/frontend/many-appends.long.test.ts',
  'test/frontend/use-cases.long.test.ts',
  'test/golden/golden.long.test.ts',
  'test/golden/overtaken.long.test.ts',
  'test/golden/reads/reads.long.test.ts',
  'test/prove/seeds.long.test.ts',
  'test/repair/repair-crash.long.test.ts',
  'test/repair/windows.long.test.ts',
  'test/store/crash.long.test.ts',
];

/** These hold every line, call and figure of what they do, in little time: what changes any of it fails one of them. */
export const isExact = (testFile: string): boolean => testFile.startsWith('test/golden/');

const isTold = (file: string): boolean => !file.endsWith('.long.test.ts') || LONG_BUT_TELLING.includes(file);

/** The files of tests among these. */
export const testsOfThem = (files: readonly string[]): readonly string[] =>
  files
    .filter((file) => file.endsWith('.test.ts') && isTold(file) && rankOf(file) !== -1)
    .sort((a, b) => rankOf(a) - rankOf(b));
