// Which test comes by which mutant, and how long it takes: measured once, and again for what has changed. Kept in the folder of the results.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { TestTime } from './job.ts';
import { isExact } from './mutated.ts';
import { runJob } from './run-job.ts';

interface Covered {
  readonly testFile: string;
  /** Of the file of tests, and of each mutated file it came by: other text, other numbers. */
  readonly hash: string;
  readonly cameBy: Readonly<Record<string, string>>;
  readonly tests: { readonly test: string; readonly ms: number; readonly files: Record<string, number[]> }[];
  readonly unfit: string[];
}

export const hashOf = (...texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16);

export class Coverage {
  readonly #file: string;
  readonly #known: Map<string, Covered>;

  constructor(folder: string) {
    this.#file = path.join(folder, 'coverage.json');
    const text = fs.existsSync(this.#file) ? fs.readFileSync(this.#file, 'utf8') : '[]';
    this.#known = new Map((JSON.parse(text) as Covered[]).map((covered) => [covered.testFile, covered]));
  }

  /** Runs those that have another text, or came by a file that has; what is known is kept even if this is stopped. */
  async renew(
    folder: string,
    testFiles: readonly string[],
    hashes: ReadonlyMap<string, string>,
    isWanted: (testFile: string) => boolean,
  ): Promise<void> {
    const isStale = (testFile: string): boolean => {
      const known = this.#known.get(testFile);
      if (known?.hash !== hashes.get(testFile)) return true;
      return Object.entries(known?.cameBy ?? {}).some(([file, hash]) => hashes.get(file) !== hash);
    };
    const stale = testFiles.filter((testFile) => isWanted(testFile) && isStale(testFile));
    for (const testFile of this.#known.keys()) if (!testFiles.includes(testFile)) this.#known.delete(testFile);
    if (stale.length === 0) return;
    console.log(`running ${stale.length} files of tests once, to see what they come by`);
    for (const testFile of stale) this.#known.delete(testFile);
    let open: Covered | undefined;
    const close = (): void => {
      if (open === undefined) return;
      const files = open.tests.flatMap((test) => Object.keys(test.files));
      const cameBy = Object.fromEntries(files.map((file) => [file, hashes.get(file) ?? '']));
      this.#known.set(open.testFile, { ...open, cameBy });
      fs.writeFileSync(this.#file, JSON.stringify([...this.#known.values()]));
    };
    const of = (test: string): Covered => {
      const testFile = testFileOf(test);
      if (open?.testFile === testFile) return open;
      close();
      open = { testFile, hash: hashes.get(testFile) ?? '', cameBy: {}, tests: [], unfit: [] };
      return open;
    };
    const stopped = await runJob(folder, { testFiles: stale }, (answer) => {
      if (answer.kind === 'covered')
        of(answer.test).tests.push({ test: answer.test, ms: answer.ms, files: answer.files });
      if (answer.kind !== 'unfit') return;
      of(answer.test).unfit.push(answer.test);
      console.log(`not used, it fails here: ${answer.test}: ${answer.reason}`);
    });
    if (stopped !== undefined) throw new Error(`the tests stopped at ${JSON.stringify(stopped)}`);
    close();
    // Those without a test.
    for (const testFile of stale)
      if (!this.#known.has(testFile))
        this.#known.set(testFile, { testFile, hash: hashes.get(testFile) ?? '', cameBy: {}, tests: [], unfit: [] });
    fs.writeFileSync(this.#file, JSON.stringify([...this.#known.values()]));
  }

  /** Which mutants of a file some test comes by. */
  cameBy(file: string): ReadonlySet<number> {
    return new Set([...this.#known.values()].flatMap(({ tests }) => tests.flatMap(({ files }) => files[file] ?? [])));
  }

  /**
   * The tests that come by a mutant: the quickest of every file of tests first, then the second quickest of each, and so on. What
   * the tests of one file ask is much alike, and what one of them does not notice the next one hardly does.
   */
  testsOf(file: string, index: number): readonly TestTime[] {
    const byFile = [...this.#known.values()].map(({ tests }) =>
      tests
        .filter(({ files }) => files[file]?.includes(index))
        .map(({ test, ms }) => ({ test, ms: Math.round(ms * 10) / 10 }))
        .sort((a, b) => a.ms - b.ms),
    );
    return byFile
      .flatMap((tests) => tests.map((test, turn) => ({ test, turn })))
      .sort((a, b) => a.turn - b.turn || a.test.ms - b.test.ms)
      .map(({ test }) => test);
  }

  /** The files of tests, but for exact ones, that come by many mutants of a file and by few other files. */
  filesAbout(file: string, count: number): ReadonlySet<string> {
    const about = [...this.#known.values()].map(({ testFile, tests }) => {
      const own = new Set(tests.flatMap(({ files }) => files[file] ?? [])).size;
      const others = new Set(tests.flatMap(({ files }) => Object.keys(files))).size;
      return { testFile, weight: own / (1 + others) };
    });
    const best = about
      .filter(({ testFile, weight }) => weight > 0 && !isExact(testFile))
      .sort((a, b) => b.weight - a.weight);
    return new Set(best.slice(0, count).map(({ testFile }) => testFile));
  }
}

export const testFileOf = (test: string): string => test.split(' > ')[0] ?? '';
