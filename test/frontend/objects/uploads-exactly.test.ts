// An upload in parts, segment by segment: what each of its calls writes, refuses and answers when another one of them is beside it.
import { describe, expect, it } from 'vitest';
import type { ObjectVersion } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { KekRing } from '../../../lib/frontend/kek-ring.ts';
import {
  abortPartUpload,
  beginPartUpload,
  finishPartUpload,
  putPart,
  readUpload,
} from '../../../lib/frontend/upload-parts.ts';
import { blockIdOf } from '../../../lib/keys/envelope.ts';
import { METADATA_BYTES_MAX } from '../../../lib/limits/frontend.ts';
import { blockKey } from '../../../lib/panda/rows/block-row.ts';
import {
  releaseFromRow,
  releaseKey,
  segmentFromRow,
  segmentPartition,
  uploadFromRow,
  uploadKey,
} from '../../../lib/panda/rows/object-row.ts';
import { appendBytesMax } from '../../../lib/volume/write/append.ts';
import { type Process, TINY, World } from '../../store/harness.ts';
import { MeddledPanda } from '../../store/meddled-panda.ts';
import { expectSound } from '../../store/recount.ts';

const BLOCK = TINY.blockBytesMax;
const NAME = { namespace: 'n', key: 'long' };
const bodyOf = (bytes: number, seed = 3): Uint8Array => new SeededRandomness(seed).bytes(bytes);

async function begun(seed = 7) {
  const panda = new MeddledPanda();
  const world = new World(seed, TINY, 20, panda);
  const p = world.start();
  const upload = await beginPartUpload(p.components, NAME.namespace, NAME.key);
  const keks = new KekRing(p.components);
  const part = (offset: number, body: Uint8Array, of: Process = p) =>
    putPart(of.volumes, of === p ? keks : new KekRing(of.components), { upload, offset, body });
  const finish = (sizeBytes: number, more: object = {}) =>
    finishPartUpload(p.volumes, { upload, ...NAME, sizeBytes, ...more });
  const segments = async () =>
    (await panda.query(segmentPartition(upload))).rows
      .map(segmentFromRow)
      .map(({ index, blocks }) => [index, blocks.length]);
  const row = async () => {
    const found = await panda.get(uploadKey(upload));
    return found && uploadFromRow(found);
  };
  return { panda, world, p, upload, part, finish, segments, row };
}

