// An object that comes in parts over several processes: any order, sent twice, incomplete, abandoned.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { KekRing } from '../../lib/frontend/kek-ring.ts';
import { abortPartUpload, beginPartUpload, finishPartUpload, putPart } from '../../lib/frontend/upload-parts.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Row } from '../../lib/panda/panda.ts';
import { RELEASES, segmentPartition, UPLOADS, uploadKey } from '../../lib/panda/rows/object-row.ts';
import { type Process, TINY, World } from './harness.ts';

/** What happens just before the next rows of blocks are read. */
class HookedPanda extends MemoryPanda {
  beforeBlocks: (() => Promise<void>) | undefined;

  override async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    const { beforeBlocks } = this;
    if (beforeBlocks !== undefined && keys.some(({ partition }) => partition.startsWith('block/'))) {
      this.beforeBlocks = undefined;
      await beforeBlocks();
    }
    return super.getMany(keys);
  }
}

const BLOCK = TINY.blockBytesMax;
const NAME = { namespace: 'default', key: 'long' };
const bodyOf = (bytes: number, seed = 3): Uint8Array => new SeededRandomness(seed).bytes(bytes);

const part = (p: Process, upload: Awaited<ReturnType<typeof beginPartUpload>>, offset: number, body: Uint8Array) =>
  putPart(p.volumes, new KekRing(p.components), { upload, offset, body });

const rowsIn = async (p: Process, partition: string): Promise<number> =>
  (await p.components.panda.query(partition)).rows.length;

