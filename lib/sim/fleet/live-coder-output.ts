// What the Live Coder seals: normally full volumes; during the replayed incident also volumes that are hardly filled.
// The shapes are bands of (share, least fill, greatest fill).
import type { SeededRandomness } from '../../foundation/randomness.ts';

export const OUTPUT_SHAPES = ['severe', 'mixed', 'mid'] as const;
export type OutputShape = (typeof OUTPUT_SHAPES)[number];

type Band = readonly [share: number, low: number, high: number];

const BANDS: Readonly<Record<OutputShape, readonly Band[]>> = {
  severe: [
    [0.5, 0.01, 0.05],
    [0.3, 0.05, 0.3],
    [0.2, 0.3, 0.7],
  ],
  mixed: [
    [0.25, 0.01, 0.05],
    [0.4, 0.05, 0.5],
    [0.35, 0.5, 0.85],
  ],
  mid: [
    [0.1, 0.01, 0.05],
    [0.6, 0.2, 0.5],
    [0.3, 0.5, 0.85],
  ],
};

export const uniform01 = (random: SeededRandomness): number => random.uint32() / 2 ** 32;

/** Fill of the next under-filled volume. */
export function drawFill(shape: OutputShape, random: SeededRandomness): number {
  const bands = BANDS[shape];
  let at = uniform01(random);
  let band = bands[bands.length - 1] as Band;
  for (const candidate of bands) {
    if (at < candidate[0]) {
      band = candidate;
      break;
    }
    at -= candidate[0];
  }
  return band[1] + (band[2] - band[1]) * uniform01(random);
}
