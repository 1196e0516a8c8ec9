// Decides what befalls each call: what the plan aims at a step of the protocols, and else by the plan's rates and the process's own draws. It
// counts what it did, and stops after as many faults as it is told: that is how a failing seed is shrunk.
import type { SimProcess } from '../scheduler/sim-process.ts';
import { NO_RATES, type RateName, type Rates } from './profile.ts';
import type { Crash, Target } from './target.ts';

export type Outcome = 'done' | 'answered-late' | Crash;

export interface Fate {
  readonly outcome: Outcome;
  readonly latencyUs: number;
  /** The answer comes by so much later than the deed. */
  readonly answerUs: number;
  /** Of what is done after it failed: so long afterwards, if that is told. */
  readonly doneAfterUs?: number;
}

const MS = 1000;
const SECOND = 1000 * MS;
/** Most calls only read: what befalls them matters less, and calls that change something get their share. */
const READS_WEIGHT = 0.3;
const CHANGES_WEIGHT = 3;

export class Injector {
  /** How many of each kind were made. */
  readonly made = new Map<string, number>();
  isOver = false;
  /** Told when a target is hit. */
  onHit: (target: Target) => void = () => {};
  readonly #waiting: { readonly target: Target; left: number; times: number }[];
  readonly #faultsMax: number;
  readonly #deathsMax: number;
  #rates: Rates;
  #faults = 0;
  #deaths = 0;
  /** When the call is done that was made late last. */
  #lateUntilUs = 0;

  constructor(
    rates: Rates,
    targets: readonly Target[],
    limits: { readonly faultsMax: number; readonly deathsMax: number },
  ) {
    this.#rates = rates;
    this.#waiting = targets.map((target) => ({ target, left: target.skipped, times: 1 + (target.repeats ?? 0) }));
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
  happens(kind: RateName, process: SimProcess, weight = 1): boolean {
    const rate = this.#rates[kind] * weight;
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

  /** `steps`: what the call is of the protocols. A call that changes something may be done after it answered. */
  fateOf(process: SimProcess, steps: readonly string[], changesSomething: boolean): Fate {
    const { fate } = process;
    const hit = this.#hit(steps, process);
    if (hit !== undefined) return this.#aimed(process, hit);
    const weight = changesSomething ? CHANGES_WEIGHT : READS_WEIGHT;
    const isLate = this.happens('slow', process, weight);
    const isAtOnce = !changesSomething && fate.below(3) > 0;
    const latencyUs = isLate ? longUs(process) : isAtOnce ? 0 : this.#latencyUs(process);
    const answerUs = this.happens('slowAnswer', process, weight)
      ? longUs(process)
      : !isAtOnce && fate.below(4) === 0
        ? fate.below(20 * MS)
        : 0;
    if (this.happens('freezes', process, weight)) process.frozenUntilUs = process.scheduler.nowUs + longUs(process);
    const outcome = this.#outcome(process, changesSomething, weight);
    return { outcome: outcome === 'done' && isLate ? 'comes-late' : outcome, latencyUs, answerUs };
  }

  #hit(steps: readonly string[], { owner, scheduler: { nowUs } }: SimProcess): Target | undefined {
    if (this.#faults >= this.#faultsMax) return undefined;
    const at = this.#waiting.findIndex(
      (one) =>
        steps.includes(one.target.step) &&
        (one.target.by === undefined || owner.includes(one.target.by)) &&
        !(one.target.isRightAfter === true && nowUs > this.#lateUntilUs) &&
        one.left-- <= 0,
    );
    const hit = this.#waiting[at];
    if (hit !== undefined && --hit.times <= 0) this.#waiting.splice(at, 1);
    return hit?.target;
  }

  #aimed(process: SimProcess, target: Target): Fate {
    this.note('aimed');
    this.onHit(target);
    const { outcome, lateMs, freezes } = target;
    if (outcome.startsWith('dies')) this.#deaths += 1;
    const isLate = outcome === 'comes-late';
    const { nowUs } = process.scheduler;
    const lateUs = target.isRightAfter === true ? this.#lateUntilUs - nowUs + MS : lateMs * MS;
    const latencyUs = isLate ? lateUs : this.#latencyUs(process);
    if (isLate) this.#lateUntilUs = nowUs + latencyUs;
    const answerUs = outcome === 'answered-late' ? lateMs * MS : 0;
    if (freezes && (isLate || answerUs > 0)) process.frozenUntilUs = process.scheduler.nowUs + lateMs * MS;
    if (outcome !== 'done-late' || target.doneAfterMs === undefined) return { outcome, latencyUs, answerUs };
    const doneAfterUs = target.doneAfterMs * MS;
    this.#lateUntilUs = nowUs + latencyUs + doneAfterUs;
    return { outcome, latencyUs, answerUs, doneAfterUs };
  }

  #outcome(process: SimProcess, changesSomething: boolean, weight: number): Outcome {
    if (this.happens('dies', process, weight)) return process.fate.below(2) === 0 ? 'dies-before' : 'dies-after';
    if (this.happens('failsBefore', process, weight)) return 'fails-before';
    if (!changesSomething) return 'done';
    if (this.happens('failsAfter', process, weight)) return 'fails-after';
    if (this.happens('doneLate', process, weight)) return 'done-late';
    return 'done';
  }

  /** Most calls are quick, some are not: a heavy tail brings any two calls into either order. */
  #latencyUs(process: SimProcess): number {
    const draw = process.fate.below(32);
    return process.fate.below(draw === 0 ? 800 * MS : draw < 4 ? 60 * MS : 4 * MS);
  }
}

/** Seconds, or a minute and more: beyond any lease. */
export const longUs = (process: SimProcess): number =>
  process.fate.below(3) === 0
    ? 60 * SECOND + process.fate.below(90 * SECOND)
    : 2 * SECOND + process.fate.below(30 * SECOND);
