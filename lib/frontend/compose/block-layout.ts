// Where an object's blocks begin and end: at multiples of the block size from its start, or, where it was put together
// from parts, from the start of each part.
import type { ObjectRow } from '../../panda/rows/object-row.ts';

export interface BlockPlace {
  readonly index: number;
  /** Of its first byte in the object. */
  readonly start: number;
  readonly bytes: number;
}

type Laid = Pick<ObjectRow, 'sizeBytes' | 'blockBytes' | 'parts'>;

/** The block with the byte at `offset`, which is one of the object's. */
export function blockAt({ sizeBytes, blockBytes, parts }: Laid, offset: number): BlockPlace {
  let index = 0;
  let start = 0;
  for (const run of parts ?? [{ count: 1, bytes: sizeBytes }]) {
    const blocksEach = Math.ceil(run.bytes / blockBytes);
    if (offset >= start + run.count * run.bytes) {
      index += run.count * blocksEach;
      start += run.count * run.bytes;
      continue;
    }
    const part = Math.floor((offset - start) / run.bytes);
    const partStart = start + part * run.bytes;
    const inPart = Math.floor((offset - partStart) / blockBytes);
    return {
      index: index + part * blocksEach + inPart,
      start: partStart + inPart * blockBytes,
      bytes: Math.min(blockBytes, run.bytes - inPart * blockBytes),
    };
  }
  throw new RangeError(`no block has the byte at ${offset}`);
}

export interface PartPlace {
  readonly start: number;
  readonly bytes: number;
}

/** The part of a number from 1 on; undefined if there are not so many. */
export function partAt({ parts = [] }: Pick<ObjectRow, 'parts'>, number: number): PartPlace | undefined {
  let before = 0;
  let start = 0;
  for (const { count, bytes } of parts) {
    if (number <= before + count) return { start: start + (number - before - 1) * bytes, bytes };
    before += count;
    start += count * bytes;
  }
  return undefined;
}

/** How many parts it was put together from; 0 if it was not. */
export const partsOf = ({ parts = [] }: Pick<ObjectRow, 'parts'>): number =>
  parts.reduce((sum, { count }) => sum + count, 0);
