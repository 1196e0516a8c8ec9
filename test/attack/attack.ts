// What an attack is, and what it says about the store it was done to.
import type { World } from './world.ts';

export interface Outcome {
  /** By what the store noticed; undefined: it did not. */
  readonly detected: string | undefined;
  /** What was not the right answer, a line each. */
  readonly faults: readonly string[];
}

export interface Attack {
  readonly name: string;
  /** The right answer, in a line. */
  readonly right: string;
  /** A sound store: anything detected is a false alarm. */
  readonly isHarmless?: boolean;
  /** Why it cannot be done on this machine, or undefined. */
  readonly impossible?: (() => string | undefined) | undefined;
  run(world: World): Promise<Outcome>;
}

export interface Result {
  readonly attack: string;
  readonly seed: number;
  readonly right: string;
  readonly detected: string;
  readonly verdict: 'right' | 'undetected' | 'false alarm' | 'wrong' | 'not done';
  readonly faults: readonly string[];
  readonly tookMs: number;
}

/** Gathers faults, so that an attack says all that is wrong, not the first of it. */
export class Faults {
  readonly list: string[] = [];

  unless(isRight: boolean, otherwise: string): void {
    if (!isRight) this.list.push(otherwise);
  }
}

export function verdictOf(attack: Attack, { detected, faults }: Outcome): Result['verdict'] {
  if (attack.isHarmless === true && detected !== undefined) return 'false alarm';
  if (attack.isHarmless !== true && detected === undefined) return 'undetected';
  return faults.length > 0 ? 'wrong' : 'right';
}
