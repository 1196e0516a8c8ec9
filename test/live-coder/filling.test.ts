// Volumes are sealed full: closing groups reckon with their own directories, and a process that has just begun goes on with the
// volumes that others left open.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { chooseGroup } from '../../lib/live-coder/choose-group.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { PRESETS, settingsOf } from '../../lib/settings/settings.ts';
import { World } from '../store/harness.ts';
import { incompressible } from '../store/sealed-overhead.ts';

const KIB = 1024;
const { demo } = PRESETS;

describe('closing a volume', () => {
  it('fills it although thousands of short records have a long directory', () => {
    const random = new SeededRandomness(4);
    const waiting = Array.from({ length: 20 }, () => ({
      recordBytes: Array.from({ length: 240 }, () => 200 + random.below(1500)),
    }));
    const room = { extentFreeBytes: 256 * KIB, buckets: 256 };
    const empty = { extentFreeBytes: 500 * KIB, buckets: 256 };
    const choice = chooseGroup(waiting, demo, [room, empty], false);
    expect(choice?.reason).toBe('fills the volume');
    const bytes = (choice?.chosen ?? []).flatMap((i) => waiting[i]?.recordBytes ?? []).reduce((a, b) => a + b, 0);
    // Every record takes 45 bytes of the fullest extent besides its share of a column: in the group's directory and its bucket's.
    expect(bytes).toBeGreaterThan(0.55 * 12 * room.extentFreeBytes);
  });
});

describe('what is written last', () => {
  const bucketsOf = (count: number) =>
    Array.from({ length: count }, () => ({ recordBytes: [...new Array<number>(12).fill(16 * KIB)] }));

  it('is two halves rather than a whole group and a splinter', () => {
    const empty = { extentFreeBytes: 500 * KIB, buckets: 256 };
    const first = chooseGroup(bucketsOf(22), demo, [empty], true)?.chosen.length ?? 0;
    expect(first).toBeGreaterThanOrEqual(9);
    expect(first).toBeLessThanOrEqual(13);
  });

  it('does not close a volume if that leaves a splinter, where all of it fits another', () => {
    const room = { extentFreeBytes: 200 * KIB, buckets: 256 };
    const empty = { extentFreeBytes: 500 * KIB, buckets: 256 };
    expect(chooseGroup(bucketsOf(14), demo, [room, empty], true)?.chosen).toHaveLength(14);
    expect(chooseGroup(bucketsOf(14), demo, [room, empty], false)?.reason).toBe('fills the volume');
  });
});

describe('a process that has just begun', () => {
  it('knows what others left open: a group made for a new volume would have them sealed half full', async () => {
    const settings = settingsOf('demo', {
      preset: 'custom',
      blockBytesMax: KIB,
      extentBytes: 64 * KIB,
      bucketBytes: 4 * KIB,
      slotsPerBucketMax: 256,
      groupBytesMin: 48 * KIB,
      warmCodec: 'xor-2-1',
    });
    const world = new World(6, settings, 6);
    const first = world.start();
    const items = Array.from({ length: 40 }, (_, i) => ({
      namespace: 'default',
      key: `f${i}`,
      body: incompressible(960, i),
    }));
    for await (const outcome of first.frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
    await first.volumes.open.sealAll('hot');
    await encodeHot(first.volumes, { force: true, flush: true });
    const rooms = await world.start().volumes.open.rooms('warm');
    expect(rooms).toHaveLength(2);
    expect(rooms[0]?.extentFreeBytes).toBeGreaterThan(30 * KIB);
    expect(rooms[0]?.extentFreeBytes).toBeLessThan(50 * KIB);
  });
});