describe('an upload', () => {
  it('begins with no segment, by the process that began it, now or in 1970', async () => {
    const { world, p, upload, row } = await begun();
    expect(await row()).toEqual({
      ...{ version: upload, ...NAME, owner: p.components.owner, startedAtMs: world.clock.nowMs(), segments: 0 },
    });
    expect(await readUpload(p.components, upload)).toEqual(await row());
    world.clock.jumpTo(-77);
    const old = await beginPartUpload(p.components, 'n', 'other');
    expect((await readUpload(p.components, old))?.startedAtMs).toBe(0);
    for (const [namespace, key] of [
      ['N', 'a'],
      ['n', 'a/../b'],
      ['n', ''],
    ] as const)
      await expect(beginPartUpload(p.components, namespace, key)).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('has a segment for as many blocks as an append takes, numbered by their first block', async () => {
    const { part, segments, row } = await begun();
    const each = Math.floor(appendBytesMax(TINY) / (BLOCK + 64));
    await part(2 * BLOCK, bodyOf((2 * each + 1) * BLOCK - 1));
    expect(await segments()).toEqual([
      [2, each],
      [2 + each, each],
      [2 + 2 * each, 1],
    ]);
    expect((await row())?.segments).toBe(3);
  });

  it('of one block has its id for a tag, and of several a hash of theirs', async () => {
    const one = await begun();
    const body = bodyOf(BLOCK);
    await one.part(0, body);
    one.world.clock.jumpTo(-5);
    const metadata = 'm'.repeat(METADATA_BYTES_MAX);
    expect(await one.finish(BLOCK, { metadata })).toEqual({
      ...{ ...NAME, version: one.upload, sizeBytes: BLOCK, blockBytes: BLOCK, etag: blockIdOf(body), createdAtMs: 0 },
      ...{ metadata, blocks: undefined, segments: 1 },
    });
    expect(await one.p.frontend.head('n', 'long')).toMatchObject({ version: one.upload, segments: 1, metadata });
    expect(await one.row()).toBeUndefined();
    const two = await begun();
    await two.part(0, bodyOf(BLOCK + 1));
    expect((await two.finish(BLOCK + 1)).etag).toMatch(/^[0-9a-f]{64}-2$/);
    await expectSound(two.p);
  });

  it('is not finished with metadata that is too long, nor under a condition that does not hold', async () => {
    const { p, part, finish, row } = await begun();
    await part(0, bodyOf(BLOCK));
    const before = await row();
    expect(before?.segments).toBe(1);
    await expect(finish(BLOCK, { metadata: 'm'.repeat(METADATA_BYTES_MAX + 1) })).rejects.toMatchObject({
      code: 'METADATA_TOO_LONG',
    });
    await p.frontend.put({ ...NAME, body: Buffer.from('there already') });
    await expect(finish(BLOCK, { ifVersion: 'absent' })).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
    expect(await row()).toEqual(before);
    const { version } = await p.frontend.head('n', 'long');
    expect(await finish(BLOCK, { ifVersion: version })).toMatchObject({ sizeBytes: BLOCK });
  });

  it('says what is missing of it', async () => {
    const { part, finish } = await begun();
    await part(0, bodyOf(BLOCK));
    await part(3 * BLOCK, bodyOf(BLOCK, 4));
    const gap = `the upload cannot be finished: bytes are missing at ${BLOCK}`;
    await expect(finish(4 * BLOCK)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE', message: gap });
    await part(BLOCK, bodyOf(2 * BLOCK, 5));
    const short = `the upload cannot be finished: ${4 * BLOCK} bytes were stored, not ${4 * BLOCK + 1}`;
    await expect(finish(4 * BLOCK + 1)).rejects.toMatchObject({ message: short });
    expect((await finish(4 * BLOCK)).segments).toBe(3);
  });

  it('with a block that has no row is damaged', async () => {
    const { panda, part, finish } = await begun();
    await part(0, bodyOf(2 * BLOCK));
    await panda.transact([{ kind: 'delete', ...blockKey(blockIdOf(bodyOf(2 * BLOCK).subarray(BLOCK))) }]);
    await expect(finish(2 * BLOCK)).rejects.toMatchObject({ kind: 'corrupt', code: 'BLOCK_ROW_MISSING' });
  });

  it('may have the same block twice', async () => {
    const { p, part, finish } = await begun();
    const body = Buffer.concat([bodyOf(BLOCK), bodyOf(BLOCK), bodyOf(BLOCK)]);
    await part(0, body);
    await finish(3 * BLOCK);
    expect(Buffer.compare(await p.frontend.read('n', 'long', 1e5), body)).toBe(0);
    await expectSound(p);
  });
});

describe('a part', () => {
  it('that another try stores at the same time is stored once', async () => {
    const { panda, world, p, part, segments, row } = await begun();
    const other = world.start();
    const body = bodyOf(3 * BLOCK);
    let isFirst = true;
    panda.before = async (writes) => {
      if (!isFirst || !writes.some(({ partition }) => partition.startsWith('segment/'))) return;
      isFirst = false;
      await part(0, body, other);
    };
    await part(0, body);
    expect([isFirst, await segments(), (await row())?.segments]).toEqual([false, [[0, 3]], 1]);
    await expectSound(p);
  });

  it('beside which other bytes are stored, or the upload is given up, says which', async () => {
    for (const meanwhile of ['other bytes', 'fewer', 'given up'] as const) {
      const { panda, world, p, upload, part } = await begun();
      const other = world.start();
      let isFirst = true;
      panda.before = async (writes) => {
        if (!isFirst || !writes.some(({ partition }) => partition.startsWith('segment/'))) return;
        isFirst = false;
        if (meanwhile === 'given up') await abortPartUpload(other.components, upload);
        else await part(0, meanwhile === 'fewer' ? bodyOf(BLOCK) : bodyOf(2 * BLOCK, 9), other);
      };
      await expect(part(0, bodyOf(2 * BLOCK))).rejects.toMatchObject({
        code: meanwhile === 'given up' ? 'UPLOAD_MISSING' : 'PART_CHANGED',
      });
      await p.frontend.finishReleases();
      await expectSound(p);
    }
  });

  it('of a namespace that keeps its blocks for itself is stored apart', async () => {
    for (const isOwn of [true, false]) {
      const { p, upload, finish } = await begun();
      const asked: string[] = [];
      const ownBlocksIn = async (namespace: string) => {
        asked.push(namespace);
        return isOwn;
      };
      const body = bodyOf(BLOCK);
      await putPart(p.volumes, new KekRing(p.components), { upload, offset: 0, body, ownBlocksIn });
      const { etag } = await finish(BLOCK);
      expect([asked, etag === blockIdOf(body)]).toEqual([['n'], !isOwn]);
      expect(Buffer.compare(await p.frontend.read('n', 'long', 1e5), body)).toBe(0);
    }
  });

  it('of an upload that is not there is refused, and giving that up is nothing', async () => {
    const { panda, p, upload, part } = await begun();
    await abortPartUpload(p.components, upload);
    const release = await panda.get(releaseKey(upload));
    expect(release && releaseFromRow(release)).toMatchObject({ version: upload, namespace: 'n', blocks: [] });
    await abortPartUpload(p.components, '0'.repeat(24) as ObjectVersion);
    await expect(part(0, bodyOf(BLOCK))).rejects.toMatchObject({ kind: 'missing', code: 'UPLOAD_MISSING' });
  });
});

describe('much of an upload at once', () => {
  const run = (p: Process, upload: ObjectVersion, body: Uint8Array, at = 0, more: object = {}) =>
    p.frontend.extendUpload({
      ...{ upload, namespace: 'n', at, ownBlocks: false, mayGoOn: () => true, ...more },
      body: async function* () {
        yield body;
      },
    });

  it('is the same segments as parts, from where it is said to begin', async () => {
    const { p, upload, finish, segments, part } = await begun();
    const body = bodyOf(11 * BLOCK + 5);
    await part(0, body.subarray(0, 2 * BLOCK));
    expect(await run(p, upload, body.subarray(2 * BLOCK), 2 * BLOCK)).toBe(body.length - 2 * BLOCK);
    const before = await segments();
    expect(before.map(([index = 0, count = 0]) => index + count)).toContain(12);
    expect(await run(p, upload, body.subarray(2 * BLOCK), 2 * BLOCK)).toBe(body.length - 2 * BLOCK);
    expect(await segments()).toEqual(before);
    await finish(body.length);
    expect(Buffer.compare(await p.frontend.read('n', 'long', 1e6), body)).toBe(0);
    await expectSound(p);
  });

  it('ends where no more is wanted, and says how many bytes it stored', async () => {
    const { p, upload, segments } = await begun();
    const each = Math.floor(appendBytesMax(TINY) / (BLOCK + 64));
    let asked = 0;
    const mayGoOn = () => ++asked < 2;
    expect(await run(p, upload, bodyOf(20 * BLOCK), 0, { mayGoOn })).toBe(2 * each * BLOCK);
    expect(await segments()).toEqual([
      [0, each],
      [each, each],
    ]);
  });

  it('is refused between blocks, for another namespace, and where there is no upload', async () => {
    const { p, upload } = await begun();
    const body = bodyOf(BLOCK);
    await expect(run(p, upload, body, 1)).rejects.toMatchObject({
      ...{ code: 'PART_INVALID', message: `a part begins at a multiple of ${BLOCK}, not at 1` },
    });
    await expect(run(p, upload, body, 0, { namespace: 'm' })).rejects.toMatchObject({ code: 'UPLOAD_MISMATCH' });
    await abortPartUpload(p.components, upload);
    await expect(run(p, upload, body)).rejects.toMatchObject({ code: 'UPLOAD_MISSING' });
  });

  it('leaves room for the next one, however it ended', async () => {
    const { p, upload } = await begun();
    for (let i = 0; i < 4; i++)
      await expect(
        p.frontend.extendUpload({
          ...{ upload, namespace: 'n', at: 0, ownBlocks: false, mayGoOn: () => true },
          // biome-ignore lint/correctness/useYield: a body that fails before its first byte
          body: async function* () {
            throw new Error('no body');
          },
        }),
      ).rejects.toThrow('no body');
    expect(await run(p, upload, bodyOf(BLOCK))).toBe(BLOCK);
  });
});
