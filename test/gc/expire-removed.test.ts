// Rows of what was removed, when their grace is over: what they lead to goes first, so much at a time, and each row by itself, as long as nobody has changed it.
import { describe, expect, it } from 'vitest';
import { unknownOutcome } from '../../lib/foundation/errors.ts';
import type { BlockId, ObjectVersion } from '../../lib/foundation/ids.ts';
import { countHeldReferences } from '../../lib/gc/count-held.ts';
import { expireRemoved } from '../../lib/gc/expire-removed.ts';
import { ROWS_PER_TRANSACTION } from '../../lib/limits/panda.ts';
import { CLOCK_SKEW_MS_MAX, TRANSACT_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Row, Write } from '../../lib/panda/panda.ts';
import { type ObjectRow, releaseAttributes, releaseKey } from '../../lib/panda/rows/object-row.ts';
import { holdingAttributes, holdingFromRow, noteGiven } from '../../lib/panda/rows/removed/held-references.ts';
import {
  type RemovedObject,
  removedAttributes,
  removedKey,
  removedSegmentAttributes,
  removedSegmentKey,
  removedSegmentPartition,
} from '../../lib/panda/rows/removed/removed-row.ts';
import { TINY, World } from '../store/harness.ts';

const CELL = TINY.cell;
const GRACE_MS = 10_000;
const AT_MS = 100_000;
const block = (n: number): BlockId => `${n}`.padStart(64, '0') as BlockId;
const version = (n: number): ObjectVersion => `${n}`.padStart(24, '0') as ObjectVersion;
const objectOf = (n: number, blocks: readonly BlockId[] | undefined): ObjectRow => ({
  ...{ namespace: 'n', key: `k${n}`, version: version(n), sizeBytes: 5, blockBytes: 1024, createdAtMs: 3 },
  ...{ etag: '5'.repeat(64), metadata: undefined, blocks, segments: blocks === undefined ? 2 : undefined },
});
const removed = (n: number, blocks?: readonly BlockId[], isRestored = false): RemovedObject => ({
  object: objectOf(n, blocks),
  isOverwritten: false,
  isRestored,
});
/** Of objects that list their blocks. */
const holding = (objects: readonly RemovedObject[], atMs = AT_MS): Write => ({
  ...{ kind: 'put', ...removedKey(CELL, atMs, objects[0]?.object.version as ObjectVersion) },
  attributes: holdingAttributes(objects),
});
/** Of a long one. */
const long = (n: number, atMs = AT_MS): Write => ({
  ...{ kind: 'put', ...removedKey(CELL, atMs, version(n)) },
  attributes: removedAttributes([removed(n)]),
});
const segments = (n: number, count: number): Write[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ kind: 'put', ...removedSegmentKey(version(n), i), attributes: removedSegmentAttributes([block(i)]) },
  }));
const release = (n: number): Write => ({
  ...{ kind: 'put', ...releaseKey(version(n)) },
  attributes: releaseAttributes({ version: version(n), namespace: 'n', key: 'k', blocks: [], cursor: '0:0' }),
});

class ToldPanda extends MemoryPanda {
  readonly sent: string[] = [];
  before: ((words: string) => Promise<void>) | undefined;
  isOn = false;

  override async transact(writes: readonly Write[]): Promise<void> {
    const kinds = Map.groupBy(writes, ({ kind, partition }) => `${kind} ${partition.split('/').slice(0, 2)[0]}`);
    const words = [...kinds].map(([kind, of]) => (of.length === 1 ? kind : `${kind} ${of.length}`)).join(', ');
    if (this.isOn) {
      this.sent.push(words);
      await this.before?.(words);
    }
    return super.transact(writes);
  }
}

async function worldWith(writes: readonly Write[], nowMs = AT_MS + GRACE_MS) {
  const panda = new ToldPanda();
  const world = new World(1, { ...TINY, deleteGraceMs: GRACE_MS }, 20, panda);
  world.clock.jumpTo(nowMs);
  for (let at = 0; at < writes.length; at += 100) await panda.transact(writes.slice(at, at + 100));
  panda.isOn = true;
  const left = (): string[] =>
    panda.snapshot().flatMap(({ partition, sort }) => (partition.startsWith('removed/') ? [sort] : []));
  return { panda, world, components: world.start().components, left };
}

