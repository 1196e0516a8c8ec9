// What is read of an object: its range to the byte, as many blocks ahead as there is memory for, and again where a record moved or a key was changed meanwhile.
import { describe, expect, it } from 'vitest';
import { corrupt, missing } from '../../../lib/foundation/errors.ts';
import type { BlockId, BucketId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { blockIdsOf } from '../../../lib/frontend/compose/block-ids.ts';
import { getBlock, getObject, type Range } from '../../../lib/frontend/get-object.ts';
import { KekRing } from '../../../lib/frontend/kek-ring.ts';
import { ReadBudget } from '../../../lib/frontend/read-budget.ts';
import { blockIdOf } from '../../../lib/keys/envelope.ts';
import { BLOCK_ROWS_AT_ONCE, GET_AHEAD_BLOCKS_MAX } from '../../../lib/limits/frontend.ts';
import { READ_ATTEMPTS_MAX } from '../../../lib/limits/reads.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Key, Row } from '../../../lib/panda/panda.ts';
import { blockFromRow, blockKey, moveToSlot, wrapUnder } from '../../../lib/panda/rows/block-row.ts';
import { namespacePartition } from '../../../lib/panda/rows/namespace-row.ts';
import { objectKey } from '../../../lib/panda/rows/object-row.ts';
import { TINY, World } from '../../store/harness.ts';

const NS = 'n';
const BLOCK = TINY.blockBytesMax;
const bytes = (count: number, seed = 1): Uint8Array => new SeededRandomness(seed).bytes(count);

class CountedPanda extends MemoryPanda {
  readonly asked: number[] = [];

  override async get(key: Key): Promise<Row | undefined> {
    if (key.partition.startsWith('block/')) this.asked.push(1);
    return super.get(key);
  }
  override async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    if (keys.some(({ partition }) => partition.startsWith('block/'))) this.asked.push(keys.length);
    return super.getMany(keys);
  }
}

class ToldBudget extends ReadBudget {
  left: number;

  constructor(bytes: number) {
    super(bytes);
    this.left = bytes;
  }
  override tryTake(count: number): boolean {
    const isTaken = super.tryTake(count);
    if (isTaken) this.left -= count;
    return isTaken;
  }
  override give(count: number): void {
    this.left += count;
    super.give(count);
  }
}

async function stored(body: Uint8Array, settings = TINY) {
  const panda = new CountedPanda();
  const world = new World(3, settings, 20, panda);
  const p = world.start();
  await p.frontend.put({ namespace: NS, key: 'a', body });
  const object = await p.frontend.head(NS, 'a');
  const ids = await Array.fromAsync(blockIdsOf(p.volumes, object));
  panda.asked.length = 0;
  return { panda, world, p, object, ids };
}

describe('a range', () => {
  it('is what there is of it', async () => {
    const body = bytes(3 * BLOCK + 7);
    const { p } = await stored(body);
    const of = async (range?: Range) => {
      const { offset, length, body: pieces, object } = await p.frontend.get(NS, 'a', range);
      const parts = await Array.fromAsync(pieces);
      expect(object.key).toBe('a');
      const read = Buffer.concat(parts);
      expect(Buffer.compare(read, body.subarray(offset, offset + length))).toBe(0);
      return [offset, length, parts.length];
    };
    expect(await of()).toEqual([0, body.length, 4]);
    expect(await of({ offset: 0 })).toEqual([0, body.length, 4]);
    expect(await of({ offset: BLOCK, length: BLOCK })).toEqual([BLOCK, BLOCK, 1]);
    expect(await of({ offset: BLOCK - 1, length: 2 })).toEqual([BLOCK - 1, 2, 2]);
    expect(await of({ offset: BLOCK + 1, length: BLOCK })).toEqual([BLOCK + 1, BLOCK, 2]);
    expect(await of({ offset: body.length - 1, length: 99 })).toEqual([body.length - 1, 1, 1]);
    expect(await of({ offset: body.length })).toEqual([body.length, 0, 0]);
    expect(await of({ offset: 5, length: 0 })).toEqual([5, 0, 0]);
    const range = ({ sizeBytes }: { sizeBytes: number }) => ({ offset: sizeBytes - 3 });
    expect((await p.frontend.get(NS, 'a', range)).length).toBe(3);
    for (const refused of [
      { offset: -1 },
      { offset: 0.5 },
      { offset: 0, length: -1 },
      { offset: 0, length: 0.5 },
      { offset: body.length + 1 },
    ])
      await expect(p.frontend.get(NS, 'a', refused)).rejects.toMatchObject({ kind: 'invalid', code: 'RANGE_INVALID' });
  });

  it('in memory is refused where it is a byte longer than may be', async () => {
    const { p } = await stored(bytes(2000));
    expect(await p.frontend.read(NS, 'a', 2000)).toHaveLength(2000);
    await expect(p.frontend.read(NS, 'a', 1999)).rejects.toMatchObject({
      ...{ code: 'BODY_TOO_LONG', message: '2000 bytes, at most 1999 are read at once' },
    });
    expect(await p.frontend.read(NS, 'a', 10, { offset: 1990 })).toHaveLength(10);
  });

  it('asks for the rows of its blocks only, so many at a time', async () => {
    const count = BLOCK_ROWS_AT_ONCE + 5;
    const { p, panda } = await stored(bytes(count * BLOCK));
    await p.frontend.read(NS, 'a', 1e6);
    expect(panda.asked).toEqual([BLOCK_ROWS_AT_ONCE, 5]);
    panda.asked.length = 0;
    await p.frontend.read(NS, 'a', 1e6, { offset: 2 * BLOCK, length: 3 * BLOCK });
    expect(panda.asked).toEqual([3]);
  });

  it('of an object that was put plain reads by the row that says that it counts', async () => {
    const { p, panda } = await stored(bytes(9));
    const items = ['x', 'y'].map((key) => ({ namespace: NS, key, body: bytes(20, key.charCodeAt(0)) }));
    for await (const { ok } of p.frontend.putAll(items)) expect(ok).toBe(true);
    panda.asked.length = 0;
    expect(Buffer.compare(await p.frontend.read(NS, 'y', 99), bytes(20, 'y'.charCodeAt(0)))).toBe(0);
    expect(panda.asked).toEqual([1]);
  });
});

