// The same small churn on the embedded store and in the simulator: overhead and bytes moved within 2 %. Each round starts
// from the volumes and buckets the store has, and the simulator is told which buckets the deletes hit; what compaction makes of
// them it finds for itself.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createStore } from '../../lib/client/file/create-store.ts';
import type { EmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import { planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { capacityBytes, settingsOf } from '../../lib/settings/settings.ts';
import { applyPlan, nothingMoved } from '../../lib/sim/fleet/apply-plan.ts';
import { FleetModel } from '../../lib/sim/fleet/fleet-model.ts';
import { Stream } from '../../lib/sim/fleet/streams.ts';
import { listBuckets, listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { DRIVES, putFiles, SMALL as TINY } from '../engine/small-store.ts';

/** Records large enough that what directories take of a volume, which the simulator leaves out, is little. */
const SMALL = settingsOf('demo', {
  ...TINY,
  preset: 'custom',
  blockBytesMax: 8 * TINY.blockBytesMax,
  extentBytes: 8 * TINY.extentBytes,
  bucketBytes: 8 * TINY.bucketBytes,
  groupBytesMin: 8 * TINY.groupBytesMin,
});
const FILES = 1600;
const FILE_BYTES = 8 * 880;
const FILL_MAX = 0.5;
const CAPACITY = capacityBytes(SMALL, SMALL.warmCodec);

interface Held {
  readonly volume: string;
  readonly isOpen: boolean;
  /** Of its volume: what the data columns hold, dead records and headers included. */
  readonly usedBytes: number;
  readonly liveBytes: number;
}

/** Two data columns of three, all about as long. */
const usedBytesOf = (columns: readonly number[]): number => (columns.reduce((sum, bytes) => sum + bytes, 0) * 2) / 3;

/** By bucket: its volume and live bytes. */
async function bucketsOf(store: EmbeddedClient): Promise<Map<string, Held>> {
  const { panda } = store.engine.components;
  const warm = (await listVolumes(panda, SMALL.cell)).filter((volume) => volume.class === 'warm');
  const live = new Map((await listBuckets(panda, SMALL.cell)).map((bucket) => [bucket.id, bucket.liveBytes]));
  return new Map(
    warm.flatMap(({ id, state, buckets, extentUsedBytes }) =>
      [...buckets].map(
        (bucket) =>
          [
            bucket,
            {
              volume: id,
              isOpen: state === 'open',
              usedBytes: usedBytesOf(extentUsedBytes),
              liveBytes: live.get(bucket) ?? 0,
            },
          ] as const,
      ),
    ),
  );
}

/** Without the code's factor, as the simulator counts. */
async function overheadOf(store: EmbeddedClient): Promise<number> {
  const { open, sealed } = (await store.admin.status()).overhead;
  return (open.allocatedBytes + sealed.allocatedBytes) / 1.5 / (open.liveBytes + sealed.liveBytes);
}

class Twin {
  readonly #model: FleetModel;
  readonly #bucketOf = new Map<string, number>();
  readonly #unitBytes: number;
  readonly #stream: Stream;

  constructor(buckets: Awaited<ReturnType<typeof bucketsOf>>, unitBytes: number) {
    const unitsPerBucket = Math.floor(SMALL.bucketBytes / unitBytes);
    const unitsPerVolume = Math.floor(CAPACITY / (unitsPerBucket * unitBytes)) * unitsPerBucket;
    const shape = { codec: SMALL.warmCodec, unitsPerVolume, unitsPerBucket, unitBytes, classes: 1, slots: 64 };
    this.#model = new FleetModel({ ...shape, relocation: 'bucket', blobBytes: unitBytes }, new SeededRandomness(1));
    this.#unitBytes = unitBytes;
    this.#stream = new Stream(this.#model);
    const volumes = new Map<string, number>();
    const open = new Map<number, number>();
    for (const [id, { volume, isOpen, usedBytes, liveBytes }] of buckets) {
      const at = volumes.get(volume) ?? this.#model.openVolume(0);
      volumes.set(volume, at);
      if (isOpen) open.set(at, usedBytes);
      const bucket = this.#model.newBucket(at);
      this.#model.add(bucket, 0, Math.round(liveBytes / unitBytes));
      this.#bucketOf.set(id, bucket);
    }
    for (const at of volumes.values()) if (!open.has(at)) this.#model.seal(at, 0);
    // The store fills the fullest of its open volumes first.
    for (const [at, usedBytes] of [...open].sort((a, b) => b[1] - a[1])) {
      const used = Math.min(Math.round(usedBytes / unitBytes), unitsPerVolume) * unitBytes;
      this.#model.usedBytes[at] = Math.max(used, this.#model.liveBytes[at] as number);
      this.#stream.adopt(at);
    }
  }

  /** A volume's capacity is what the store allocates, not what whole buckets fill of it. */
  get overhead(): number {
    return (this.#model.overhead * CAPACITY) / this.#model.capacityBytes;
  }

  delete(id: string, bytes: number): void {
    for (let left = Math.round(bytes / this.#unitBytes); left > 0; left--)
      this.#model.deleteFrom(this.#bucketOf.get(id) as number, 0);
  }

  drain(): number {
    const model = this.#model;
    const settings = planSettingsOf({ strategies: ['l3'], l3UpTo: FILL_MAX, l2UpTo: 0.6, reserve: 0 });
    const moved = nothingMoved();
    const applying = { nowMs: 0, streamOf: () => this.#stream, packsIntoOwn: true, writing: { mergeBelow: 0 } };
    applyPlan(planCompaction({ view: model.view(0), settings, threshold: 0.02 }), { model, moved, ...applying });
    return moved.l3.bytes;
  }
}

it('moves as many bytes to the same overhead as the embedded store, two rounds running', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pocketful-cross-'));
  const store = await createStore(dir, { settings: SMALL, drives: DRIVES });
  try {
    const random = new SeededRandomness(9);
    const keys = Array.from({ length: FILES }, (_, n) => String(n).padStart(6, '0'));
    await putFiles(store.engine, new Map(keys.map((key) => [key, random.bytes(FILE_BYTES)])));
    await store.admin.encode({ all: true });
    const recordBytes = (await store.admin.status()).liveBytes / FILES;
    // The older part dies first, and most of it.
    for (const [from, to] of [
      [0, 0.4],
      [0.4, 0.75],
    ] as const) {
      const before = await bucketsOf(store);
      const twin = new Twin(before, recordBytes);
      expect(twin.overhead).toBeCloseTo(await overheadOf(store), 4);
      const doomed = keys.filter((_, n) => n >= from * FILES && n < to * FILES && random.below(10) < 8);
      for await (const outcome of store.deleteAll(doomed)) expect(outcome.ok).toBe(true);
      await store.admin.gc({ now: true });
      const after = await bucketsOf(store);
      for (const [id, { liveBytes }] of before) twin.delete(id, liveBytes - (after.get(id)?.liveBytes ?? 0));
      const report = await store.admin.drain({ fillPermilleMax: FILL_MAX * 1000 });
      await store.admin.gc({ now: true });
      const moved = twin.drain();
      expect(report.movedBytes).toBeGreaterThan(0);
      expect(Math.abs(moved / report.movedBytes - 1), `moved ${moved}, ${report.movedBytes}`).toBeLessThan(0.02);
      const overhead = await overheadOf(store);
      expect(Math.abs(twin.overhead / overhead - 1), `overhead ${twin.overhead}, ${overhead}`).toBeLessThan(0.02);
    }
  } finally {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  }
});
