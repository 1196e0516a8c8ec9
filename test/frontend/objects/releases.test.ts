// References of long objects are given back step by step, by whoever comes by; and uploads that nobody goes on with become such releases.
import { describe, expect, it } from 'vitest';
import { retryLater, unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { blockIdsOf } from '../../../lib/frontend/compose/block-ids.ts';
import { abandonUploads, finishRelease, finishReleases } from '../../../lib/frontend/release-references.ts';
import { beginPartUpload } from '../../../lib/frontend/upload-parts.ts';
import { UPLOAD_ABANDONED_MS } from '../../../lib/limits/frontend.ts';
import { PAIRS_PER_TRANSACTION } from '../../../lib/limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../../lib/limits/volume.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { blockFromRow, blockKey } from '../../../lib/panda/rows/block-row.ts';
import {
  type ObjectRow,
  objectAttributes,
  objectKey,
  RELEASES,
  releaseAttributes,
  releaseFromRow,
  releaseKey,
  segmentAttributes,
  segmentKey,
  segmentPartition,
  UPLOADS,
} from '../../../lib/panda/rows/object-row.ts';
import { removedSegmentPartition } from '../../../lib/panda/rows/removed/removed-row.ts';
import { TINY, World } from '../../store/harness.ts';
import { expectSound } from '../../store/recount.ts';

const NS = 'default';
const BLOCKS = 2 * PAIRS_PER_TRANSACTION + 3;
const isStep = (writes: readonly Write[]): boolean => writes.some(({ partition }) => partition === RELEASES);

/** Transactions that go on with a release are told, and may be refused or lost. */
class SteppedPanda extends MemoryPanda {
  readonly cursors: string[] = [];
  before: ((writes: readonly Write[]) => Promise<void>) | undefined;
  after: (() => Promise<void>) | undefined;

  override async transact(writes: readonly Write[]): Promise<void> {
    const isOne = isStep(writes);
    if (isOne) await this.before?.(writes);
    await super.transact(writes);
    const release = writes.find(({ partition }) => partition === RELEASES);
    if (release?.kind === 'delete') this.cursors.push('ends');
    if (release?.kind === 'update') this.cursors.push(String(release.set?.['at']));
    if (isOne) await this.after?.();
  }
}

/** A release row as the transaction of a delete leaves it. */
async function withRelease(keepsSegments: boolean) {
  const panda = new SteppedPanda();
  const world = new World(4, { ...TINY, deleteGraceMs: 1000 }, 20, panda);
  const p = world.start();
  const body = new SeededRandomness(4).bytes(BLOCKS * TINY.blockBytesMax);
  await p.frontend.put({ namespace: NS, key: 'long', body });
  const object: ObjectRow = await p.frontend.head(NS, 'long');
  const ids: BlockId[] = [];
  for await (const id of blockIdsOf(p.volumes, object)) ids.push(id);
  await panda.transact([
    { kind: 'delete', partition: `object/${NS}`, sort: 'long' },
    {
      kind: 'put',
      ...releaseKey(object.version),
      attributes: releaseAttributes({
        ...{ version: object.version, namespace: NS, key: 'long', blocks: [], cursor: '0:0' },
        keepsSegments: keepsSegments || undefined,
      }),
    },
  ]);
  panda.cursors.length = 0;
  const left = async (partition: string) => (await panda.query(partition)).rows.length;
  return { world, panda, p, object, ids, left };
}

describe('a release', () => {
  it('gives back as many at a time as a transaction takes, and says how many they were', async () => {
    const { panda, p, object, ids, left } = await withRelease(false);
    const segments = object.segments ?? 0;
    expect(segments).toBeGreaterThan(1);
    expect(await finishReleases(p.components)).toBe(ids.length);
    expect(panda.cursors.at(-1)).toBe('ends');
    expect(panda.cursors.slice(0, -1)).toEqual(Array.from({ length: segments }, (_, i) => `${i + 1}:0`));
    expect([await left(RELEASES), await left(segmentPartition(object.version))]).toEqual([0, 0]);
    expect(await left(removedSegmentPartition(object.version))).toBe(0);
    expect((await panda.getMany(ids.slice(0, 40).map(blockKey))).map((row) => row && blockFromRow(row).refs)).toEqual(
      ids.slice(0, 40).map(() => 0),
    );
    expect(await finishReleases(p.components)).toBe(0);
    await expectSound(p);
  });

  it('keeps block lists for as long as the object can be restored', async () => {
    const { p, object, ids, left } = await withRelease(true);
    expect(await finishReleases(p.components)).toBe(ids.length);
    expect(await left(removedSegmentPartition(object.version))).toBe(object.segments);
    expect(await left(segmentPartition(object.version))).toBe(0);
  });

  it('takes a segment that is longer than a transaction in several steps', async () => {
    const { panda, p, object, ids } = await withRelease(false);
    const { rows } = await panda.query(segmentPartition(object.version));
    for (const { partition, sort } of rows) await panda.transact([{ kind: 'delete', partition, sort }]);
    const all = PAIRS_PER_TRANSACTION + 7;
    await panda.transact([
      { kind: 'put', ...segmentKey(object.version, 3), attributes: segmentAttributes(ids.slice(0, all)) },
    ]);
    expect(await finishRelease(p.components, object.version)).toBe(all);
    expect(panda.cursors).toEqual([`3:${PAIRS_PER_TRANSACTION}`, '4:0', 'ends']);
    expect((await panda.query(segmentPartition(object.version))).rows).toEqual([]);
  });

  it('gives a block back as often as the segment has it', async () => {
    const { panda, p, object, ids } = await withRelease(false);
    const [id = '' as BlockId, other = '' as BlockId] = ids;
    const { rows } = await panda.query(segmentPartition(object.version));
    for (const { partition, sort } of rows) await panda.transact([{ kind: 'delete', partition, sort }]);
    await panda.transact([
      { kind: 'put', ...segmentKey(object.version, 0), attributes: segmentAttributes([id, other, id]) },
      { kind: 'update', ...blockKey(id), add: { f: 3 } },
    ]);
    expect(await finishRelease(p.components, object.version)).toBe(3);
    expect((await panda.getMany([id, other].map(blockKey))).map((row) => row && blockFromRow(row).refs)).toEqual([
      2, 0,
    ]);
  });

  it('of an object that lists its blocks is one step', async () => {
    const { panda, p, object, ids } = await withRelease(false);
    await panda.transact([
      {
        kind: 'put',
        ...releaseKey(object.version),
        attributes: releaseAttributes({
          ...{ version: object.version, namespace: NS, key: 'long', blocks: ids.slice(0, 9), cursor: '0:2' },
        }),
      },
    ]);
    expect(await finishRelease(p.components, object.version)).toBe(7);
    expect(panda.cursors).toEqual(['ends']);
  });

  it('goes on where another worker came to, and counts only its own', async () => {
    const { panda, p, object, ids } = await withRelease(false);
    const { components } = p;
    panda.before = async () => {
      panda.before = undefined;
      await finishRelease(components, object.version);
    };
    expect(await finishRelease(components, object.version)).toBe(0);
    expect((await panda.query(RELEASES)).rows).toEqual([]);
    const refs = (await panda.getMany(ids.slice(0, 40).map(blockKey))).map((row) => row && blockFromRow(row).refs);
    expect(refs).toEqual(ids.slice(0, 40).map(() => 0));
    await expectSound(p);
  });

  it('is done once where an answer is lost, the last one too', async () => {
    const { panda, p, ids } = await withRelease(false);
    panda.after = async () => {
      throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
    };
    expect(await finishReleases(p.components)).toBe(ids.length);
    panda.after = undefined;
    await expectSound(p);
  });

  it('that never gets on is an error, and whatever else fails comes out', async () => {
    const { panda, p, object } = await withRelease(false);
    const mistake = new TypeError('a mistake');
    panda.before = async () => {
      throw mistake;
    };
    await expect(finishRelease(p.components, object.version)).rejects.toBe(mistake);
    expect(releaseFromRow((await panda.get(releaseKey(object.version))) as never).cursor).toBe('0:0');
  });

  it('ends with an error where the store refuses a step for ever, and only then', async () => {
    for (const isEmpty of [false, true]) {
      const { panda, p, object, ids } = await withRelease(false);
      // What an upload had only begun is a release of nothing.
      if (isEmpty)
        for (const { partition, sort } of (await panda.query(segmentPartition(object.version))).rows)
          await panda.transact([{ kind: 'delete', partition, sort }]);
      let steps = 0;
      let refuses = Number.POSITIVE_INFINITY;
      panda.before = async () => {
        steps += 1;
        if (steps <= refuses) throw new PandaConflict([0]);
      };
      await expect(finishRelease(p.components, object.version)).rejects.toMatchObject({ code: 'CONTENDED' });
      expect(steps).toBe(CONFLICT_ATTEMPTS_MAX + 1);
      expect((await panda.query(RELEASES)).rows).toHaveLength(1);
      steps = 0;
      refuses = CONFLICT_ATTEMPTS_MAX;
      expect(await finishRelease(p.components, object.version)).toBe(isEmpty ? 0 : ids.length);
    }
  });

  it('is refused as often as others get on', async () => {
    const { panda, p, object, ids } = await withRelease(false);
    let times = 0;
    panda.before = async () => {
      if (times > 2 * CONFLICT_ATTEMPTS_MAX) return;
      const key = releaseKey(object.version);
      const row = releaseFromRow((await panda.get(key)) ?? expect.fail('no release'));
      const cursor = `0:${++times % 2}`;
      await MemoryPanda.prototype.transact.call(panda, [
        { kind: 'put', ...key, attributes: releaseAttributes({ ...row, cursor }) },
      ]);
    };
    expect(await finishRelease(p.components, object.version)).toBe(ids.length - 1);
    expect(panda.cursors[0]).toBe('1:0');
  });

  it('is no error of the delete that began it: somebody else goes on; a mistake of a program is', async () => {
    for (const error of [retryLater('PANDA_FULL', 'the disk is full'), new TypeError('a mistake')]) {
      const { p, panda, object, ids } = await withRelease(false);
      await panda.transact([
        { kind: 'delete', ...releaseKey(object.version) },
        { kind: 'put', ...objectKey(NS, 'long'), attributes: objectAttributes(object) },
      ]);
      panda.before = async (writes) => {
        if (writes.every(({ kind, partition }) => kind !== 'put' || partition !== RELEASES)) throw error;
      };
      const deleted = p.frontend.delete(NS, 'long');
      if (error instanceof TypeError) await expect(deleted).rejects.toBe(error);
      else await deleted;
      panda.before = undefined;
      await expect(p.frontend.head(NS, 'long')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      expect(await finishReleases(p.components)).toBe(ids.length);
      await expectSound(p);
    }
  });
});

describe('an upload', () => {
  it('of a process that is gone is given up at once, of another one after a day, and its own never', async () => {
    const world = new World(5);
    const [p, other] = [world.start(), world.start()];
    await beginPartUpload(p.components, NS, 'mine');
    await beginPartUpload(other.components, NS, 'theirs');
    world.clock.advance(UPLOAD_ABANDONED_MS);
    expect(await abandonUploads(p.components)).toBe(0);
    world.clock.advance(1);
    expect(await abandonUploads(p.components)).toBe(1);
    const keys = async (partition: string) =>
      (await world.panda.query(partition)).rows.map((row) => row.attributes['key']);
    expect([await keys(UPLOADS), await keys(RELEASES)]).toEqual([['mine'], ['theirs']]);
    expect(await abandonUploads(world.start({ othersDead: true }).components)).toBe(1);
    expect(await keys(UPLOADS)).toEqual([]);
    expect(await p.frontend.finishReleases()).toBe(0);
    expect(await keys(RELEASES)).toEqual([]);
  });
});
