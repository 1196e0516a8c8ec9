// What was deleted holds its references until GC gives them back: by name or by count, whatever comes in between and wherever GC dies.
import { describe, expect, it } from 'vitest';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Row, Write } from '../../lib/panda/panda.ts';
import { deadFromRow } from '../../lib/panda/rows/bucket-row.ts';
import {
  type HoldingRow,
  heldAttributes,
  holdingAttributes,
  holdingFromRow,
  referencesLeft,
  referencesOf,
} from '../../lib/panda/rows/removed/held-references.ts';
import { removedKey, removedPartitions } from '../../lib/panda/rows/removed/removed-row.ts';
import { shredFromRow, shredPartition } from '../../lib/panda/rows/trash-row.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const NS = 'default';
const SETTINGS = { ...TINY, deleteGraceMs: 1000 };
const bodyOf = (name: string): Uint8Array => Buffer.from(`the content of ${name} `.repeat(9));

/** Something happens, once, right before the call of that number. */
class CountedPanda extends MemoryPanda {
  calls = 0;
  at: number | undefined;
  what: () => Promise<unknown> = async () => undefined;

  async #call<T>(does: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.calls === this.at) {
      this.at = undefined;
      await this.what();
    }
    return does();
  }
  override get(key: Key): Promise<Row | undefined> {
    return this.#call(() => super.get(key));
  }
  override getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    return this.#call(() => super.getMany(keys));
  }
  override transact(writes: readonly Write[]): Promise<void> {
    return this.#call(() => super.transact(writes));
  }
}

const put = (p: Process, key: string, of = key) =>
  p.frontend.put({ namespace: NS, key, body: Buffer.from(bodyOf(of)) });
const read = async (p: Process, key: string): Promise<string> =>
  Buffer.from(await p.frontend.read(NS, key, 1e6)).toString();

/** Some objects were put plain and some in transactions, one content is there twice, one was overwritten; then most are deleted. */
async function removedWorld(seed: number) {
  const panda = new CountedPanda();
  const world = new World(seed, SETTINGS, 20, panda);
  const p = world.start();
  const many = ['a', 'b', 'c', 'd', 'e'].map((key) => ({ namespace: NS, key, body: Buffer.from(bodyOf(key)) }));
  for await (const outcome of p.frontend.putAll(many)) expect(outcome.ok).toBe(true);
  await put(p, 'one');
  await put(p, 'two', 'one');
  await put(p, 'b2', 'b');
  await put(p, 'c', 'another c');
  for (const key of ['one', 'two', 'd']) await p.frontend.delete(NS, key);
  for await (const { ok } of p.frontend.deleteAll(['a', 'b'].map((key) => ({ namespace: NS, key }))))
    expect(ok).toBe(true);
  world.clock.advance(SETTINGS.deleteGraceMs + 1);
  return { world, panda, p };
}

async function expectRight(world: World, also: readonly (readonly [key: string, of: string])[] = []): Promise<void> {
  const p = world.start();
  for (const [key, of] of [['b2', 'b'], ['c', 'another c'], ['e', 'e'], ...also])
    expect(await read(p, key as string), key).toBe(Buffer.from(bodyOf(of as string)).toString());
  await expectSound(p);
}

async function rowsOf(p: Process, partitions: readonly string[]): Promise<Row[]> {
  const pages = await Promise.all(partitions.map((partition) => p.components.panda.query(partition)));
  return pages.flatMap(({ rows }) => rows);
}

describe('what was deleted', () => {
  it('keeps its blocks until the grace is over, and is gone then, each key told once', async () => {
    const { world, p } = await removedWorld(1);
    await expectRight(world);
    // a, c, d, and the content of one and two; that of b is still named.
    expect(await collectGarbage(p.components)).toMatchObject({ slots: 4, waiting: 0 });
    await expectRight(world);
    expect(await rowsOf(p, removedPartitions(SETTINGS.cell))).toEqual([]);
    const told = (await rowsOf(p, [shredPartition(SETTINGS.cell)]))
      .map(shredFromRow)
      .flatMap(({ recordIds }) => recordIds);
    expect(new Set(told).size).toBe(4);
    expect(told).toHaveLength(4);
    const dead = world.panda.snapshot().filter(({ partition }) => partition.startsWith('dead/'));
    expect(dead.map((row) => deadFromRow(row).version).reduce((sum, one) => sum + one, 0)).toBe(dead.length);
    expect(await collectGarbage(p.components)).toMatchObject({ slots: 0 });
  });

  it('is given back once, wherever GC dies', async () => {
    const { panda: whole, p: undisturbed } = await removedWorld(2);
    whole.calls = 0;
    await collectGarbage(undisturbed.components);
    const calls = whole.calls;
    expect(calls).toBeGreaterThan(20);
    for (let at = 1; at <= calls; at += 2) {
      const { world, panda, p } = await removedWorld(2);
      panda.calls = 0;
      panda.at = at;
      panda.what = () => Promise.reject(new Error('dead'));
      await expect(collectGarbage(p.components), `call ${at}`).rejects.toThrow('dead');
      await expectRight(world);
      await collectGarbage(world.start().components);
      await expectRight(world);
      expect(await rowsOf(p, removedPartitions(SETTINGS.cell)), `call ${at}`).toEqual([]);
    }
  });

  const meanwhile: readonly (readonly [
    what: string,
    act: (other: Process) => Promise<unknown>,
    also: [string, string][],
  ])[] = [
    ['another GC', (other) => collectGarbage(other.components), []],
    [
      'puts of the same contents',
      async (other) => {
        await put(other, 'a3', 'a');
        await put(other, 'one3', 'one');
      },
      [
        ['a3', 'a'],
        ['one3', 'one'],
      ],
    ],
    ['a restore', (other) => other.frontend.restore({ namespace: NS, key: 'a' }).catch(() => undefined), []],
    ['an overwrite by the same content', (other) => put(other, 'b2', 'b'), []],
  ];
  it.each(meanwhile)('is given back rightly whenever there is %s', async (_, act, also) => {
    for (let at = 1; at <= 40; at += 4) {
      const { world, panda, p } = await removedWorld(3);
      const other = world.start();
      panda.calls = 0;
      panda.at = at;
      panda.what = () => act(other);
      await collectGarbage(p.components);
      if (panda.at !== undefined) break;
      await expectRight(world, also);
      await collectGarbage(p.components);
      await expectRight(world, also);
    }
  });
});

