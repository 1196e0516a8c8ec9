// What can be restored, in which order it is listed, and what is said where it cannot.
import { describe, expect, it } from 'vitest';
import type { BlockId, ObjectVersion } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { isLoss, removedWrites } from '../../../lib/frontend/removed/keep-removed.ts';
import { listRemoved } from '../../../lib/frontend/removed/list-removed.ts';
import { INDEX_ATTEMPTS_MAX } from '../../../lib/limits/frontend.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { blockKey } from '../../../lib/panda/rows/block-row.ts';
import { RELEASES, UPLOADS } from '../../../lib/panda/rows/object-row.ts';
import { holdingAttributes } from '../../../lib/panda/rows/removed/held-references.ts';
import { removedAttributes, removedKey, removedSegmentPartition } from '../../../lib/panda/rows/removed/removed-row.ts';
import { objectOf, version, worldWith } from '../../gc/removed-rows.ts';
import { type Process, TINY, World } from '../../store/harness.ts';
import { MeddledPanda } from '../../store/meddled-panda.ts';
import { expectSound } from '../../store/recount.ts';

const NS = 'default';
const BLOCK = TINY.blockBytesMax;
const bytes = (count: number, seed = 1): Uint8Array => new SeededRandomness(seed).bytes(count);

function store(seed: number, bucketBytes = TINY.bucketBytes) {
  const panda = new MeddledPanda();
  const world = new World(seed, { ...TINY, bucketBytes, deleteGraceMs: 1e9 }, 20, panda);
  const p = world.start();
  const put = (key: string, body: Uint8Array) => p.frontend.put({ namespace: NS, key, body });
  const restore = (key: string, more: object = {}) => p.frontend.restore({ namespace: NS, key, ...more });
  return { panda, world, p, put, restore };
}
const dropBlocks = async (p: Process, panda: MemoryPanda, key: string, count: number): Promise<BlockId[]> => {
  const { blocks = [] } = await p.frontend.head(NS, key);
  await p.frontend.delete(NS, key);
  await panda.transact(blocks.slice(0, count).map((id) => ({ kind: 'delete', ...blockKey(id) })));
  return blocks.slice(0, count);
};

describe('what is said of blocks that are gone', () => {
  it.each([1, 3, 4, 7])('names the first of %i', async (count) => {
    const { panda, p, put, restore } = store(1, 48 * 1024);
    await put('a', bytes(8 * BLOCK));
    const gone = await dropBlocks(p, panda, 'a', count);
    const names = gone
      .slice(0, 3)
      .map((id) => `${id.slice(0, 16)}…`)
      .join(', ');
    await expect(restore('a')).rejects.toMatchObject({
      ...{ kind: 'missing', code: 'BLOCKS_SHREDDED' },
      message: `"a": ${count} of its blocks were shredded: ${names}${count > 3 ? ', …' : ''}`,
    });
  });

  it('of a long object gives up what was begun', async () => {
    const { panda, p, put, restore } = store(2);
    await put('long', bytes(20 * BLOCK));
    await p.frontend.delete(NS, 'long');
    await p.frontend.finishReleases();
    const lists = panda.snapshot().filter(({ partition }) => partition.startsWith('removed-segment/'));
    expect(lists.length).toBeGreaterThan(1);
    const block = panda.snapshot().findLast(({ partition }) => partition.startsWith('block/'));
    const { partition = '', sort = '' } = block ?? {};
    await panda.transact([{ kind: 'delete', partition, sort }]);
    await expect(restore('long')).rejects.toMatchObject({
      code: 'BLOCKS_SHREDDED',
      message: expect.stringMatching(/^"long": 1 of/),
    });
    expect((await panda.query(UPLOADS)).rows).toEqual([]);
    await p.frontend.finishReleases();
    expect((await panda.query(RELEASES)).rows).toEqual([]);
  });

  it('is that the list is gone where it is short', async () => {
    const { panda, p, put, restore } = store(3);
    await put('long', bytes(20 * BLOCK));
    const { version: was } = await p.frontend.head(NS, 'long');
    await p.frontend.delete(NS, 'long');
    await p.frontend.finishReleases();
    const { rows } = await panda.query(removedSegmentPartition(was));
    const { partition = '', sort = '' } = rows.at(-1) ?? {};
    await panda.transact([{ kind: 'delete', partition, sort }]);
    await expect(restore('long')).rejects.toMatchObject({
      ...{ kind: 'missing', code: 'NOT_IN_TRASH', message: 'the block list of "long" is not in the trash any more' },
    });
    expect((await panda.query(UPLOADS)).rows).toEqual([]);
  });
});

