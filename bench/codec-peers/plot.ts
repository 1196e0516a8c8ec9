// The SVG plot of `npm run bench -- codec`: one group of bars per case, one bar per contender.
import { type BarGroup, barsSvg } from '../bars-svg.ts';
import { CODES, FRAGMENTS, type Measurement } from './cases.ts';

export function plotSvg(measured: readonly Measurement[], machine: string): string {
  return barsSvg(`Erasure coding, one thread, best GB/s of columns read. ${machine}`, groupsOf(measured));
}

const groupsOf = (measured: readonly Measurement[]): BarGroup[] =>
  CODES.flatMap(({ name: code }) =>
    ['encode', 'lose-1', 'worst'].flatMap((operation) =>
      FRAGMENTS.map((fragmentBytes) => ({
        title: `${code}, ${operation}, ${fragmentBytes >> 10} KiB`,
        bars: measured
          .filter((m) => m.code === code && m.operation === operation && m.fragmentBytes === fragmentBytes)
          .sort((a, b) => b.bestGBs - a.bestGBs)
          .map(({ contender, bestGBs }) => ({ name: contender, value: bestGBs })),
      })),
    ),
  );