describe('blocks read ahead', () => {
  /** How many records are asked for before the first block is taken, and how much memory is held then. */
  async function aheadOf(budgetBytes: number, blocks: number, blockBytesMax = BLOCK) {
    const made = await stored(bytes(blocks * blockBytesMax), { ...TINY, blockBytesMax });
    const { volumes, components } = made.p;
    let begun = 0;
    const { read } = volumes.records;
    volumes.records.read = (row) => {
      begun += 1;
      return read.call(volumes.records, row);
    };
    const held: number[] = [];
    const budget = new ToldBudget(budgetBytes);
    const { body } = await getObject(volumes, new KekRing(components), budget, NS, 'a');
    const pieces = body[Symbol.asyncIterator]();
    await pieces.next();
    held.push(begun, budget.left);
    return { pieces, held, left: () => budget.left };
  }

  it('are as many as there is memory for, beyond the one that needs none', async () => {
    const { pieces, held, left } = await aheadOf(3 * BLOCK, 9);
    expect(held).toEqual([4, 0]);
    for (let i = 1; i < 9; i++) expect((await pieces.next()).done).toBe(false);
    expect([(await pieces.next()).done, left()]).toEqual([true, 3 * BLOCK]);
    const none = await aheadOf(BLOCK - 1, 9);
    expect(none.held).toEqual([1, BLOCK - 1]);
  });

  it('are so many at the most, and all memory is given back where nobody reads on', async () => {
    const { pieces, held, left } = await aheadOf(1e9, GET_AHEAD_BLOCKS_MAX + 9);
    expect(held).toEqual([GET_AHEAD_BLOCKS_MAX, 1e9 - (GET_AHEAD_BLOCKS_MAX - 1) * BLOCK]);
    await pieces.return?.();
    expect(left()).toBe(1e9);
  });

  it('share memory to the last byte', () => {
    const budget = new ReadBudget(100);
    expect([budget.tryTake(60), budget.tryTake(41), budget.tryTake(40), budget.tryTake(1)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    budget.give(10);
    expect([budget.tryTake(11), budget.tryTake(10)]).toEqual([false, true]);
  });
});

describe('a block whose record is not where its row said', () => {
  /** Reads of records fail as told, and something happens before each of them. */
  async function failing(
    errorOf: (attempt: number) => Error | undefined,
    meanwhile: (attempt: number, made: Awaited<ReturnType<typeof stored>>) => Promise<unknown> = async () => undefined,
  ) {
    const made = await stored(bytes(30));
    const { records } = made.p.volumes;
    const { read } = records;
    let attempts = 0;
    records.read = async (row) => {
      attempts += 1;
      const error = errorOf(attempts);
      if (error === undefined) return read.call(records, row);
      await meanwhile(attempts, made);
      throw error;
    };
    const done = made.p.frontend.read(NS, 'a', 99);
    return { ...made, done, attempts: () => attempts };
  }
  const gone = () => missing('CHUNK_MISSING', 'gone');

  it('is read again, so often and no more, though nothing changed: it may have moved and back', async () => {
    for (const times of [1, READ_ATTEMPTS_MAX, READ_ATTEMPTS_MAX + 1]) {
      const { done, attempts } = await failing((attempt) => (attempt <= times ? gone() : undefined));
      if (times > READ_ATTEMPTS_MAX) await expect(done).rejects.toMatchObject({ code: 'CHUNK_MISSING' });
      else expect(Buffer.compare(await done, bytes(30))).toBe(0);
      expect(attempts()).toBe(Math.min(times, READ_ATTEMPTS_MAX) + 1);
    }
  });

  it('and is damaged is read again only if its row is another one', async () => {
    const damaged = () => corrupt('RECORD_LOST', 'damaged');
    const same = await failing(damaged);
    await expect(same.done).rejects.toMatchObject({ code: 'RECORD_LOST' });
    expect(same.attempts()).toBe(1);
    const once = (attempt: number) => (attempt === 1 ? damaged() : undefined);
    // Its key was wrapped anew: the same key under another number here.
    const rewrapped = await failing(once, async (_, { panda, ids }) => {
      const row = blockFromRow((await panda.get(blockKey(ids[0] as BlockId))) as Row);
      const key = { wrappedBek: row.wrappedBek, kekVersion: 2 };
      await panda.transact([{ kind: 'update', ...blockKey(row.id), ...wrapUnder(row, key) }]);
    });
    expect(Buffer.compare(await rewrapped.done, bytes(30))).toBe(0);
    expect(rewrapped.attempts()).toBe(2);
    for (const change of [{ slot: 77 }, { bucket: '0'.repeat(16) as BucketId }]) {
      const moved = await failing(damaged, async (_, { panda, ids }) => {
        const row = blockFromRow((await panda.get(blockKey(ids[0] as BlockId))) as Row);
        await panda.transact([{ kind: 'update', ...blockKey(row.id), ...moveToSlot(row, { ...row, ...change }) }]);
      });
      await expect(moved.done).rejects.toMatchObject({ code: 'RECORD_LOST' });
      // Once as it was, and once as it is.
      expect(moved.attempts()).toBe(2);
    }
  });

  it('by a mistake of a program is not read again', async () => {
    const { done, attempts } = await failing(() => new TypeError('a mistake'));
    await expect(done).rejects.toThrow('a mistake');
    expect(attempts()).toBe(1);
  });

  it('whose row is gone is damage, or a change of the object', async () => {
    const dropRow = async (_: number, { panda, ids }: Awaited<ReturnType<typeof stored>>) =>
      panda.transact([{ kind: 'delete', ...blockKey(ids[0] as BlockId) }]);
    const { done } = await failing(gone, dropRow);
    await expect(done).rejects.toMatchObject({ kind: 'corrupt', code: 'BLOCK_ROW_MISSING' });
    const both = await failing(gone, async (attempt, made) => {
      await dropRow(attempt, made);
      await made.panda.transact([{ kind: 'delete', ...objectKey(NS, 'a') }]);
    });
    await expect(both.done).rejects.toMatchObject({
      ...{ kind: 'conflict', code: 'OBJECT_CHANGED', message: '"a" was overwritten or deleted while it was read' },
    });
    const other = await failing(gone, async (attempt, made) => {
      await dropRow(attempt, made);
      await made.world.start().frontend.put({ namespace: NS, key: 'a', body: bytes(5, 9) });
    });
    await expect(other.done).rejects.toMatchObject({ code: 'OBJECT_CHANGED' });
  });

  it('is had by its id, or is not there', async () => {
    const { p } = await stored(bytes(30));
    const keks = new KekRing(p.components);
    expect(Buffer.compare(await getBlock(p.volumes, keks, blockIdOf(bytes(30))), bytes(30))).toBe(0);
    await expect(getBlock(p.volumes, keks, 'f'.repeat(64) as BlockId)).rejects.toMatchObject({
      ...{ kind: 'missing', code: 'BLOCK_MISSING' },
    });
  });

  it('that another namespace keeps for itself is read where it was copied to', async () => {
    const { p } = await stored(bytes(5));
    await p.frontend.put({ namespace: 'own', key: 'a', body: bytes(30), ownBlocks: true });
    await p.frontend.compose({ namespace: NS, key: 'copy', sources: [{ namespace: 'own', key: 'a' }] });
    await expect(p.frontend.read(NS, 'copy', 99)).rejects.toMatchObject({ kind: 'corrupt', code: 'BLOCK_CORRUPT' });
    await p.components.panda.transact([
      { kind: 'put', partition: namespacePartition, sort: 'own', attributes: { own: 1 } },
    ]);
    expect(Buffer.compare(await p.frontend.read(NS, 'copy', 99), bytes(30))).toBe(0);
    expect(Buffer.compare(await p.frontend.read('own', 'a', 99), bytes(30))).toBe(0);
  });
});