describe('a row of removed objects', () => {
  const [first, second] = ['1', '2'].map((digit) => digit.repeat(64)) as [never, never];
  const objects = [
    { key: 'a', blocks: [first], isNamed: true as const },
    { key: 'b', blocks: [first, second] },
  ].map(({ key, ...more }, i) => ({
    object: {
      ...{ namespace: NS, key, version: `${i}`.repeat(24) as never, sizeBytes: 5, blockBytes: 1024, etag: '' },
      ...{ createdAtMs: 3, metadata: undefined, segments: undefined, ...more },
    },
    isOverwritten: false,
    isRestored: false,
  }));
  const key = removedKey('c0', 7, '0'.repeat(24) as never);
  const note = {
    reference: 2,
    recordId: 'ab'.repeat(16) as never,
    bucket: '00'.repeat(8) as never,
    slot: 3,
    recordBytes: 99,
  };

  it('counts its references, and keeps what was given back and noted', () => {
    const fresh = holdingFromRow({ ...key, attributes: holdingAttributes(objects) });
    expect(referencesOf(fresh).map(({ blockId }) => blockId)).toEqual([first, first, second]);
    expect(referencesLeft({ ...fresh, given: 1 }).map(({ reference }) => reference)).toEqual([0, 2]);
    const next: HoldingRow = { ...fresh, given: 1, notes: [note], kekVersion: 4 };
    const again = holdingFromRow({ ...key, attributes: heldAttributes(next) });
    expect(again).toMatchObject({ step: 1, given: 1, notes: [note], kekVersion: 4 });
  });

  it('that gives back more than it has is refused', () => {
    const fresh = holdingFromRow({ ...key, attributes: holdingAttributes(objects) });
    for (const change of [{ given: 4 }, { notes: [{ ...note, reference: 3 }] }])
      expect(() => holdingFromRow({ ...key, attributes: heldAttributes({ ...fresh, ...change }) })).toThrow(
        /gives back/,
      );
  });
});

describe('a damaged row in the way of GC', () => {
  /** Of a bucket in which something was deleted, or of what was deleted itself. */
  const ways: readonly (readonly [table: string, damaged: (row: Row) => Row])[] = [
    [
      'bucket',
      ({ partition, sort }) => ({ partition: partition.replace('bucket/', 'dead/'), sort, attributes: { v: 'x' } }),
    ],
    ['removed', ({ attributes, ...key }) => ({ ...key, attributes: { ...attributes, g: new Uint8Array([255, 255]) } })],
    ['block', ({ attributes: _, ...key }) => ({ ...key, attributes: { x: 1 } })],
  ];

  it('is told of, and what it is in the way of stays; without a listener it comes out', async () => {
    for (const [table, damaged] of ways) {
      const { panda, p } = await removedWorld(7);
      const rows = panda.snapshot().filter(({ partition }) => partition.startsWith(`${table}/`));
      expect(rows.length).toBeGreaterThan(0);
      await panda.transact(rows.map((row) => ({ kind: 'put', ...damaged(row) })));
      await expect(collectGarbage(p.components), table).rejects.toMatchObject({ kind: 'corrupt' });
      let told = 0;
      const badRow = (): void => {
        told += 1;
      };
      expect(await collectGarbage({ ...p.components, badRow }), table).toMatchObject({ slots: 0 });
      expect(told, table).toBeGreaterThan(0);
      // What is still named elsewhere needs no bucket.
      const left = (await rowsOf(p, removedPartitions(SETTINGS.cell))).length;
      expect(left, table).toBe(table === 'bucket' ? 4 : 5);
      // A mistake of a program is no damage.
      const mistake = new TypeError('a mistake');
      panda.transact = () => Promise.reject(mistake);
      panda.getMany = () => Promise.reject(mistake);
      if (table !== 'removed') await expect(collectGarbage({ ...p.components, badRow })).rejects.toBe(mistake);
    }
  });
});
