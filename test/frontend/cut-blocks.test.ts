// The memory of blocks that are cut from a body: as long as they are said to be, and no shorter than they are.
import { expect, it } from 'vitest';
import { type ByteSource, cutBlocks } from '../../lib/frontend/cut-blocks.ts';

const BLOCK = 10;
const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i);

function inPieces(all: Uint8Array, pieceBytes: number): ByteSource {
  return async function* () {
    for (let at = 0; at < all.length; at += pieceBytes) yield all.subarray(at, at + pieceBytes);
  };
}

async function cut(length: number, sizeBytes: number | undefined) {
  const taken: number[] = [];
  const given: number[] = [];
  const memory = {
    take: (count: number) => {
      taken.push(count);
      return new Uint8Array(count);
    },
    give: ({ byteLength }: ArrayBuffer) => void given.push(byteLength),
  };
  const blocks: Uint8Array[] = [];
  for await (const block of cutBlocks(inPieces(bytes(length), 4), BLOCK, { memory, sizeBytes })) blocks.push(block);
  expect(Buffer.concat(blocks)).toEqual(Buffer.from(bytes(length)));
  expect(blocks.slice(0, -1).every((block) => block.length === BLOCK)).toBe(true);
  return { taken, given };
}

it('of a body whose length is known each has what it needs at once', async () => {
  expect(await cut(27, 27)).toEqual({ taken: [10, 10, 7], given: [] });
  expect(await cut(20, 20)).toEqual({ taken: [10, 10], given: [] });
  expect(await cut(3, 3)).toEqual({ taken: [3], given: [] });
});

it('of one that is longer, or whose length is not known, what was too short is given back', async () => {
  expect(await cut(19, 17)).toEqual({ taken: [10, 7, 10], given: [7] });
  expect(await cut(9, undefined)).toEqual({ taken: [4, 10], given: [4] });
  expect(await cut(4, 0)).toEqual({ taken: [4], given: [] });
});

it('of one that is shorter the last has room to spare', async () => {
  expect(await cut(13, 1000)).toEqual({ taken: [10, 10], given: [] });
});
