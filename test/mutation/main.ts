// npm run mutation -- [--sample N] [--seed S] [--seconds N] [--minutes N] [--again] [--tests PART] [--report] [PART OF A FILE'S NAME …]: changes small pieces of the store's cores, one at a
// time, and sees whether a test notices (docs/testing.md). It goes on where it stopped.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { projectPaths, ROOT } from '../check/source-file.ts';
import { Coverage, hashOf, testFileOf } from './coverage.ts';
import { EQUIVALENT } from './equivalent.ts';
import type { Answer, MutantJob, TestTime } from './job.ts';
import { type Mutant, mutantsOf, nameOf } from './mutants.ts';
import { isMutated, testsOfThem } from './mutated.ts';
import { report } from './report.ts';
import { Results } from './results.ts';
import { runJob } from './run-job.ts';

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
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '100000' },
    again: { type: 'boolean', default: false },
    tests: { type: 'string' },
    report: { type: 'boolean', default: false },
  },
});

const untilMs = Date.now() + Number(values.minutes) * 60_000;

interface Target {
  readonly file: string;
  readonly text: string;
  readonly mutants: readonly Mutant[];
}

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

/** All of them, or some: the same for the same seed and text. */
function sampled({ file, mutants }: Target): readonly Mutant[] {
  const random = new SeededRandomness(Number(values.seed) * 1000 + file.length);
  const left = [...mutants];
  const taken: Mutant[] = [];
  while (taken.length < Number(values.sample) && left.length > 0)
    taken.push(...left.splice(random.below(left.length), 1));
  return taken.sort((a, b) => a.index - b.index);
}

/** The quickest, as many as the time allows: at least one. */
function affordable(tests: readonly TestTime[]): readonly TestTime[] {
  let ms = 0;
  return tests.filter((test, i) => {
    ms += test.ms;
    return i === 0 || ms <= Number(values.seconds) * 1000;
  });
}

/** The rounds of a file: the tests that are about it find most mutants; only what they leave needs the many that come by as well. */
const FEW_FILES = 8;

async function tryFile(target: Target, coverage: Coverage, results: Results): Promise<void> {
  const { file, text } = target;
  results.begin(file, hashOf(text), target.mutants.length);
  if (values.again) results.forgetSurvivors(file);
  const equivalent = new Set((EQUIVALENT[file] ?? []).map(([name]) => name));
  const left = sampled(target).filter((mutant) => !equivalent.has(nameOf(text, mutant)));
  const round = new Round(target, coverage, results);
  await round.run(left, coverage.filesAbout(file, FEW_FILES));
  await round.run(left, undefined);
  for (const mutant of left)
    if (coverage.testsOf(file, mutant.index).length === 0) round.set(mutant, 'survived', 'no test comes by');
  results.save();
  const all = Object.values(results.of(file));
  const killed = all.filter(({ outcome }) => outcome === 'killed').length;
  console.log(`${killed} of ${all.length} killed, ${equivalent.size} equivalent: ${file}`);
}

/** Mutants of one file, as many processes as it takes. */
class Round {
  readonly #target: Target;
  readonly #coverage: Coverage;
  readonly #results: Results;
  readonly #unfit = new Set<string>();
  /** Files of tests that did not notice a mutant. */
  readonly #tried = new Map<number, ReadonlySet<string>>();

  constructor(target: Target, coverage: Coverage, results: Results) {
    [this.#target, this.#coverage, this.#results] = [target, coverage, results];
  }

  set(mutant: Mutant, outcome: 'killed' | 'survived', by: string): void {
    const { file, text } = this.#target;
    this.#results.set(file, mutant.index, { name: nameOf(text, mutant), line: mutant.line, outcome, by });
  }

  /** With tests of these files, or of all. */
  async run(mutants: readonly Mutant[], only: ReadonlySet<string> | undefined): Promise<void> {
    const { file } = this.#target;
    for (;;) {
      const jobs = mutants.flatMap((mutant) => this.#jobOf(mutant, only));
      if (jobs.length === 0 || Date.now() > untilMs) return;
      const testFiles = [...new Set(jobs.flatMap(({ tests }) => tests.map(({ test }) => testFileOf(test))))].sort();
      const stopped = await runJob(FOLDER, { testFiles, mutants: jobs }, (answer) => this.#hear(answer, only));
      if (stopped?.kind === 'begin' && stopped.mutant !== undefined)
        this.set(this.#mutantOf(stopped.mutant), 'killed', `${stopped.test} (does not end)`);
      else if (stopped !== undefined && stopped.kind !== 'spoilt')
        throw new Error(`the tests of ${file} stopped at ${JSON.stringify(stopped)}: ${FOLDER}/child.log`);
      this.#results.save();
    }
  }

  #jobOf({ index }: Mutant, only: ReadonlySet<string> | undefined): readonly MutantJob[] {
    const { file } = this.#target;
    if (index in this.#results.of(file) || (only !== undefined && this.#tried.has(index))) return [];
    const isWanted = ({ test }: TestTime): boolean =>
      !this.#unfit.has(test) && !this.#tried.get(index)?.has(testFileOf(test)) && only?.has(testFileOf(test)) !== false;
    const tests = affordable(this.#coverage.testsOf(file, index).filter(isWanted));
    return tests.length === 0 ? [] : [{ file, index, tests }];
  }

  #hear(answer: Answer, only: ReadonlySet<string> | undefined): void {
    if (answer.kind === 'unfit') this.#unfit.add(answer.test);
    if (answer.kind === 'killed') this.set(this.#mutantOf(answer.mutant), 'killed', answer.test);
    if (answer.kind !== 'survived') return;
    const mutant = this.#mutantOf(answer.mutant);
    if (only === undefined) this.set(mutant, 'survived', `${answer.tests} tests, and those about the file`);
    else this.#tried.set(mutant.index, only);
  }

  #mutantOf = (key: string): Mutant => this.#target.mutants[Number(key.slice(key.lastIndexOf(':') + 1))] as Mutant;
}

fs.mkdirSync(FOLDER, { recursive: true });
const all = targets();
const results = new Results(FOLDER);
if (!values.report) {
  const coverage = new Coverage(FOLDER);
  const testFiles = testsOfThem(projectPaths());
  const mutatedHash = hashOf(...all.map(({ text }) => text));
  const hashes = testFiles.map(
    (file) => [file, hashOf(mutatedHash, fs.readFileSync(path.join(ROOT, file), 'utf8'))] as const,
  );
  const isWanted = (testFile: string): boolean => values.tests === undefined || testFile.includes(values.tests);
  await coverage.renew(FOLDER, testFiles, new Map(hashes), isWanted);
  for (const target of all) {
    if (positionals.length > 0 && !positionals.some((part) => target.file.includes(part))) continue;
    if (Date.now() > untilMs) break;
    await tryFile(target, coverage, results);
  }
}
report(all, results, Number(values.seed));
