// Rows of blocks for property tests.
import fc from 'fast-check';
import type { Row } from '../../lib/panda/panda.ts';
import { type BlockRow, blockAttributes, blockKey } from '../../lib/panda/rows/block-row.ts';

export const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
export const count = fc.oneof(fc.nat(300), fc.maxSafeNat());

interface BlockChoices {
  readonly cell: fc.Arbitrary<string>;
  readonly refs: fc.Arbitrary<number>;
  readonly kekVersion: fc.Arbitrary<number>;
}

export const blocksOf = (choices: BlockChoices): fc.Arbitrary<BlockRow> =>
  fc
    .record({
      id: hex(32),
      bucket: hex(8),
      slot: fc.nat(65_535),
      recordId: hex(16),
      recordBytes: count,
      plaintextBytes: count,
      hint: fc.record({
        volume: hex(8),
        generation: count,
        seq: count,
        token: count,
        column: fc.nat(15),
        offset: count,
      }),
      wrappedBek: fc.uint8Array({ minLength: 40, maxLength: 40 }),
      ...choices,
    })
    .map((block) => ({ ...block, state: block.refs === 0 ? 'trash' : 'live' }) as BlockRow);

export const rowOf = (block: BlockRow): Row => ({ ...blockKey(block.id), attributes: blockAttributes(block) });
