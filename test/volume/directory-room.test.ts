// What is kept free for directories suffices, whatever is stored: extents are never larger than they may be, and the row of a volume
// says what lies on the drives.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CodecName } from '../../lib/codec/codec.ts';
import { present } from '../../lib/foundation/assert.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { slotSpan } from '../../lib/volume/rows/directory-room.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { type Process, World } from '../store/harness.ts';

const KIB = 1024;

/** Bodies of 1 to 64 bytes are records of 49 to 112. */
async function putShort(p: Process, count: number, bytesMax: number, seed: number): Promise<void> {
  const random = new SeededRandomness(seed);
  const items = Array.from({ length: count }, (_, i) => ({
    namespace: 'default',
    key: `f${seed}/${i}`,
    body: random.bytes(1 + random.below(bytesMax)),
  }));
  for await (const outcome of p.frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
}

function worldOf(codec: CodecName, hot: CodecName, seed: number): World {
  const settings = settingsOf('demo', {
    preset: 'custom',
    blockBytesMax: KIB / 2,
    extentBytes: 64 * KIB,
    bucketBytes: codec === 'single' ? 2 * KIB : 4 * KIB,
    slotsPerBucketMax: 256,
    groupBytesMin: codec === 'rs-6-3' ? 24 * KIB : 12 * KIB,
    hotCodec: hot,
    warmCodec: codec,
    openVolumes: 1,
  });
  return new World(seed, settings, 10);
}

/** As the drives say, column by column. */
async function storedBytes(
  { components }: Process,
  volume: Awaited<ReturnType<typeof listVolumes>>[number],
): Promise<number[]> {
  return Promise.all(
    volume.extents.map(async ({ drive, zone, zoneGeneration }) => {
      const listing = (await components.drives[drive]?.list({ zone, generation: zoneGeneration })) ?? [];
      return listing.reduce((sum, { bytes }) => sum + bytes, 0);
    }),
  );
}

describe('room for directories', () => {
  it.each<[CodecName, CodecName]>([
    ['single', 'single'],
    ['xor-2-1', 'xor-2-1'],
    ['xor-2-1', 'replica-4'],
    ['rs-6-3', 'replica-4'],
  ])('suffices for many short records (%s, hot %s)', async (codec, hot) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 300, max: 900 }),
        fc.integer({ min: 1, max: 64 }),
        fc.nat(1000),
        async (count, bytesMax, seed) => {
          const p = worldOf(codec, hot, seed).start();
          await putShort(p, count, bytesMax, seed);
          await p.volumes.open.sealAll('hot');
          await encodeHot(p.volumes, { force: true, flush: true });
          await p.volumes.open.sealAll('warm');
          await freeTrash(p.volumes, { ignoreGrace: true });
          const volumes = (await listVolumes(p.components.panda, p.components.settings.cell)).filter(
            ({ class: cls }) => cls === 'warm',
          );
          expect(volumes.length).toBeGreaterThan(0);
          for (const volume of volumes) {
            expect(volume).toMatchObject({ state: 'sealed', directoriesPending: false, directoryBytes: undefined });
            expect(volume.extentUsedBytes).toEqual(await storedBytes(p, volume));
            expect(Math.max(...volume.extentUsedBytes)).toBeLessThanOrEqual(p.components.settings.extentBytes);
          }
        },
      ),
      { numRuns: 3 },
    );
  });

  it('is not wasted: volumes of short records are filled to the last few percent', async () => {
    const p = worldOf('single', 'single', 3).start();
    await putShort(p, 2500, 64, 3);
    const sealed = (await listVolumes(p.components.panda, p.components.settings.cell)).filter(
      ({ state }) => state === 'sealed',
    );
    expect(sealed.length).toBeGreaterThan(2);
    for (const { extentUsedBytes } of sealed) expect(Math.max(...extentUsedBytes)).toBeGreaterThan(0.95 * 64 * KIB);
  });

  it('of a bucket reaches from its first to its last slot', () => {
    expect(slotSpan([])).toBe(0);
    expect(slotSpan([{ slot: 7 }])).toBe(1);
    expect(slotSpan([{ slot: 90 }, { slot: 3 }, { slot: 4 }])).toBe(88);
  });

  it('is not known of a volume begun by an earlier release, so that it takes no more and is sealed', async () => {
    const world = worldOf('single', 'single', 5);
    const { components } = world.start();
    const { panda, settings } = components;
    await putShort(world.start(), 10, 64, 5);
    const [old] = await listVolumes(panda, settings.cell);
    const id = present(old, 'a volume was opened').id;
    await panda.transact([{ kind: 'update', ...volumeKey(settings.cell, id), remove: ['db'] }]);
    await putShort(world.start(), 10, 64, 6);
    const states = new Map((await listVolumes(panda, settings.cell)).map((volume) => [volume.id, volume.state]));
    expect(states.get(id)).toBe('sealed');
    expect([...states.values()].toSorted()).toEqual(['open', 'sealed']);
  });
});
