// The model of model.ts tried out: volumes live and die by chance, event by event, and the mean of their lives is held
// against the chain's. Losses that happen once in a million years are seen by nobody, so the trial makes failures more
// frequent, and compares both at those rates. Same seed, same figures.
import type { SeededRandomness } from '../../foundation/randomness.ts';
import { type Code, type Layout, meanYearsToLoss, type Rates, survives } from './model.ts';

export interface Trial {
  readonly trials: number;
  /** Failures were made so many times as frequent. */
  readonly faster: number;
  readonly modelYears: number;
  readonly trialYears: number;
  /** Of the trials' mean. */
  readonly standardError: number;
}

const RESOLUTION = 2 ** 31;

/** A number in (0, 1]. */
const unit = (random: SeededRandomness): number => (random.below(RESOLUTION) + 1) / RESOLUTION;

export function tryOut(
  code: Code,
  rates: Rates,
  layout: Layout,
  { trials, random }: { readonly trials: number; readonly random: SeededRandomness },
): Trial {
  // A tenth of the columns is being repaired at any time: losses come within hundreds of events.
  const faster = rates.repairsPerYear / (10 * rates.lossPerYear);
  const quick: Rates = {
    ...rates,
    lossPerYear: rates.lossPerYear * faster,
    domainLossPerYear: rates.domainLossPerYear * faster,
  };
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < trials; i++) {
    const years = lifeOf(code, quick, layout, random);
    sum += years;
    squares += years * years;
  }
  const trialYears = sum / trials;
  const variance = Math.max(0, squares / trials - trialYears * trialYears);
  return {
    trials,
    faster,
    modelYears: meanYearsToLoss(code, quick, layout),
    trialYears,
    standardError: Math.sqrt(variance / trials),
  };
}

function lifeOf(code: Code, rates: Rates, { columnsPerDomain }: Layout, random: SeededRandomness): number {
  const domainRate = Math.ceil(code.columns / columnsPerDomain) * rates.domainLossPerYear;
  let years = 0;
  for (let lost = 0; ; ) {
    const fails = (code.columns - lost) * rates.lossPerYear;
    const repairs = lost * rates.repairsPerYear;
    const all = fails + repairs + domainRate;
    years -= Math.log(unit(random)) / all;
    const drawn = unit(random) * all;
    if (drawn <= repairs) {
      lost -= 1;
      continue;
    }
    const more = Math.min(drawn <= repairs + fails ? 1 : columnsPerDomain, code.columns - lost);
    if (unit(random) > survives(code, lost, more)) return years;
    lost += more;
  }
}
