// The durability sheet: the chain against closed forms, and against lives drawn by chance with a printed seed.
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES } from '../../lib/codec/codec.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import {
  ASSUMED,
  type Code,
  codeOf,
  durabilitySheet,
  meanYearsToLoss,
  type Rates,
  ratesOf,
} from '../../lib/verify/durability/model.ts';
import { tryOut } from '../../lib/verify/durability/trial.ts';

const ALONE = { columnsPerDomain: 1 };
const rates = (lossPerYear: number, repairsPerYear: number): Rates => ({
  lossPerYear,
  repairsPerYear,
  domainLossPerYear: 0,
});
const survivesAny = (columns: number, t: number): Code => ({ columns, recoverable: new Array<number>(t + 1).fill(1) });
const close = (value: number, wanted: number): void => expect(value / wanted).toBeCloseTo(1, 9);

describe('the chain', () => {
  it('is the closed form where nothing may be lost, one, or two', () => {
    const [l, m] = [0.03, 180];
    close(meanYearsToLoss(survivesAny(1, 0), rates(l, m), ALONE), 1 / l);
    close(meanYearsToLoss(survivesAny(5, 0), rates(l, m), ALONE), 1 / (5 * l));
    for (const n of [2, 3, 9])
      close(meanYearsToLoss(survivesAny(n, 1), rates(l, m), ALONE), ((2 * n - 1) * l + m) / (n * (n - 1) * l ** 2));
    // Three states, each column repaired by itself: 1/a + 1/b + 1/c + m/(a b) + 2 m/(b c) + 2 m^2/(a b c).
    const [a, b, c] = [9 * l, 8 * l, 7 * l];
    const three = 1 / a + 1 / b + 1 / c + m / (a * b) + (2 * m) / (b * c) + (2 * m ** 2) / (a * b * c);
    close(meanYearsToLoss(survivesAny(9, 2), rates(l, m), ALONE), three);
  });

  it('is exact where losses are rarer than numbers tell apart', () => {
    const years = meanYearsToLoss(survivesAny(4, 3), rates(1e-6, 1e6), ALONE);
    close(years, (1 * 2 * 3 * 1e18) / (4 * 3 * 2 * 1 * 1e-24));
  });

  it('knows the codes: how many losses each certainly survives, and LRC most fours', () => {
    const certain = (name: Parameters<typeof codeOf>[0]): number =>
      codeOf(name).recoverable.filter((part) => part === 1).length - 1;
    expect(CODEC_NAMES.map((name) => [name, certain(name)])).toEqual(
      expect.arrayContaining([
        ['single', 0],
        ['replica-4', 3],
        ['rs-6-3', 3],
        ['lrc-12-2-2', 3],
        ['xor-2-1', 1],
      ]),
    );
    expect(codeOf('lrc-12-2-2').recoverable[4]).toBeCloseTo(1568 / 1820, 12);
  });

  it('loses a volume with the first domain that holds more of it than the code survives', () => {
    const together: Rates = { lossPerYear: 0.02, repairsPerYear: 180, domainLossPerYear: 0.01 };
    const years = meanYearsToLoss(codeOf('rs-6-3'), together, { columnsPerDomain: 9 });
    expect(years).toBeGreaterThan(95);
    expect(years).toBeLessThan(100.01);
  });

  it('gets worse with everything that makes it worse', () => {
    const lossOf = (changes: Partial<typeof ASSUMED>) =>
      durabilitySheet({ ...ASSUMED, ...changes }).find(({ codec }) => codec === 'rs-6-3')?.lossPerVolumeYear as number;
    const base = lossOf({});
    for (const changes of [
      { driveFailuresPerYear: 0.04 },
      { rotPerYear: 0.05 },
      { repairHours: 96 },
      { scrubDays: 60 },
    ])
      expect(lossOf(changes)).toBeGreaterThan(base);
  });
});

describe('lives drawn by chance (seed 17)', () => {
  it.each([
    ['rs-6-3', 1],
    ['lrc-12-2-2', 1],
    ['lrc-12-2-2', 3],
    ['replica-4', 1],
    ['xor-2-1', 3],
    ['single', 1],
  ] as const)('agree with the chain for %s, %d columns a domain', (name, columnsPerDomain) => {
    const trial = tryOut(
      codeOf(name),
      ratesOf(ASSUMED),
      { columnsPerDomain },
      { trials: 1500, random: new SeededRandomness(17) },
    );
    expect(Math.abs(trial.trialYears - trial.modelYears)).toBeLessThan(4 * trial.standardError);
    expect(trial.standardError).toBeLessThan(trial.trialYears / 20);
  });
});