describe('an upload in parts', () => {
  it('is the same object as one put whole, whatever the order of its parts and the processes that take them', async () => {
    const world = new World(11);
    const p = world.start();
    const q = world.start();
    const body = bodyOf(20 * BLOCK + 77);
    await p.frontend.put({ namespace: 'default', key: 'whole', body });
    const upload = await beginPartUpload(p.components, NAME.namespace, NAME.key);
    const size = 4 * BLOCK;
    const offsets = Array.from({ length: 6 }, (_, i) => i * size).reverse();
    for (const [i, offset] of offsets.entries())
      await part(i % 2 === 0 ? p : q, upload, offset, body.subarray(offset, offset + size));
    await expect(p.frontend.head('default', 'long')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    const object = await finishPartUpload(q.volumes, { upload, ...NAME, sizeBytes: body.byteLength, metadata: '{}' });
    const whole = await p.frontend.head('default', 'whole');
    expect(object).toMatchObject({ sizeBytes: whole.sizeBytes, etag: whole.etag, metadata: '{}', version: upload });
    expect(Buffer.from(await p.frontend.read('default', 'long', 1e6))).toEqual(Buffer.from(body));
    const range = { offset: 5 * BLOCK - 3, length: 2 * BLOCK };
    expect(Buffer.from(await p.frontend.read('default', 'long', 1e6, range))).toEqual(
      Buffer.from(body.subarray(range.offset, range.offset + range.length)),
    );
  });

  it('may send a part twice, and its end too, but not other bytes', async () => {
    const p = new World(12).start();
    const body = bodyOf(9 * BLOCK);
    const upload = await beginPartUpload(p.components, NAME.namespace, NAME.key);
    await Promise.all([part(p, upload, 0, body), part(p, upload, 0, body)]);
    await part(p, upload, 0, body);
    await expect(part(p, upload, 0, bodyOf(9 * BLOCK, 4))).rejects.toMatchObject({
      kind: 'conflict',
      code: 'PART_CHANGED',
    });
    const end = { upload, ...NAME, sizeBytes: body.byteLength };
    const first = await finishPartUpload(p.volumes, end);
    expect(await finishPartUpload(p.volumes, end)).toEqual(first);
    expect(Buffer.from(await p.frontend.read('default', 'long', 1e6))).toEqual(Buffer.from(body));
    await p.frontend.put({ ...NAME, body: bodyOf(10) });
    await expect(finishPartUpload(p.volumes, end)).rejects.toMatchObject({ kind: 'missing', code: 'UPLOAD_MISSING' });
  });

  it.each([
    ['a missing part', [0, 8 * BLOCK], [4 * BLOCK, 4 * BLOCK], 12 * BLOCK],
    ['a short part that is not the last', [0, 4 * BLOCK], [3 * BLOCK + 5, BLOCK], 4 * BLOCK + 5],
    ['a short last block before others', [0, BLOCK], [5, BLOCK], BLOCK + 5],
    ['another size than announced', [0], [2 * BLOCK], 2 * BLOCK - 1],
    ['no part at all', [], [], 0],
  ])('is not published with %s', async (_, offsets, lengths, sizeBytes) => {
    const p = new World(13).start();
    const upload = await beginPartUpload(p.components, NAME.namespace, NAME.key);
    for (const [i, offset] of offsets.entries()) await part(p, upload, offset, bodyOf(lengths[i] ?? 0, i));
    await expect(finishPartUpload(p.volumes, { upload, ...NAME, sizeBytes })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'UPLOAD_INCOMPLETE',
    });
    await expect(p.frontend.head('default', 'long')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('that an earlier release began does not count its segments, and is published as before', async () => {
    const p = new World(15).start();
    const body = bodyOf(9 * BLOCK);
    const upload = await beginPartUpload(p.components, NAME.namespace, NAME.key);
    await p.components.panda.transact([{ kind: 'update', ...uploadKey(upload), remove: ['n'] }]);
    for (const offset of [4 * BLOCK, 0])
      await part(p, upload, offset, body.subarray(offset, offset === 0 ? 4 * BLOCK : undefined));
    expect((await p.components.panda.get(uploadKey(upload)))?.attributes['n']).toBeUndefined();
    await finishPartUpload(p.volumes, { upload, ...NAME, sizeBytes: body.byteLength });
    expect(Buffer.from(await p.frontend.read('default', 'long', 1e6))).toEqual(Buffer.from(body));
  });

  it('refuses parts between blocks, empty parts, and the name of another object', async () => {
    const p = new World(14).start();
    const upload = await beginPartUpload(p.components, NAME.namespace, NAME.key);
    await expect(part(p, upload, 1, bodyOf(BLOCK))).rejects.toMatchObject({ code: 'PART_INVALID' });
    await expect(part(p, upload, 0, new Uint8Array(0))).rejects.toMatchObject({ code: 'PART_INVALID' });
    await part(p, upload, 0, bodyOf(BLOCK));
    const end = { upload, namespace: 'default', key: 'short', sizeBytes: BLOCK };
    await expect(finishPartUpload(p.volumes, end)).rejects.toMatchObject({ code: 'UPLOAD_MISMATCH' });
    await expect(beginPartUpload(p.components, 'default', '../x')).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });

  it('given up, leaves no upload, segment or reference', async () => {
    const p = new World(15).start();
    const upload = await beginPartUpload(p.components, NAME.namespace, NAME.key);
    await part(p, upload, 0, bodyOf(9 * BLOCK));
    await abortPartUpload(p.components, upload);
    await abortPartUpload(p.components, upload);
    await expect(part(p, upload, 9 * BLOCK, bodyOf(BLOCK))).rejects.toMatchObject({ code: 'UPLOAD_MISSING' });
    expect(await p.frontend.finishReleases()).toBe(9);
    expect(await rowsIn(p, UPLOADS)).toBe(0);
    expect(await rowsIn(p, RELEASES)).toBe(0);
    expect(await rowsIn(p, segmentPartition(upload))).toBe(0);
  });

  it('given up while it is finished, is told to be gone, and nothing is called damaged', async () => {
    const panda = new HookedPanda();
    const world = new World(16, TINY, 20, panda);
    const p = world.start();
    const upload = await beginPartUpload(p.components, NAME.namespace, NAME.key);
    await part(p, upload, 0, bodyOf(9 * BLOCK));
    // Its segments have been read then.
    panda.beforeBlocks = async () => {
      await abortPartUpload(p.components, upload);
      await p.frontend.finishReleases();
      world.clock.advance(p.components.settings.deleteGraceMs + 1);
      expect((await collectGarbage(p.components)).slots).toBe(9);
    };
    const end = { ...NAME, upload, sizeBytes: 9 * BLOCK };
    await expect(finishPartUpload(p.volumes, end)).rejects.toMatchObject({ code: 'UPLOAD_MISSING' });
    expect(panda.beforeBlocks).toBeUndefined();
  });
});
