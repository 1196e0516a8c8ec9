// Where an object is: its blocks, their buckets, and the volumes these are in now. For `explain`.
import type { BlockId, VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import { type ObjectRow, segmentFromRow, segmentPartition } from '../../panda/rows/object-row.ts';
import { readBlocks, readBucket, readVolume, rowsOf } from '../../volume/rows/read-rows.ts';
import type { EngineStore } from '../wire/engine-store.ts';

export interface KeyPlaces {
  /** A line per bucket. */
  readonly lines: readonly Reason[];
  readonly volumes: readonly VolumeId[];
}

/** Throws `missing` OBJECT_MISSING. */
export async function placesOfKey(store: EngineStore, namespace: string, key: string): Promise<KeyPlaces> {
  const { panda, settings } = store.components;
  const object = await store.frontend.head(namespace, key);
  const blocks = [...new Set(await blocksOf(store, object))];
  const inBucket = new Map<string, { blocks: number; bytes: number }>();
  for (const row of (await readBlocks(panda, blocks)).values()) {
    if (row === undefined) continue;
    const { bucket, recordBytes } = row;
    const { blocks: count, bytes } = inBucket.get(bucket) ?? { blocks: 0, bytes: 0 };
    inBucket.set(bucket, { blocks: count + 1, bytes: bytes + recordBytes });
  }
  const text = `object ${JSON.stringify(key)}: ${object.sizeBytes} bytes in ${blocks.length} blocks`;
  const lines: Reason[] = [{ code: 'OBJECT_SIZE', text }];
  const volumes = new Set<VolumeId>();
  for (const [id, { blocks: count, bytes }] of inBucket) {
    const bucket = await readBucket(panda, settings.cell, id as Parameters<typeof readBucket>[2]);
    if (bucket === undefined) continue;
    const volume = await readVolume(panda, settings.cell, bucket.volume);
    volumes.add(bucket.volume);
    lines.push({
      code: 'BUCKET_PLACE',
      text: `${count} blocks (${bytes} record bytes) in bucket ${id}, moved ${bucket.move} times, now in ${volume?.class ?? 'unknown'} volume ${bucket.volume}`,
    });
  }
  return { lines, volumes: [...volumes] };
}

async function blocksOf(store: EngineStore, object: ObjectRow): Promise<BlockId[]> {
  if (object.blocks !== undefined) return [...object.blocks];
  const blocks: BlockId[] = [];
  for await (const row of rowsOf(store.components.panda, segmentPartition(object.version)))
    blocks.push(...segmentFromRow(row).blocks);
  return blocks;
}
