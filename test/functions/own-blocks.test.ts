// Namespaces whose blocks are their own: nobody learns from what a put says, or from an ETag, that another one holds the same content;
// references, reading, deleting and shredding go as ever; and whoever copies from one reads what was copied.
import { beforeEach, describe, expect, it } from 'vitest';
import { changeNamespace } from '../../lib/engine/upkeep/namespaces.ts';
import { sweepStage, verifyStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { blockIdOf, ownBlockId } from '../../lib/keys/envelope.ts';
import { NAMESPACE_RULES_MS } from '../../lib/limits/stage.ts';
import { FrontendService } from '../../lib/service/service.ts';
import { deploy } from './events.ts';

const ALICE = 'arn:aws:iam::111122223333:user/alice';
/** One block, and many. */
const BODIES = [500, 5_000].map((bytes, i) => Buffer.from(new SeededRandomness(i + 1).bytes(bytes)));

let world: ReturnType<typeof deploy>['world'];
let service: FrontendService;
beforeEach(() => {
  world = deploy(6).world;
  service = new FrontendService(world.start().volumes);
});

const set = (name: string, change: Parameters<typeof changeNamespace>[2]): ReturnType<typeof changeNamespace> =>
  changeNamespace(world.start().components, name, change);
const bind = (name: string): ReturnType<typeof changeNamespace> => set(name, { read: [ALICE], write: [ALICE] });
const put = async (namespace: string, body: Buffer, key = 'a') => service.putOne(namespace, { key, body });
const read = async (namespace: string, key = 'a') => Buffer.from((await service.read(namespace, key)).body);

/** What was deleted goes for good, and what is left is found to be whole. */
async function shred(): Promise<void> {
  world.clock.advance(world.settings.deleteGraceMs + 86_400_000);
  const { signal } = new AbortController();
  for (let done = false; !done; ) ({ done } = await sweepStage(world.start().volumes, { now: true, signal }));
  const allSinceMs = world.clock.nowMs();
  const { level, findings } = await verifyStage(world.start().volumes, { signal, allSinceMs });
  expect({ level, findings }).toEqual({ level: 'healthy', findings: [] });
}

describe.each(BODIES.map((body) => ({ body, bytes: body.length })))('content of $bytes bytes', ({ body }) => {
  it('of namespaces that name nobody is stored once', async () => {
    expect((await put('one', body)).newBytes).toBeGreaterThan(body.length / 2);
    expect((await put('two', body)).newBytes).toBe(0);
  });

  it('is stored once in each namespace that names principals, and nothing tells of the other', async () => {
    await bind('one');
    await bind('two');
    const [mine, theirs] = [await put('one', body), await put('two', body)];
    expect(theirs.newBytes).toBe(mine.newBytes);
    expect(theirs.dedupedBlocks).toBe(mine.dedupedBlocks);
    expect(theirs.etag).not.toBe(mine.etag);
    expect((await put('default', body)).newBytes).toBe(mine.newBytes);
    expect((await put('one', body, 'b')).newBytes).toBe(0);
    for (const namespace of ['one', 'two', 'default']) expect(await read(namespace)).toEqual(body);
  });

  it('is shared or kept apart as a namespace says, from within half a minute on', async () => {
    await put('default', body);
    await set('one', { read: [ALICE], dedup: 'shared' });
    expect((await put('one', body)).newBytes).toBe(0);
    await set('one', { isOpened: true, dedup: 'own' });
    world.clock.advance(NAMESPACE_RULES_MS);
    expect((await put('one', body, 'b')).newBytes).toBeGreaterThan(0);
    for (const key of ['a', 'b']) expect(await read('one', key)).toEqual(body);
  });

  it('that is deleted and shredded in one is still there in the other', async () => {
    await bind('one');
    await put('one', body);
    await put('default', body);
    await service.delete('default', [{ key: 'a' }]);
    await shred();
    await expect(service.read('default', 'a')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect(await read('one')).toEqual(body);
    await service.delete('one', [{ key: 'a' }]);
    await shred();
    expect((await put('one', body)).newBytes).toBeGreaterThan(0);
    expect(await read('one')).toEqual(body);
  });

  it('that was put in parts is kept apart, too', async () => {
    await bind('one');
    await put('default', body);
    const { upload } = await service.uploadBegin('one', 'parts');
    await service.uploadPart(upload, 0, body);
    const object = await service.uploadFinish({
      op: 'uploadFinish',
      upload,
      namespace: 'one',
      key: 'parts',
      sizeBytes: body.length,
    });
    expect(object.etag).not.toBe((await service.head('default', 'a')).etag);
    expect((await put('one', body)).newBytes).toBe(0);
    expect(await read('one', 'parts')).toEqual(body);
  });

  it('that was copied into another namespace is read there', async () => {
    await bind('one');
    await put('one', body);
    const frontend = new Frontend(world.start().volumes);
    const source = { namespace: 'one', key: 'a' };
    await frontend.compose({ namespace: 'copies', key: 'a', sources: [source] });
    expect(await read('copies')).toEqual(body);
  });

  it('is found by the ids of its blocks alone, as the storage watcher reads them', async () => {
    await bind('one');
    await put('one', body);
    const first = body.subarray(0, world.settings.blockBytesMax);
    const { frontend } = world.start();
    expect(Buffer.from(await frontend.readBlock(ownBlockId('one', blockIdOf(first))))).toEqual(first);
    await expect(frontend.readBlock(blockIdOf(first))).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
  });
});

describe('the id of a block', () => {
  it('is another one in each namespace, and needs nothing but its name', () => {
    const id = blockIdOf(BODIES[0] as Buffer);
    const ids = [id, ownBlockId('one', id), ownBlockId('two', id), ownBlockId('one', blockIdOf(BODIES[1] as Buffer))];
    expect(new Set(ids).size).toBe(ids.length);
    expect(ownBlockId('one', id)).toBe(ownBlockId('one', id));
    for (const one of ids) expect(one).toMatch(/^[0-9a-f]{64}$/);
  });
});
