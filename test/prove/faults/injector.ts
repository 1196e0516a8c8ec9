// Decides what befalls each call, by the plan's rates and the process's own draws. It counts what it did, and stops after as many
// faults as it is told: that is how a failing seed is shrunk.
import type { SimProcess } from '../scheduler/sim-process.ts';
import { NO_RATES, type RateName, type Rates } from './profile.ts';

export type Outcome = 'done' | 'fails-before' | 'fails-after' | 'done-late' | 'dies-before' | 'dies-after';

export interface Fate {
  readonly outcome: Outcome;
  readonly latencyUs: number;
  /** The answer comes by so much later than the deed. */
  readonly answerUs: number;
}

const MS = 1000;
const SECOND = 1000 * MS;

export class Injector {
  /** How many of each kind were made. */
  readonly made = new Map<string, number>();
  isOver = false;
  readonly #faultsMax: number;
  readonly #deathsMax: number;
  #rates: Rates;
  #faults = 0;
  #deaths = 0;

  constructor(rates: Rates, limits: { readonly faultsMax: number; readonly deathsMax: number }) {
    this.#rates = rates;
    this.#faultsMax = limits.faultsMax;
    this.#deathsMax = limits.deathsMax;
  }

  get faults(): number {
    return this.#faults;
  }

  /** From now on nothing fails, and nothing takes any time. */
  end(): void {
    this.#rates = NO_RATES;
    this.isOver = true;
  }

  /** Whether this happens now: drawn, noted and counted. */
  happens(kind: RateName, process: SimProcess): boolean {
    const rate = this.#rates[kind];
    if (rate === 0 || this.#faults >= this.#faultsMax) return false;
    if (process.fate.below(10_000) >= rate) return false;
    if (kind === 'dies') {
      if (this.#deaths >= this.#deathsMax) return false;
      this.#deaths += 1;
    }
    this.note(kind);
    return true;
  }

  note(kind: string): void {
    this.#faults += 1;
    this.made.set(kind, (this.made.get(kind) ?? 0) + 1);
  }

  /** `mayDoTwice`: of a call that changes something, so that it may be done after it answered. */
  fateOf(process: SimProcess, changesSomething: boolean): Fate {
    const { fate } = process;
    const latencyUs = this.#latencyUs(process);
    const answerUs = this.happens('slowAnswer', process)
      ? longUs(process)
      : fate.below(4) === 0
        ? fate.below(20 * MS)
        : 0;
    if (this.happens('freezes', process)) process.frozenUntilUs = process.scheduler.nowUs + longUs(process);
    return { outcome: this.#outcome(process, changesSomething), latencyUs, answerUs };
  }

  #outcome(process: SimProcess, changesSomething: boolean): Outcome {
    if (this.happens('dies', process)) return process.fate.below(2) === 0 ? 'dies-before' : 'dies-after';
    if (this.happens('failsBefore', process)) return 'fails-before';
    if (!changesSomething) return 'done';
    if (this.happens('failsAfter', process)) return 'fails-after';
    if (this.happens('doneLate', process)) return 'done-late';
    return 'done';
  }

  /** Most calls are quick, some are not: a heavy tail brings any two calls into either order. */
  #latencyUs(process: SimProcess): number {
    if (this.happens('slow', process)) return longUs(process);
    const draw = process.fate.below(32);
    return process.fate.below(draw === 0 ? 800 * MS : draw < 4 ? 60 * MS : 4 * MS);
  }
}

/** Seconds, or a minute and more: beyond any lease. */
export const longUs = (process: SimProcess): number =>
  process.fate.below(3) === 0
    ? 60 * SECOND + process.fate.below(90 * SECOND)
    : 2 * SECOND + process.fate.below(30 * SECOND);
