// npm run mutation -- [--sample N] [--of-all N] [--part I/N] [--seed S] [--seconds N] [--minutes N] [--again] [--tests REGEXP] [--report] [PART OF A FILE'S NAME …]: changes small pieces of the store's cores, one at a
// time, and sees whether a test notices (docs/testing.md). It goes on where it stopped.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { projectPaths, ROOT } from '../check/source-file.ts';
import { Coverage, hashOf } from './coverage.ts';
import { EQUIVALENT } from './equivalent.ts';
import { type Mutant, mutantsOf, nameOf } from './mutants.ts';
import { isMutated, testsOfThem } from './mutated.ts';
import { report } from './report.ts';
import { Results } from './results.ts';
import { Round, type Target, type Wanted } from './round.ts';

const FOLDER = path.join(ROOT, '.cache/mutation');
/** Pure cores and small files first. */
const FIRST = [
  'lib/volume/steps/',
  'lib/gc/',
  'lib/compaction/threshold/',
  'lib/frontend/',
  'lib/compaction/plan/',
  'lib/volume/',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: '1000000' },
    'of-all': { type: 'string' },
    part: { type: 'string', default: '1/1' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '100000' },
    again: { type: 'boolean', default: false },
    tests: { type: 'string', default: '' },
    report: { type: 'boolean', default: false },
  },
});

const untilMs = Date.now() + Number(values.minutes) * 60_000;

function targets(): readonly Target[] {
  const files = projectPaths().filter(isMutated);
  const rank = (file: string): number => {
    const at = FIRST.findIndex((folder) => file.startsWith(folder));
    return at === -1 ? FIRST.length : at;
  };
  return files
    .map((file) => {
      const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
      return { file, text, mutants: mutantsOf(text) };
    })
    .filter(({ mutants }) => mutants.length > 0)
    .sort((a, b) => rank(a.file) - rank(b.file) || a.mutants.length - b.mutants.length);
}

interface Drawn {
  readonly target: Target;
  readonly mutant: Mutant;
}

/**
 * All mutants of each file, or some: of each file as many, or of all files together, each mutant as likely as another, in an order by lot: then a
 * run that is cut off has tried a sample, too. The same for the same seed and text.
 */
function sample(all: readonly Target[]): readonly Drawn[] {
  const every = ({ mutants }: Target): readonly Mutant[] => mutants;
  const some = (target: Target): readonly Mutant[] =>
    drawn(target.mutants, Number(values.sample), target.file.length).sort((a, b) => a.index - b.index);
  const of = (chosen: (target: Target) => readonly Mutant[]): readonly Drawn[] =>
    all.flatMap((target) => chosen(target).map((mutant) => ({ target, mutant })));
  return values['of-all'] === undefined ? of(some) : drawn(of(every), Number(values['of-all']), 0);
}

function drawn<T>(of: readonly T[], count: number, salt: number): T[] {
  const random = new SeededRandomness(Number(values.seed) * 1000 + salt);
  const left = [...of];
  const taken: T[] = [];
  while (taken.length < count && left.length > 0) taken.push(...left.splice(random.below(left.length), 1));
  return taken;
}

/** Mutants enough for one process: to load the tests takes as long as many mutants do. */
const BATCH_MUTANTS = 30;

/** Those that are not known to be equivalent, some at a time. */
function batches(sampled: readonly Drawn[]): readonly (readonly Wanted[])[] {
  const isEquivalent = ({ target, mutant }: Drawn): boolean =>
    (EQUIVALENT[target.file] ?? []).some(([name]) => name === nameOf(target.text, mutant));
  const left = sampled.filter((one) => !isEquivalent(one));
  const count = Math.ceil(left.length / BATCH_MUTANTS);
  return Array.from({ length: count }, (_, i) => byTarget(left.slice(i * BATCH_MUTANTS, (i + 1) * BATCH_MUTANTS)));
}

function byTarget(some: readonly Drawn[]): readonly Wanted[] {
  const found = new Map<Target, Mutant[]>();
  for (const { target, mutant } of some) found.set(target, [...(found.get(target) ?? []), mutant]);
  return [...found].map(([target, mutants]) => ({ target, mutants }));
}

fs.mkdirSync(FOLDER, { recursive: true });
const all = targets().filter(({ file }) => positionals.length === 0 || positionals.some((part) => file.includes(part)));
/** Of the sample, which is the same in every process that has such a part. */
const [part = 1, parts = 1] = values.part.split('/').map(Number);
const sampled = sample(all).filter((_, i) => i % parts === part - 1);
const results = new Results(FOLDER);
const coverage = new Coverage(FOLDER);
if (!values.report) {
  const testFiles = testsOfThem(projectPaths());
  const hashes = [...testFiles, ...projectPaths().filter(isMutated)].map(
    (file) => [file, hashOf(fs.readFileSync(path.join(ROOT, file), 'utf8'))] as const,
  );
  const isWanted = (testFile: string): boolean => new RegExp(values.tests).test(testFile);
  await coverage.renew(FOLDER, testFiles, new Map(hashes), isWanted);
  for (const { file, text, mutants } of all) {
    results.begin(file, hashOf(text), mutants.length);
    if (values.again) results.forgetSurvivors(file);
  }
  const budget = { untilMs, testsMs: Number(values.seconds) * 1000 };
  for (const batch of batches(sampled)) {
    if (Date.now() > untilMs) break;
    await new Round(FOLDER, batch, coverage, results, budget).run();
    for (const { target, mutants } of batch) {
      const tried = mutants.flatMap(({ index }) => results.of(target.file)[index] ?? []);
      const killed = tried.filter(({ outcome }) => outcome === 'killed').length;
      console.log(`${killed} of ${tried.length} killed: ${target.file}`);
    }
  }
}
report(
  all,
  new Map(byTarget(sampled).map(({ target, mutants }) => [target.file, mutants])),
  results,
  Number(values.seed),
);
const passedBy = all.map(({ file, mutants }) => {
  const cameBy = coverage.cameBy(file);
  return mutants.filter(({ index }) => !cameBy.has(index)).length;
});
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
console.log(
  `\n${sum(passedBy)} of ${sum(all.map(({ mutants }) => mutants.length))} mutants have no test that comes by, of the tests that were run to see`,
);