describe('what is restored', () => {
  it('is the one removed last, or the version that is named', async () => {
    const { world, p, put, restore } = store(4);
    const versions: string[] = [];
    for (const n of [1, 2, 3]) {
      versions.push((await put('a', bytes(9, n))).version);
      await put('ab', bytes(9, 10 + n));
      world.clock.advance(1);
    }
    await p.frontend.delete(NS, 'a');
    await p.frontend.delete(NS, 'ab');
    expect(Buffer.compare(await p.frontend.read(NS, (await restore('a')).key, 99), bytes(9, 3))).toBe(0);
    const { version: now } = await restore('a', { version: versions[0], as: 'b' });
    expect(versions).not.toContain(now);
    expect(Buffer.compare(await p.frontend.read(NS, 'b', 99), bytes(9, 1))).toBe(0);
    await expect(restore('a', { version: 'x'.repeat(70) })).rejects.toMatchObject({
      ...{ code: 'NOT_IN_TRASH' },
      message: `"a" at version ${'x'.repeat(60)}… is not in the trash (any more): see pocketful trash ls`,
    });
    await expect(restore('c')).rejects.toMatchObject({
      message: '"c" is not in the trash (any more): see pocketful trash ls',
    });
    await expect(restore('ab', { as: '' })).rejects.toMatchObject({ code: 'NAME_EMPTY' });
    await expectSound(p);
  });

  it('takes no other name than a free one', async () => {
    const { p, put, restore } = store(5);
    await put('a', bytes(9));
    await put('b', bytes(9, 2));
    await p.frontend.delete(NS, 'a');
    await expect(restore('a', { as: 'b' })).rejects.toMatchObject({
      ...{
        kind: 'conflict',
        code: 'NAME_TAKEN',
        message: 'there is another "b" now: say --overwrite, or give a name by --as',
      },
      cause: expect.objectContaining({ code: 'VERSION_MISMATCH' }),
    });
    await restore('a', { as: 'b', overwrite: true });
    expect(Buffer.compare(await p.frontend.read(NS, 'b', 99), bytes(9))).toBe(0);
  });

  it('is as it was but for its version: by whom, in which form and with what facts', async () => {
    const { p, panda, restore } = store(6);
    const facts = () => ({ md5: '0'.repeat(32), system: '{}' });
    const items = ['a', 'b'].map((key) => ({
      namespace: NS,
      key,
      body: bytes(9, key.charCodeAt(0)),
      metadata: 'm',
      facts,
    }));
    for await (const { ok } of p.frontend.putAll(items)) expect(ok).toBe(true);
    const was = await p.frontend.head(NS, 'a');
    expect(was.isNamed).toBe(true);
    await p.frontend.delete(NS, 'a');
    const { isNamed: _, version: __, ...same } = was;
    const { version: now, ...row } = await restore('a');
    expect(row).toEqual(same);
    expect(await p.frontend.head(NS, 'a')).toEqual({ ...row, version: now });
    expect(panda.snapshot().filter(({ partition }) => partition.startsWith('object/'))).toHaveLength(2);
    await expectSound(p);
  });

  it('is looked for anew where another was restored of the same row, so often and no more', async () => {
    for (const times of [1, INDEX_ATTEMPTS_MAX, INDEX_ATTEMPTS_MAX + 1]) {
      const { panda, p, put, restore } = store(7);
      await put('a', bytes(9));
      await p.frontend.delete(NS, 'a');
      let refused = 0;
      panda.before = async (writes) => {
        if (writes.some(({ partition }) => partition.startsWith('removed/')) && refused++ < times)
          throw new PandaConflict([0]);
      };
      if (times > INDEX_ATTEMPTS_MAX) await expect(restore('a')).rejects.toMatchObject({ code: 'GUARD_FAILED' });
      else expect(await restore('a')).toMatchObject({ key: 'a' });
      expect(refused).toBe(INDEX_ATTEMPTS_MAX < times ? times : times + 1);
    }
  });
});

