// npm run mutation -- [--sample N] [--of-all N] [--seed S] [--seconds N] [--minutes N] [--again] [--tests PART] [--report] [PART OF A FILE'S NAME …]: changes small pieces of the store's cores, one at a
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
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '100000' },
    again: { type: 'boolean', default: false },
    tests: { type: 'string' },
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

/** All mutants of each file, or some: of each file as many, or of all files together, each mutant as likely as another. The same for the same seed and text. */
function sampled(all: readonly Target[]): ReadonlyMap<string, readonly Mutant[]> {
  if (values['of-all'] === undefined)
    return new Map(
      all.map(({ file, mutants }) => [file, drawn(mutants, Number(values.sample), file.length).sort(byIndex)]),
    );
  const every = all.flatMap(({ file, mutants }) => mutants.map((mutant) => ({ file, mutant })));
  const found = new Map<string, Mutant[]>();
  for (const { file, mutant } of drawn(every, Number(values['of-all']), 0))
    found.set(file, [...(found.get(file) ?? []), mutant].sort(byIndex));
  return found;
}

const byIndex = (a: Mutant, b: Mutant): number => a.index - b.index;

function drawn<T>(of: readonly T[], count: number, salt: number): T[] {
  const random = new SeededRandomness(Number(values.seed) * 1000 + salt);
  const left = [...of];
  const taken: T[] = [];
  while (taken.length < count && left.length > 0) taken.push(...left.splice(random.below(left.length), 1));
  return taken;
}

/** Mutants enough for one process: to load the tests takes as long as many mutants do. */
const BATCH_MUTANTS = 150;

function batches(): readonly (readonly Wanted[])[] {
  const found: Wanted[][] = [[]];
  let count = 0;
  for (const target of all) {
    const { file, text } = target;
    const equivalent = new Set((EQUIVALENT[file] ?? []).map(([name]) => name));
    const mutants = (samples.get(file) ?? []).filter((mutant) => !equivalent.has(nameOf(text, mutant)));
    if (mutants.length === 0) continue;
    if (count > BATCH_MUTANTS) {
      found.push([]);
      count = 0;
    }
    found.at(-1)?.push({ target, mutants });
    count += mutants.length;
  }
  return found;
}

fs.mkdirSync(FOLDER, { recursive: true });
const all = targets().filter(({ file }) => positionals.length === 0 || positionals.some((part) => file.includes(part)));
const samples = sampled(all);
const results = new Results(FOLDER);
if (!values.report) {
  const coverage = new Coverage(FOLDER);
  const testFiles = testsOfThem(projectPaths());
  const hashes = [...testFiles, ...projectPaths().filter(isMutated)].map(
    (file) => [file, hashOf(fs.readFileSync(path.join(ROOT, file), 'utf8'))] as const,
  );
  const isWanted = (testFile: string): boolean => values.tests === undefined || testFile.includes(values.tests);
  await coverage.renew(FOLDER, testFiles, new Map(hashes), isWanted);
  for (const { file, text, mutants } of all) {
    results.begin(file, hashOf(text), mutants.length);
    if (values.again) results.forgetSurvivors(file);
  }
  const budget = { untilMs, testsMs: Number(values.seconds) * 1000 };
  for (const batch of batches()) {
    if (Date.now() > untilMs) break;
    await new Round(FOLDER, batch, coverage, results, budget).run();
    for (const { target, mutants } of batch) {
      const tried = mutants.flatMap(({ index }) => results.of(target.file)[index] ?? []);
      const killed = tried.filter(({ outcome }) => outcome === 'killed').length;
      console.log(`${killed} of ${tried.length} killed: ${target.file}`);
    }
  }
}
report(all, samples, results, Number(values.seed));
