// What a process that runs tests with mutants is told (a file), and what it answers (a line of JSON each, as it goes).

export interface Job {
  /** Files of tests to load, relative to the project. */
  readonly testFiles: readonly string[];
  /** None: every test is run once, to see what it comes by. */
  readonly mutants?: readonly MutantJob[];
  readonly answers: string;
}

export interface MutantJob {
  readonly file: string;
  readonly index: number;
  /** Names of tests, in the order in which they are tried. */
  readonly tests: readonly TestTime[];
}

export interface TestTime {
  readonly test: string;
  readonly ms: number;
}

export type Answer =
  /** Something begins that should take no longer. */
  | { readonly kind: 'begin'; readonly test: string; readonly ms: number; readonly mutant?: string }
  | { readonly kind: 'covered'; readonly test: string; readonly ms: number; readonly files: Record<string, number[]> }
  | { readonly kind: 'unfit'; readonly test: string; readonly reason: string }
  | { readonly kind: 'killed'; readonly mutant: string; readonly test: string; readonly reason: string }
  | { readonly kind: 'survived'; readonly mutant: string; readonly tests: number }
  /** The process is not what it was: what is left is for another. */
  | { readonly kind: 'spoilt'; readonly reason: string }
  | { readonly kind: 'loaded'; readonly pid: number }
  | { readonly kind: 'done' };

export const mutantKey = ({ file, index }: Pick<MutantJob, 'file' | 'index'>): string => `${file}:${index}`;
