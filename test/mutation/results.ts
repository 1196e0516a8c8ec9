// What became of the mutants: kept by file and name, so that a run goes on where the last one stopped, and a changed file begins anew.
import fs from 'node:fs';
import path from 'node:path';

export interface Result {
  readonly name: string;
  readonly line: number;
  readonly outcome: 'killed' | 'survived';
  /** The test that noticed it, or how many did not. */
  readonly by: string;
}

interface FileResults {
  readonly hash: string;
  readonly mutants: number;
  readonly results: Record<number, Result>;
}

export class Results {
  readonly #file: string;
  readonly #files: Record<string, FileResults>;

  constructor(folder: string) {
    this.#file = path.join(folder, 'results.json');
    this.#files = fs.existsSync(this.#file)
      ? (JSON.parse(fs.readFileSync(this.#file, 'utf8')) as Record<string, FileResults>)
      : {};
  }

  /** Forgets what was of another text of the file. */
  begin(file: string, hash: string, mutants: number): void {
    if (this.#files[file]?.hash !== hash) this.#files[file] = { hash, mutants, results: {} };
  }

  of(file: string): Readonly<Record<number, Result>> {
    return this.#files[file]?.results ?? {};
  }

  set(file: string, index: number, result: Result): void {
    const known = this.#files[file];
    if (known === undefined) return;
    known.results[index] = result;
  }

  /** Those that survived are tried again: there may be new tests. */
  forgetSurvivors(file: string): void {
    const results = this.#files[file]?.results ?? {};
    for (const [index, { outcome }] of Object.entries(results))
      if (outcome === 'survived') delete results[Number(index)];
  }

  save(): void {
    fs.writeFileSync(`${this.#file}.new`, JSON.stringify(this.#files, null, 1));
    fs.renameSync(`${this.#file}.new`, this.#file);
  }
}
