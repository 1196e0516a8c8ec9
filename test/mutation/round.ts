// Tries mutants of some files, in as few processes as it takes: first with the exact tests and those that are about each file, which find most; only what
// they leave needs the many that come by as well. Where mutants are of many files, all tests are loaded anyway, and one process does all of it.
import type { Coverage } from './coverage.ts';
import { testFileOf } from './coverage.ts';
import { type Answer, type MutantJob, mutantKey, type TestTime } from './job.ts';
import { type Mutant, nameOf } from './mutants.ts';
import { isExact } from './mutated.ts';
import type { Result, Results } from './results.ts';
import { runJob } from './run-job.ts';

export interface Target {
  readonly file: string;
  readonly text: string;
  readonly mutants: readonly Mutant[];
}

export interface Wanted {
  readonly target: Target;
  readonly mutants: readonly Mutant[];
}

interface Budget {
  /** Nothing begins after that. */
  readonly untilMs: number;
  /** Of one mutant, for each kind of tests: exact ones, those about its file, others. */
  readonly testsMs: number;
}

interface Tried {
  readonly target: Target;
  readonly mutant: Mutant;
  /** Files of tests that are about its file. */
  readonly about: ReadonlySet<string>;
  /** Those about it did not notice it: how many tests they were. */
  left: number | undefined;
}

type Kind = 'exact' | 'about' | 'other';
const kindOf = (testFile: string, about: ReadonlySet<string>): Kind =>
  isExact(testFile) ? 'exact' : about.has(testFile) ? 'about' : 'other';

const ABOUT_FILES = 8;
/** Of more files than that one process tries everything. */
const FEW_FILES = 12;

export class Round {
  readonly #folder: string;
  readonly #coverage: Coverage;
  readonly #results: Results;
  readonly #budget: Budget;
  readonly #all: ReadonlyMap<string, Tried>;
  readonly #unfit = new Set<string>();
  readonly #isOfMany: boolean;

  constructor(folder: string, wanted: readonly Wanted[], coverage: Coverage, results: Results, budget: Budget) {
    [this.#folder, this.#coverage, this.#results, this.#budget] = [folder, coverage, results, budget];
    this.#isOfMany = wanted.length > FEW_FILES;
    this.#all = new Map(
      wanted.flatMap(({ target, mutants }) => {
        const about = coverage.filesAbout(target.file, ABOUT_FILES);
        return mutants.map((mutant) => [
          mutantKey({ file: target.file, index: mutant.index }),
          { target, mutant, about, left: undefined },
        ]);
      }),
    );
  }

  async run(): Promise<void> {
    if (!this.#isOfMany) await this.#runAll(true);
    for (const tried of this.#all.values()) tried.left ??= 0;
    await this.#runAll(false);
    // Nothing else comes by these.
    if (Date.now() <= this.#budget.untilMs)
      for (const tried of this.#all.values())
        if (!this.#isKnown(tried)) this.#set(tried, 'survived', `${tried.left} tests`);
    this.#results.save();
  }

  async #runAll(isAbout: boolean): Promise<void> {
    for (;;) {
      const mutants = [...this.#all.values()].flatMap((tried) => this.#jobOf(tried, isAbout));
      if (mutants.length === 0 || Date.now() > this.#budget.untilMs) return;
      const testFiles = [...new Set(mutants.flatMap(({ tests }) => tests.map(({ test }) => testFileOf(test))))].sort();
      const stopped = await runJob(this.#folder, { testFiles, mutants }, (answer) => this.#hear(answer, isAbout));
      if (stopped?.kind === 'begin' && stopped.mutant !== undefined)
        this.#set(this.#of(stopped.mutant), 'killed', `${stopped.test} (does not end)`);
      else if (stopped !== undefined && stopped.kind !== 'spoilt')
        throw new Error(`the tests stopped at ${JSON.stringify(stopped)}: ${this.#folder}/child.log`);
      this.#results.save();
    }
  }

  #jobOf(tried: Tried, isAbout: boolean): readonly MutantJob[] {
    if (this.#isKnown(tried) || (isAbout && tried.left !== undefined)) return [];
    const { target, mutant, about } = tried;
    const fit = this.#coverage.testsOf(target.file, mutant.index).filter(({ test }) => !this.#unfit.has(test));
    const kinds = Map.groupBy(fit, ({ test }) => kindOf(testFileOf(test), about));
    const those = (kind: Kind): readonly TestTime[] => this.#affordable(kinds.get(kind) ?? []);
    const first = [...those('exact'), ...those('about')];
    const tests = this.#isOfMany ? [...first, ...those('other')] : isAbout ? first : those('other');
    return tests.length === 0 ? [] : [{ file: target.file, index: mutant.index, tests }];
  }

  /** The first ones, as many as the time allows: at least one. What is too long for what is left of it leaves it to others. */
  #affordable(tests: readonly TestTime[]): readonly TestTime[] {
    let leftMs = this.#budget.testsMs;
    return tests.filter((test, i) => {
      if (i > 0 && test.ms > leftMs) return false;
      leftMs -= test.ms;
      return true;
    });
  }

  #hear(answer: Answer, isAbout: boolean): void {
    if (answer.kind === 'unfit') this.#unfit.add(answer.test);
    if (answer.kind === 'killed') this.#set(this.#of(answer.mutant), 'killed', answer.test);
    if (answer.kind !== 'survived') return;
    const tried = this.#of(answer.mutant);
    if (isAbout) tried.left = answer.tests;
    else this.#set(tried, 'survived', `${(tried.left ?? 0) + answer.tests} tests`);
  }

  #isKnown({ target, mutant }: Tried): boolean {
    return mutant.index in this.#results.of(target.file);
  }

  #set({ target, mutant }: Tried, outcome: Result['outcome'], by: string): void {
    const { file, text } = target;
    this.#results.set(file, mutant.index, { name: nameOf(text, mutant), line: mutant.line, outcome, by });
    // It may be ended at any moment, and goes on from here.
    this.#results.save();
  }

  #of = (key: string): Tried => this.#all.get(key) as Tried;
}
