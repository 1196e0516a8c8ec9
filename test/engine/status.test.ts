// The figures of `status`, from rows made by hand.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillHistogram, type StatusFacts, statusOf } from '../../lib/engine/status/status.ts';
import { type BucketId, bucketId, storeId, volumeId } from '../../lib/foundation/ids.ts';
import type { BucketRow } from '../../lib/panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { PRESETS } from '../../lib/settings/settings.ts';

const settings = PRESETS.demo;
const hex = (n: number): string => n.toString(16).padStart(16, '0');

function volume(n: number, given: Partial<VolumeRow> & { readonly usedEach: number }): VolumeRow {
  const columns = given.class === 'hot' ? 4 : 16;
  return {
    id: volumeId(hex(n)),
    class: 'warm',
    codec: given.class === 'hot' ? 'replica-4' : 'lrc-12-2-2',
    state: 'sealed',
    generation: 1,
    extents: Array.from({ length: columns }, (_, drive) => ({ drive, zone: n, zoneGeneration: 1 })),
    token: 1,
    owner: undefined,
    expiresAtMs: 0,
    nextSeq: 2,
    pendingSeq: undefined,
    extentUsedBytes: new Array<number>(columns).fill(given.usedEach),
    run: undefined,
    buckets: new Set<BucketId>([bucketId(hex(n))]),
    moved: new Set(),
    openBucket: undefined,
    createdAtMs: 0,
    sealedAtMs: 0,
    directoriesPending: false,
    revision: 0,
    trashedAtMs: undefined,
    ...given,
  };
}

const bucket = (n: number, liveBytes: number): BucketRow => ({
  id: bucketId(hex(n)),
  volume: volumeId(hex(n)),
  move: 0,
  seq: 0,
  token: 0,
  usedBytes: liveBytes,
  liveBytes,
  slots: 1,
  createdAtMs: 0,
});

const facts = (given: Partial<StatusFacts>): StatusFacts => ({
  storeId: storeId('ab'.repeat(16)),
  settings,
  volumes: [],
  buckets: [],
  drives: Array.from({ length: 20 }, (_, id) => ({ id, path: `d${id}`, state: 'ok', usedZones: 3, erasingZones: 1 })),
  trash: { blocks: 0, bytes: 0 },
  ...given,
});

describe('status', () => {
  it('measures each class against its own live bytes, and trash against all', () => {
    const capacity = 12 * settings.extentBytes;
    const status = statusOf(
      facts({
        volumes: [
          volume(1, { class: 'hot', state: 'open', usedEach: 1000 }),
          volume(2, { state: 'open', usedEach: 10 }),
          volume(3, { usedEach: 300 }),
          volume(4, { state: 'draining', usedEach: 300 }),
          volume(5, { class: 'hot', state: 'trash', usedEach: 7, buckets: new Set() }),
        ],
        buckets: [bucket(1, 500), bucket(2, 100), bucket(3, capacity / 2), bucket(4, capacity / 4)],
      }),
    );
    const { hot, open, sealed, trash } = status.overhead;
    expect(hot).toMatchObject({ volumes: 1, storedBytes: 4000, stored: 8, allocatedBytes: 4 * settings.extentBytes });
    expect(open).toMatchObject({ volumes: 1, storedBytes: 160, stored: 1.6 });
    expect(sealed).toMatchObject({ volumes: 2, liveBytes: (capacity * 3) / 4, storedBytes: 9600 });
    expect(sealed.allocated).toBeCloseTo((2 * 16 * settings.extentBytes) / ((capacity * 3) / 4), 5);
    expect(trash).toMatchObject({ volumes: 1, storedBytes: 28 });
    expect(trash.allocated).toBeCloseTo((4 * settings.extentBytes) / status.liveBytes, 5);
    expect(status.liveBytes).toBe(600 + (capacity * 3) / 4);
    expect(status.hotBytes).toBe(4 * settings.extentBytes);
    expect(status.volumes.find(({ id }) => id === hex(3))).toMatchObject({ fillPermille: 500, usedBytes: 4800 });
    expect(status.fillHistogram[10]).toBe(1);
    expect(status.fillHistogram[5]).toBe(1);
    expect(status.drives[0]?.zones).toEqual({ used: 3, erasing: 1, free: settings.zonesPerDrive - 4 });
    expect(status.working.stalled).toEqual([]);
  });

  it('of an empty store has no ratios, and is JSON', () => {
    const status = statusOf(facts({}));
    expect(status.overhead.sealed).toMatchObject({ allocated: null, stored: null, volumes: 0 });
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  it('says why the Live Coder and puts wait', () => {
    const drives = facts({}).drives.map((drive) =>
      drive.id < 5 ? { ...drive, state: 'unavailable' as const } : drive,
    );
    const { stalled } = statusOf(facts({ drives })).working;
    expect(stalled).toEqual([
      {
        code: 'CODER_LACKS_DRIVES',
        text: expect.stringMatching(/^Live Coder: 15 of the 16 drives of lrc-12-2-2.*d0 \(unavailable\)/),
      },
    ]);
    const few = facts({}).drives.map((drive) => (drive.id < 17 ? { ...drive, state: 'read-only' as const } : drive));
    expect(statusOf(facts({ drives: few })).working.stalled[0]?.text).toMatch(/^puts: 3 of the 4 drives of replica-4/);
    const tight = { ...settings, hotBytesMax: settings.extentBytes };
    const hot = [volume(1, { class: 'hot', usedEach: 1 })];
    expect(statusOf(facts({ settings: tight, volumes: hot })).working.stalled).toEqual([
      { code: 'HOT_FULL', text: expect.stringMatching(/^puts: hot volumes/) },
    ]);
  });

  it('puts every volume into one bin', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 })), (fills) => {
        const bins = fillHistogram(fills);
        expect(bins).toHaveLength(20);
        expect(bins.reduce((a, b) => a + b, 0)).toBe(fills.length);
        for (const [i, count] of bins.entries())
          expect(count).toBe(
            fills.filter((fill) => fill >= i * 50 && (fill < (i + 1) * 50 || (i === 19 && fill === 1000))).length,
          );
      }),
    );
  });
});
