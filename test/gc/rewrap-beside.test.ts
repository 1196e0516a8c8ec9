// Rewrapping keys while others change the rows: a batch that is refused is done block by block, each from what its row is then; a key that went too
// early is an error, unless nobody refers to the block any more.
import { describe, expect, it } from 'vitest';
import { unknownOutcome } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { blocksByKekVersion, rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import { wrapBek } from '../../lib/keys/envelope.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { REWRAP_TRANSACTIONS_AT_ONCE } from '../../lib/limits/frontend.ts';
import { ROWS_PER_TRANSACTION } from '../../lib/limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Write } from '../../lib/panda/panda.ts';
import { blockFromRow, blockKey, wrapUnder } from '../../lib/panda/rows/block-row.ts';
import { deadKey, NO_DEAD, withDead } from '../../lib/panda/rows/bucket-row.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { TINY, World } from '../store/harness.ts';

const CELL = TINY.cell;

/** Asked before every transaction that rewraps blocks. */
class WatchedPanda extends MemoryPanda {
  before: ((blocks: readonly Write[]) => Promise<void>) | undefined;
  after: ((blocks: readonly Write[]) => Promise<void>) | undefined;

  override async transact(writes: readonly Write[]): Promise<void> {
    const blocks = writes.filter(({ kind, partition }) => kind === 'update' && partition.startsWith('block/'));
    if (blocks.length > 0) await this.before?.(blocks);
    await super.transact(writes);
    if (blocks.length > 0) await this.after?.(blocks);
  }
}

/** So many live blocks of one partition, wrapped by version 1; the current one is 2. */
async function rotated(count: number, change: Attributes = {}) {
  const panda = new WatchedPanda();
  const world = new World(4, TINY, 20, panda);
  const { components: first } = world.start();
  const keks = new MemoryKekStore({ clock: first.clock, randomness: new SeededRandomness(3) });
  const { components } = new VolumeStore({ ...first, keks });
  await new Frontend(new VolumeStore(components)).put({ namespace: 'n', key: 'a', body: Buffer.from('one body') });
  const row = panda.snapshot().find(({ partition }) => partition.startsWith('block/')) ?? expect.fail('no block');
  const { partition, sort, attributes } = row;
  await panda.transact([{ kind: 'delete', partition, sort }]);
  const ids = Array.from({ length: count }, (_, i) => `00${`${i}`.padStart(62, '0')}`);
  for (const id of ids)
    await panda.transact([{ kind: 'put', ...blockKey(id as never), attributes: { ...attributes, ...change } }]);
  await keks.rotate();
  const block = blockFromRow(row);
  const wrapped = wrapBek(new Uint8Array(32), await keks.kek(2));
  return { panda, components, keks, ids, block, wrapped };
}

const conflictOnce = (panda: WatchedPanda, meanwhile: () => Promise<unknown>) => {
  panda.before = async () => {
    panda.before = undefined;
    await meanwhile();
    throw new PandaConflict([0]);
  };
};

describe('a batch that is refused', () => {
  it('is done block by block: what is gone by then, or wrapped by another pass, is not counted', async () => {
    const { panda, components, ids, block, wrapped } = await rotated(5);
    const sizes: number[] = [];
    conflictOnce(panda, async () => {
      await panda.transact([{ kind: 'delete', ...blockKey(ids[1] as never) }]);
      const change = wrapUnder(block, { wrappedBek: wrapped, kekVersion: 2 });
      await panda.transact([{ kind: 'update', ...blockKey(ids[3] as never), ...change }]);
      panda.before = async (blocks) => void sizes.push(blocks.length);
    });
    expect(await rewrapKeys(components)).toMatchObject({
      version: 2,
      scannedBlocks: 5,
      rewrappedBlocks: 3,
      finished: true,
    });
    expect(sizes).toEqual([1, 1, 1]);
    expect([...(await blocksByKekVersion(components))]).toEqual([[2, 4]]);
  });

  it('of one block is tried so often, and then it comes out', async () => {
    const { panda, components } = await rotated(1);
    let tries = 0;
    panda.before = async () => {
      tries += 1;
      if (tries > 100) throw new TypeError('it never ends');
      throw new PandaConflict([0]);
    };
    await expect(rewrapKeys(components)).rejects.toMatchObject({ kind: 'conflict' });
    expect(tries).toBe(1 + CONFLICT_ATTEMPTS_MAX + 1);
  });

  it('is not done again if only its answer was lost', async () => {
    const { panda, components, ids } = await rotated(3);
    let sent = 0;
    panda.after = async () => {
      sent += 1;
      await panda.transact([{ kind: 'delete', ...blockKey(ids[1] as never) }]);
      throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
    };
    expect(await rewrapKeys(components)).toMatchObject({ rewrappedBlocks: 3 });
    expect(sent).toBe(1);
    expect(await rewrapKeys(components)).toMatchObject({ scannedBlocks: 2, rewrappedBlocks: 0 });
  });

  it('leaves alone what another pass has wrapped meanwhile', async () => {
    const { panda, components, ids, block, wrapped } = await rotated(2);
    const other = blockKey(ids[0] as never);
    panda.before = async () => {
      panda.before = undefined;
      await panda.transact([{ kind: 'update', ...other, ...wrapUnder(block, { wrappedBek: wrapped, kekVersion: 2 }) }]);
    };
    expect(await rewrapKeys(components)).toMatchObject({ rewrappedBlocks: 1 });
    expect(Buffer.from(blockFromRow((await panda.get(other)) ?? expect.fail('gone')).wrappedBek)).toEqual(
      Buffer.from(wrapped),
    );
  });
});

describe('blocks of one partition', () => {
  it('go in transactions of so many, so many of them at once', async () => {
    const batches = REWRAP_TRANSACTIONS_AT_ONCE + 2;
    const { panda, components, ids } = await rotated(batches * ROWS_PER_TRANSACTION - 1);
    const sizes: number[] = [];
    let now = 0;
    let most = 0;
    panda.before = async (blocks) => {
      sizes.push(blocks.length);
      now += 1;
      most = Math.max(most, now);
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    };
    panda.after = async () => {
      now -= 1;
    };
    expect(await rewrapKeys(components)).toMatchObject({ scannedBlocks: ids.length, rewrappedBlocks: ids.length });
    expect(most).toBe(REWRAP_TRANSACTIONS_AT_ONCE);
    const full = new Array<number>(batches - 1).fill(ROWS_PER_TRANSACTION);
    expect(sizes).toEqual([...full, ROWS_PER_TRANSACTION - 1]);
  });
});

describe('a block whose key went too early', () => {
  const VERSION = new Uint8Array(16).fill(7);

  it('is an error, once its row says the same twice', async () => {
    const { components, keks } = await rotated(2);
    await keks.destroy(1);
    let asked = 0;
    const kek = keks.kek.bind(keks);
    keks.kek = (version) => {
      if (version === 1) asked += 1;
      return kek(version);
    };
    await expect(rewrapKeys(components)).rejects.toMatchObject({ code: 'KEK_DESTROYED' });
    // Both in their batch, and the first of them twice.
    expect(asked).toBe(4);
  });

  it('stays if it was stored anew since it was found void', async () => {
    const { panda, components, keks, block, ids } = await rotated(1, { o: VERSION, f: 0 });
    const attributes = { v: 1, b: withDead(NO_DEAD, [block.slot]) };
    await panda.transact([{ kind: 'put', ...deadKey(CELL, block.bucket), attributes }]);
    await keks.destroy(1);
    const key = blockKey(ids[0] as never);
    const transact = panda.transact.bind(panda);
    const wrappedBek = wrapBek(new Uint8Array(32), await keks.kek(2));
    panda.transact = async (writes) => {
      if (writes.some(({ kind, sort }) => kind === 'delete' && sort === key.sort)) {
        const change = wrapUnder(block, { wrappedBek, kekVersion: 2 });
        await transact([{ kind: 'update', ...key, set: { ...change.set, r: new Uint8Array(16).fill(9), f: 1 } }]);
      }
      return transact(writes);
    };
    expect(await rewrapKeys(components)).toMatchObject({ scannedBlocks: 1, rewrappedBlocks: 0, finished: true });
    expect(blockFromRow((await panda.get(key)) ?? expect.fail('gone')).kekVersion).toBe(2);
  });

  it.each([1, ROWS_PER_TRANSACTION, ROWS_PER_TRANSACTION + 3])('goes if it is void (%i of them)', async (count) => {
    const { panda, components, keks, block, ids } = await rotated(count, { o: VERSION, f: 0 });
    expect([...(await blocksByKekVersion(components))]).toEqual([[1, count]]);
    const dead = {
      kind: 'put',
      ...deadKey(CELL, block.bucket),
      attributes: { v: 1, b: withDead(NO_DEAD, [block.slot]) },
    } as const;
    await panda.transact([dead]);
    expect([...(await blocksByKekVersion(components))]).toEqual([]);
    await keks.destroy(1);
    expect(await rewrapKeys(components)).toMatchObject({ scannedBlocks: count, rewrappedBlocks: 0, finished: true });
    expect(await panda.getMany(ids.slice(0, 50).map((id) => blockKey(id as never)))).toEqual(
      ids.slice(0, 50).map(() => undefined),
    );
  });
});