describe('what was removed', () => {
  it('waits until the grace is over, to the millisecond; its references are counted, and those of long ones are not', async () => {
    const rows = [holding([removed(1, [block(1), block(2)]), removed(2, [block(1)])]), long(3)];
    const early = await worldWith(rows, AT_MS + GRACE_MS - 1);
    expect(await expireRemoved(early.components)).toEqual({ objects: 0, waiting: 3 });
    expect(early.panda.sent).toEqual([]);
    expect(await countHeldReferences(early.components)).toBe(3);
    const late = await worldWith(rows);
    expect(await expireRemoved(late.components)).toEqual({ objects: 3, waiting: 0 });
    expect(late.left()).toEqual([]);
    expect(await countHeldReferences(late.components)).toBe(0);
  });

  it('does not count what was restored, nor what was given back', async () => {
    const write = holding([removed(1, [block(1), block(2)]), removed(2, [block(1)], true)]);
    const { components, panda } = await worldWith([write], AT_MS);
    const { partition, sort } = write;
    const row = holdingFromRow((await panda.get({ partition, sort })) as Row);
    await panda.transact([{ kind: 'update', partition, sort, ...noteGiven({ ...row, given: 2 }) }]);
    expect(await countHeldReferences(components)).toBe(1);
    expect(await expireRemoved(components)).toEqual({ objects: 0, waiting: 1 });
    expect(await expireRemoved(components, { ignoreGrace: true })).toEqual({ objects: 1, waiting: 0 });
  });

  it('is told of where it cannot be read, and passed over', async () => {
    const { components, panda, left } = await worldWith([holding([removed(1, [block(1)])]), long(2)]);
    const damaged = removedKey(CELL, AT_MS, version(3));
    await panda.transact([{ kind: 'put', ...damaged, attributes: { n: 0, d: 'no bytes' } }]);
    await expect(expireRemoved(components)).rejects.toMatchObject({ kind: 'corrupt' });
    await expect(countHeldReferences(components)).rejects.toMatchObject({ kind: 'corrupt' });
    const told: string[] = [];
    const badRow = ({ sort }: { sort: string }) => void told.push(sort);
    expect(await countHeldReferences({ ...components, badRow })).toBe(1);
    expect(await expireRemoved({ ...components, badRow })).toMatchObject({ waiting: 0 });
    expect(told).toEqual([damaged.sort, damaged.sort]);
    expect(left()).toEqual([damaged.sort]);
  });

  it('goes many rows at a time, as many as have so many references, and slots are told as often', async () => {
    const rows = [1, 2, 3, 4, 5].map((n) => holding([removed(4 * n, [block(n), block(n + 1)])]));
    for (const [atOnce, times] of [
      [4, 3],
      [5, 2],
      [undefined, 1],
    ] as const) {
      const { components } = await worldWith(rows);
      let flushes = 0;
      const options = {
        ...(atOnce === undefined ? {} : { referencesAtOnce: atOnce }),
        onShredded: () => void flushes++,
      };
      expect(await expireRemoved(components, options)).toEqual({ objects: 5, waiting: 0 });
      expect(flushes).toBe(times);
    }
  });

  it('is given up, not asked for without an end, where every answer to its block lists is lost', async () => {
    const { components, panda, left } = await worldWith([long(1), ...segments(1, 3)]);
    panda.before = async (words) => {
      if (words.includes('removed-segment')) throw unknownOutcome('PANDA_UNKNOWN', 'the answer was lost');
    };
    await expect(expireRemoved(components)).rejects.toMatchObject({ code: 'PANDA_UNKNOWN' });
    expect(panda.sent).toHaveLength(TRANSACT_ATTEMPTS_MAX + 1);
    panda.before = undefined;
    expect(await expireRemoved(components)).toEqual({ objects: 1, waiting: 0 });
    expect(left()).toEqual([]);
  });

  it('stays where a signal says so', async () => {
    const rows = [1, 2, 3].map((n) => holding([removed(4 * n, [block(n)])]));
    const before = await worldWith(rows);
    expect(await expireRemoved(before.components, { signal: AbortSignal.abort() })).toEqual({ objects: 0, waiting: 0 });
    const abort = new AbortController();
    const midway = await worldWith(rows);
    const onShredded = () => abort.abort();
    expect(await expireRemoved(midway.components, { signal: abort.signal, referencesAtOnce: 1, onShredded })).toEqual({
      objects: 1,
      waiting: 0,
    });
    expect(midway.left()).toHaveLength(2);
  });
});