describe('the list of what was removed', () => {
  const removed = (n: number, more: object = {}) => ({
    ...{ object: { ...objectOf(n, [n]), ...more }, isOverwritten: false, isRestored: false },
  });
  /** One object a row; versions that begin with other digits are in other partitions. */
  const digit = (n: number): ObjectVersion => `${n}${version(n).slice(1)}` as ObjectVersion;
  const row = (atMs: number, n: number, holds = true): Write => ({
    ...{ kind: 'put', ...removedKey(TINY.cell, atMs, digit(n)) },
    attributes: (holds ? holdingAttributes : removedAttributes)([removed(n, { version: digit(n) })]),
  });
  const listed = async (writes: readonly Write[], more: object = {}) => {
    const { components } = await worldWith(writes);
    return Array.fromAsync(listRemoved(components, { namespace: 'n', ...more }));
  };

  it('is by time, whatever partition a row is in', async () => {
    const found = await listed([row(30, 1), row(10, 2), row(40, 3), row(20, 4), row(15, 1), row(50, 2, false)]);
    expect(found.map(({ object, holds, row: { atMs } }) => [object.key, atMs, holds])).toEqual([
      ...[
        ['k2', 10, true],
        ['k1', 15, true],
        ['k4', 20, true],
        ['k1', 30, true],
        ['k3', 40, true],
        ['k2', 50, false],
      ],
    ]);
    expect(await listed([])).toEqual([]);
  });

  it('has those of the namespace and prefix that were not restored', async () => {
    const objects = [
      removed(1),
      removed(2, { namespace: 'm' }),
      { ...removed(3), isRestored: true },
      removed(4, { key: 'other' }),
    ];
    const writes: Write[] = [
      { kind: 'put', ...removedKey(TINY.cell, 5, version(1)), attributes: holdingAttributes(objects) },
    ];
    const keys = async (more: object = {}) => (await listed(writes, more)).map(({ object }) => object.key);
    expect([await keys(), await keys({ prefix: 'k' }), await keys({ namespace: 'm' })]).toEqual([
      ['k1', 'other'],
      ['k1'],
      ['k2'],
    ]);
    await expect(keys({ namespace: 'M' })).rejects.toMatchObject({ code: 'NAMESPACE_INVALID' });
  });

  it('passes over rows that cannot be read if somebody is told', async () => {
    const bad: Write = { kind: 'put', ...removedKey(TINY.cell, 7, version(9)), attributes: { d: 'no bytes' } };
    await expect(listed([bad, row(8, 1)])).rejects.toMatchObject({ kind: 'corrupt' });
    const { components } = await worldWith([bad, row(8, 1)]);
    const told: string[] = [];
    const badRow = ({ sort }: { sort: string }) => void told.push(sort);
    const found = await Array.fromAsync(listRemoved({ ...components, badRow }, { namespace: 'n' }));
    expect([found.map(({ object }) => object.key), told]).toEqual([
      ['k1'],
      [removedKey(TINY.cell, 7, version(9)).sort],
    ]);
  });
});

it('what is put once more as it was takes nothing away; any change of it does', () => {
  const object = { ...objectOf(1, [1]), metadata: 'm', md5: 'a', system: 's' };
  expect(isLoss(object, undefined)).toBe(true);
  expect(isLoss(object, { ...object, version: version(9), createdAtMs: 99 })).toBe(false);
  expect(removedWrites('c0', 5, [])).toEqual([]);
});
