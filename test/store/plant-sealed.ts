// Rows of so many sealed volumes, as full of buckets as their settings make them, with nothing on the drives: for what depends on their number.
import { codecShape } from '../../lib/codec/shape.ts';
import { newBucketId, newVolumeId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { rebuiltVolumeAttributes, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { capacityBytes, type Settings } from '../../lib/settings/settings.ts';

const ROWS_AT_ONCE = 100;

export async function plantSealed(panda: MemoryPanda, settings: Settings, count: number): Promise<void> {
  const randomness = new SeededRandomness(77);
  const { warmCodec: codec, extentBytes, bucketBytes, cell } = settings;
  const { dataColumns, parityColumns } = codecShape(codec);
  const columns = Array.from({ length: dataColumns + parityColumns }, (_, column) => column);
  const buckets = Math.ceil(capacityBytes(settings, codec) / bucketBytes);
  const writes = Array.from({ length: count }, (): Write => {
    const attributes = rebuiltVolumeAttributes({
      class: 'warm',
      codec,
      generation: 1,
      extents: columns.map((drive) => `${drive}:${1_000 + randomness.below(60_000)}:1`),
      token: 300,
      nextSeq: 301,
      extentUsedBytes: columns.map(() => extentBytes - 1),
      buckets: new Set(Array.from({ length: buckets }, () => newBucketId(randomness))),
      createdAtMs: 1_790_000_000_000,
      directoriesPending: false,
    });
    return { kind: 'put', ...volumeKey(cell, newVolumeId(randomness)), attributes };
  });
  for (let at = 0; at < writes.length; at += ROWS_AT_ONCE) await panda.transact(writes.slice(at, at + ROWS_AT_ONCE));
}