describe('the block lists of a long object', () => {
  const names = (count: number) => (count === 1 ? 'delete removed-segment' : `delete removed-segment ${count}`);

  it.each([
    [0, []],
    [1, [1]],
    [ROWS_PER_TRANSACTION, [ROWS_PER_TRANSACTION]],
    [ROWS_PER_TRANSACTION + 1, [ROWS_PER_TRANSACTION, 1]],
  ])('go before the row that leads to them (%i of them)', async (count, batches) => {
    const { components, panda, left } = await worldWith([...segments(1, count), ...segments(2, 1), long(1)]);
    expect(await expireRemoved(components)).toEqual({ objects: 1, waiting: 0 });
    expect(panda.sent).toEqual([...batches.map((of) => `check work, ${names(of)}`), 'delete removed, check work']);
    expect(left()).toEqual([]);
    expect((await panda.query(removedSegmentPartition(version(2)))).rows).toHaveLength(1);
  });

  it('stay, and the row with them, while references are still given back', async () => {
    const { components, panda, left } = await worldWith([...segments(1, 2), long(1), release(1)]);
    expect(await expireRemoved(components)).toEqual({ objects: 0, waiting: 0 });
    expect(panda.sent).toEqual([]);
    expect(left()).toHaveLength(1);
    await panda.transact([{ kind: 'delete', ...releaseKey(version(1)) }]);
    expect(await expireRemoved(components)).toEqual({ objects: 1, waiting: 0 });
  });

  it('of an object among others are in the way of all of its row', async () => {
    const rows = [holding([removed(1, [block(1)]), removed(2)]), ...segments(2, 1)];
    const { components, left, panda } = await worldWith([...rows, release(2)]);
    expect(await expireRemoved(components)).toEqual({ objects: 0, waiting: 0 });
    expect([left().length, panda.sent]).toEqual([1, []]);
    const free = await worldWith(rows);
    expect(await expireRemoved(free.components)).toEqual({ objects: 2, waiting: 0 });
    expect((await free.panda.query(removedSegmentPartition(version(2)))).rows).toEqual([]);
  });

  it.each([
    ['its block lists', 'check work, delete removed-segment'],
    ['its row', 'delete removed, check work'],
  ])('stay where a release comes right before %s go', async (_, words) => {
    const { components, panda, left } = await worldWith([...segments(1, 1), long(1)]);
    panda.before = async (sent) => {
      if (sent !== words) return;
      panda.before = undefined;
      await panda.transact([release(1)]);
    };
    expect(await expireRemoved(components)).toEqual({ objects: 0, waiting: 0 });
    expect(left()).toHaveLength(1);
  });

  it('go with a row that somebody else has ended meanwhile, which is counted there', async () => {
    const { components, panda } = await worldWith([long(1)]);
    const { partition, sort } = long(1);
    panda.before = async () => {
      panda.before = undefined;
      await panda.transact([{ kind: 'delete', partition, sort }]);
    };
    expect(await expireRemoved(components)).toEqual({ objects: 0, waiting: 0 });
  });
});

describe('what was removed by a clock that was ahead', () => {
  const nowMs = AT_MS;
  const aheadMs = nowMs + CLOCK_SKEW_MS_MAX + 1;

  it('begins its grace now, whatever it holds', async () => {
    const objects = [removed(1, [block(1)]), removed(2, [block(2)])];
    const { components, panda, left } = await worldWith([holding(objects, aheadMs), long(3, aheadMs)], nowMs);
    expect(await expireRemoved(components)).toEqual({ objects: 0, waiting: 2 });
    expect(panda.sent).toEqual(['delete removed, put removed', 'delete removed, put removed']);
    expect(left()).toEqual([removedKey(CELL, nowMs, version(1)).sort, removedKey(CELL, nowMs, version(3)).sort]);
    const held = holdingFromRow((await panda.get(removedKey(CELL, nowMs, version(1)))) as Row);
    expect(held).toMatchObject({ step: 1, given: 0, notes: [], kekVersion: 0 });
    expect(held.objects.map(({ object }) => object.key)).toEqual(['k1', 'k2']);
    expect((await panda.get(removedKey(CELL, nowMs, version(3))))?.attributes).toEqual(removedAttributes([removed(3)]));
  });

  it('and not much is left alone', async () => {
    const rows = [holding([removed(1, [block(1)])], aheadMs - 1)];
    const { components, panda } = await worldWith(rows, nowMs);
    expect(await expireRemoved(components)).toEqual({ objects: 0, waiting: 1 });
    expect(panda.sent).toEqual([]);
  });

  it('is left alone where somebody changes it meanwhile', async () => {
    const write = holding([removed(1, [block(1)])], aheadMs);
    const { components, panda, left } = await worldWith([write], nowMs);
    const { partition, sort } = write;
    panda.before = async () => {
      panda.before = undefined;
      await panda.transact([{ kind: 'update', partition, sort, add: { n: 1 } }]);
    };
    await expireRemoved(components);
    expect(left()).toEqual([sort]);
  });

  it('is of the beginning where the clock says that it is before 1970', async () => {
    const { components, left } = await worldWith([holding([removed(1, [block(1)])], aheadMs)], -5000);
    expect(await expireRemoved(components)).toEqual({ objects: 0, waiting: 1 });
    expect(left()).toEqual([removedKey(CELL, 0, version(1)).sort]);
  });
});
