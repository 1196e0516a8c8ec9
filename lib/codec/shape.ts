// How many columns each codec has, apart from its arithmetic: settings, formats and infrastructure only need this.
import type { CodecName } from './codec.ts';

export interface CodecShape {
  readonly dataColumns: number;
  readonly parityColumns: number;
  /** Number of the codec in bytes on a drive; never reused. */
  readonly wire: number;
}

const SHAPES: Readonly<Record<CodecName, CodecShape>> = {
  single: { dataColumns: 1, parityColumns: 0, wire: 1 },
  'replica-4': { dataColumns: 1, parityColumns: 3, wire: 2 },
  'rs-6-3': { dataColumns: 6, parityColumns: 3, wire: 3 },
  'lrc-12-2-2': { dataColumns: 12, parityColumns: 4, wire: 4 },
  'xor-2-1': { dataColumns: 2, parityColumns: 1, wire: 5 },
  'xor-3-1': { dataColumns: 3, parityColumns: 1, wire: 6 },
};

export const codecShape = (name: CodecName): CodecShape => SHAPES[name];

/** The codec of a wire number, if this version knows it. */
export function codecOfWire(wire: number): CodecName | undefined {
  return (Object.keys(SHAPES) as CodecName[]).find((name) => SHAPES[name].wire === wire);
}
