// Many objects read together, and those that somebody remembers confirmed: what comes in one read, what alone, and what is no more what it was.
import { describe, expect, it } from 'vitest';
import { type BlockId, newObjectVersion } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { blockIdsOf } from '../../lib/frontend/compose/block-ids.ts';
import type { Together } from '../../lib/frontend/reads/read-together.ts';
import { openBlock } from '../../lib/keys/envelope.ts';
import { OBJECTS_TOGETHER_MAX, OBJECTS_TOGETHER_MIN } from '../../lib/limits/frontend.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { blockKey } from '../../lib/panda/rows/block-row.ts';
import { type ObjectRow, objectAttributes, objectKey } from '../../lib/panda/rows/object-row.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { putFiles } from '../compaction/acting-world.ts';
import { Model } from '../store/crash.ts';
import { type Process, TINY, World } from '../store/harness.ts';

const NS = 'default';
const COUNT = OBJECTS_TOGETHER_MIN + 6;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

async function prepared() {
  const world = new World(3, TINY, 6);
  const p = world.start();
  const random = new SeededRandomness(8);
  const files = new Map(Array.from({ length: COUNT }, (_, i) => [`f/${i}`, random.bytes(40 + random.below(700))]));
  await putFiles(p, new Model(), files);
  return { world, p, files: new Map([...files].map(([key, body]) => [key, hex(body)])) };
}

const head = (p: Process, key: string): Promise<ObjectRow> => p.frontend.head(NS, key);

async function idsOf(p: Process, object: ObjectRow): Promise<BlockId[]> {
  const ids: BlockId[] = [];
  for await (const id of blockIdsOf(p.volumes, object)) ids.push(id);
  return ids;
}

async function together(p: Process, objects: readonly ObjectRow[], wanted = (_: ObjectRow): boolean => true) {
  const opened = new Map<string, string>();
  const alone: string[] = [];
  const parts: Together[] = [];
  async function* all(): AsyncGenerator<ObjectRow> {
    yield* objects;
  }
  for await (const part of p.frontend.readTogether(all(), wanted)) {
    parts.push(part);
    if (part.kind === 'alone') alone.push(...part.objects.map(({ key }) => key));
    else
      for (const { object, offset, length, wrappedBek, kek, recordId, blockId } of part.objects)
        opened.set(
          object.key,
          hex(openBlock(part.bytes.slice(offset, offset + length), wrappedBek, kek, { recordId, blockId })),
        );
  }
  return { opened, alone, sealed: parts.filter(({ kind }) => kind === 'sealed').length };
}

describe('objects read together', () => {
  it('are those of one block that are wanted; the others come out to be read alone', async () => {
    const { p, files } = await prepared();
    await p.frontend.put({ namespace: NS, key: 'long', body: new SeededRandomness(1).bytes(3000) });
    await p.frontend.put({ namespace: NS, key: 'empty', body: new Uint8Array(0) });
    const keys = ['long', 'empty', ...files.keys()];
    const objects = await Promise.all(keys.map((key) => head(p, key)));
    const found = await together(p, objects, ({ key }) => key !== 'f/2');
    expect(found.alone.sort()).toEqual(['empty', 'f/2', 'long']);
    files.delete('f/2');
    expect(found.opened).toEqual(files);
    expect(found.sealed).toBeLessThan(files.size / 4);
  });

  it('are all of them alone where they are too few for it to pay', async () => {
    const { p, files } = await prepared();
    const objects = await Promise.all([...files.keys()].map((key) => head(p, key)));
    const few = await together(p, objects.slice(0, OBJECTS_TOGETHER_MIN - 1));
    expect([few.alone.length, few.sealed]).toEqual([OBJECTS_TOGETHER_MIN - 1, 0]);
    const enough = await together(p, objects.slice(0, OBJECTS_TOGETHER_MIN));
    expect([enough.alone.length, enough.opened.size]).toEqual([0, OBJECTS_TOGETHER_MIN]);
  });

  it('come as so many at a time, and each once', async () => {
    const { p, files } = await prepared();
    const objects = await Promise.all([...files.keys()].map((key) => head(p, key)));
    const many = Array.from({ length: OBJECTS_TOGETHER_MAX + 3 }, (_, i) => objects[i % objects.length] as ObjectRow);
    const found = await together(p, many, ({ key }) => key === 'f/0');
    // The three that are left over are a window of their own, and too few.
    const among = many.slice(0, OBJECTS_TOGETHER_MAX);
    expect(found.alone).toEqual([...among.filter(({ key }) => key !== 'f/0'), ...many.slice(-3)].map(({ key }) => key));
    expect(found.opened).toEqual(new Map([['f/0', files.get('f/0')]]));
  });

  it('have places anew once they are encoded, and are alone where their block is gone or does not name them', async () => {
    const { world, p, files } = await prepared();
    const objects = await Promise.all([...files.keys()].map((key) => head(p, key)));
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    await p.volumes.open.sealAll('warm');
    await freeTrash(p.volumes);
    const other = world.start();
    expect((await together(other, objects)).opened).toEqual(files);
    const gone = objects[5] as ObjectRow;
    await world.panda.transact([{ kind: 'delete', ...blockKey(gone.blocks?.[0] as BlockId) }]);
    files.delete(gone.key);
    const without = await together(world.start(), objects);
    expect([without.opened, without.alone]).toEqual([files, [gone.key]]);
  });
});

