// Ranges of staged parts: the right bytes, and no part opened that has none of them, but for the next one.
import { describe, expect, it } from 'vitest';
import { StagedBytes } from '../../lib/frontend/bulk/staged-parts.ts';
import { STAGED_PARTS_HELD_MAX } from '../../lib/limits/stage.ts';

const LENGTHS = [5, 1, 7, 3, 4, 2, 6];
const ALL = Uint8Array.from({ length: LENGTHS.reduce((sum, bytes) => sum + bytes, 0) }, (_, i) => i);

function staged(lengths = LENGTHS) {
  const parts = lengths.map((bytes, i) => ({ part: String(i), bytes }));
  const opened: string[] = [];
  const bytes = new StagedBytes(parts, async ({ part, bytes: length }) => {
    opened.push(part);
    const from = lengths.slice(0, Number(part)).reduce((sum, one) => sum + one, 0);
    return ALL.subarray(from, from + length);
  });
  return { bytes, opened };
}

async function rangeOf(bytes: StagedBytes, offset: number, length: number): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes.range(offset, length)) pieces.push(piece);
  return pieces;
}

describe('staged parts', () => {
  it('give every range, in pieces none of which is empty', async () => {
    expect(staged().bytes.sizeBytes).toBe(ALL.length);
    for (let offset = 0; offset <= ALL.length; offset++)
      for (let length = 0; offset + length <= ALL.length; length++) {
        const pieces = await rangeOf(staged().bytes, offset, length);
        expect(Buffer.concat(pieces)).toEqual(Buffer.from(ALL.subarray(offset, offset + length)));
        if (length > 0) expect(pieces.map((piece) => piece.length)).not.toContain(0);
      }
  });

  it('are opened where the range is, one ahead, and each once while it is held', async () => {
    const { bytes, opened } = staged();
    await rangeOf(bytes, 6, 7);
    expect(opened).toEqual(['3', '2']);
    await rangeOf(bytes, 12, 2);
    expect(opened).toEqual(['3', '2', '4']);
    expect(await rangeOf(bytes, ALL.length, 0)).toEqual([]);
    const one = staged(Array.from({ length: ALL.length }, () => 1));
    await rangeOf(one.bytes, 0, ALL.length);
    expect(one.opened).toHaveLength(ALL.length);
    // Those asked for last are held; one that was let go of is opened again.
    one.opened.length = 0;
    await rangeOf(one.bytes, ALL.length - 1, 1);
    expect(one.opened).toEqual([]);
    await rangeOf(one.bytes, ALL.length - STAGED_PARTS_HELD_MAX, 1);
    expect(one.opened).toEqual([]);
    await rangeOf(one.bytes, 0, 1);
    expect(one.opened).toEqual(['1', '0']);
  });
});
