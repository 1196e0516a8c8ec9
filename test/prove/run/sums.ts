// What many runs come to; sums of processes add up.
import type { CoverageFigures } from '../checkers/coverage.ts';
import { Coverage } from '../checkers/coverage.ts';
import type { RunResult } from './run-plan.ts';

export interface FailedSeed {
  readonly seed: number;
  readonly kind: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Replays it, cut down as far as it would go. */
  readonly command: string;
}

export interface SumsFigures {
  readonly runs: number;
  readonly steps: number;
  readonly operations: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly coverage: CoverageFigures;
  readonly failed: readonly FailedSeed[];
}

export class Sums {
  #runs = 0;
  #steps = 0;
  #operations = 0;
  readonly #faults = new Map<string, number>();
  readonly #coverage = new Coverage();
  readonly #failed: FailedSeed[] = [];

  add(result: RunResult): void {
    this.merge({ ...result, runs: 1, failed: [] });
  }

  fail(failed: FailedSeed): void {
    this.#failed.push(failed);
  }

  merge(other: SumsFigures): void {
    this.#runs += other.runs;
    this.#steps += other.steps;
    this.#operations += other.operations;
    for (const [kind, count] of Object.entries(other.faults))
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
    this.#coverage.merge(other.coverage);
    this.#failed.push(...other.failed);
  }

  figures(): SumsFigures {
    return {
      runs: this.#runs,
      steps: this.#steps,
      operations: this.#operations,
      faults: Object.fromEntries([...this.#faults].sort()),
      coverage: this.#coverage.figures(),
      failed: this.#failed,
    };
  }
}