describe('what somebody remembers', () => {
  /** None of one block: such a put may be plain, and is looked at closer. */
  async function remembered() {
    const world = new World(3, TINY, 6);
    const p = world.start();
    const random = new SeededRandomness(8);
    const keys = ['a', 'b', 'c', 'd'];
    for (const key of keys) await p.frontend.put({ namespace: NS, key, body: random.bytes(1500) });
    await p.frontend.put({ namespace: NS, key: 'empty', body: new Uint8Array(0) });
    return { world, p, objects: await Promise.all([...keys, 'empty'].map((key) => head(p, key))) };
  }
  const keysOf = (rows: readonly (ObjectRow | undefined)[]) => rows.map((row) => row?.key);

  it('is confirmed if it is the same version and can be read, whatever is asked beside it', async () => {
    const { p, objects } = await remembered();
    const a = objects[0] as ObjectRow;
    const others = [
      { ...a, version: newObjectVersion(new SeededRandomness(4)) },
      { ...a, key: 'never' },
    ];
    expect(keysOf(await p.frontend.confirm([...others, ...objects]))).toEqual([
      ...[undefined, undefined],
      ...keysOf(objects),
    ]);
    expect(await p.frontend.confirm(objects)).toEqual(objects);
    await p.frontend.delete(NS, 'b');
    await p.frontend.put({ namespace: NS, key: 'c', body: new Uint8Array(1500) });
    expect(keysOf(await p.frontend.confirm(objects))).toEqual(['a', undefined, undefined, 'd', 'empty']);
    expect(await p.frontend.confirm([])).toEqual([]);
  });

  it('is not confirmed where a block of it is gone or cannot be read', async () => {
    const { world, p, objects } = await remembered();
    const last = (await idsOf(p, objects[3] as ObjectRow)).at(-1) as BlockId;
    await world.panda.transact([{ kind: 'delete', ...blockKey(last) }]);
    expect(keysOf(await p.frontend.confirm(objects))).toEqual(['a', 'b', 'c', undefined, 'empty']);
    for (const drive of world.drives) for (const zone of await drive.zones()) await drive.erase(zone);
    expect(keysOf(await world.start().frontend.confirm(objects))).toEqual([...Array(4), 'empty']);
  });
});

describe('an object whose list is short', () => {
  it.each([1, 2])('by %i blocks is told of, and not read short', async (missing) => {
    const p = new World(3, TINY, 6).start();
    await p.frontend.put({ namespace: NS, key: 'a', body: new SeededRandomness(2).bytes(4000) });
    const object = await head(p, 'a');
    const blocks = await idsOf(p, object);
    const short = objectAttributes({ ...object, segments: undefined, blocks: blocks.slice(0, -missing) });
    await p.components.panda.transact([{ kind: 'put', ...objectKey(NS, 'a'), attributes: short }]);
    await expect(p.frontend.read(NS, 'a', 10_000)).rejects.toMatchObject({ code: 'BLOCK_LIST_SHORT' });
  });
});
