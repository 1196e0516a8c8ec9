// A block on its way in is held once: as it came, or as its record, from which it comes back.
import { expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { HeldBlock, heldById } from '../../lib/frontend/blocks/held-block.ts';
import { blockIdOf, ownBlockId, sealBlock } from '../../lib/keys/envelope.ts';

const random = new SeededRandomness(5);
const kek = { version: 1, key: random.bytes(32) };
const bytes = random.bytes(5000);

it.each([undefined, 'tenant'])('comes back from its record when its bytes are gone (own blocks of %s)', (owner) => {
  let freed = 0;
  const mine = bytes.slice();
  const block = new HeldBlock(blockIdOf(mine), mine, {
    owner,
    free: () => {
      freed += 1;
      mine.buffer.transfer(0);
    },
  });
  expect(block.id).toBe(owner === undefined ? blockIdOf(bytes) : ownBlockId(owner, blockIdOf(bytes)));
  expect(block.plaintext()).toBe(mine);
  for (const seed of [1, 2]) {
    const sealed = sealBlock(block.plaintext(), new SeededRandomness(seed), kek);
    block.sealedAs(sealed, kek);
    expect(mine.length).toBe(0);
    expect(Buffer.compare(block.plaintext(), bytes)).toBe(0);
  }
  block.drop();
  expect(freed).toBe(1);
  expect(block.length).toBe(bytes.length);
  expect(() => block.plaintext()).toThrow('dropped');
});

it('of the same block twice in a batch one is held', () => {
  const freed: string[] = [];
  const blocks = ['a', 'b', 'c'].map(
    (name) => new HeldBlock(blockIdOf(bytes), bytes, { free: () => void freed.push(name) }),
  );
  expect([...heldById(blocks).values()]).toEqual([blocks[0]]);
  expect(freed).toEqual(['b', 'c']);
});

it('is not stored without its bytes: memory that was given away under it is said', () => {
  const mine = bytes.slice();
  const block = new HeldBlock(blockIdOf(mine), mine);
  mine.buffer.transfer(0);
  expect(() => block.plaintext()).toThrow('until it is sealed or dropped');
});
