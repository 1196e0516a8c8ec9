// The buckets of a source as a mover takes them: what lives of one is read, and one of which nothing lives is dropped.
// Every strategy that moves whole buckets reads its sources through this.
import type { BucketId, RunId } from '../../foundation/ids.ts';
import { type BucketRow, deadFromRow, deadKey } from '../../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { type BucketContent, collectBucket } from '../read/collect-bucket.ts';
import { readBucket } from '../rows/read-rows.ts';
import type { VolumeStore } from '../volume-store.ts';
import { dropEmptyBucket } from '../write/drop-bucket.ts';

/**
 * What lives of a bucket in a volume that `run` has; undefined if nothing does, and then it is dropped. Throws
 * RecordLost.
 */
export async function collectOrDrop(
  store: VolumeStore,
  source: VolumeRow,
  run: RunId,
  bucket: BucketRow,
): Promise<BucketContent | undefined> {
  const { panda, settings } = store.components;
  if (bucket.liveBytes === 0 && (await dropEmptyBucket(store.components, source, run, bucket))) return undefined;
  const dead = deadFromRow(await panda.get(deadKey(settings.cell, bucket.id)));
  const content = await collectBucket(store, source, bucket, dead);
  if (content.records.length > 0) return content;
  await dropEmptyBucket(store.components, source, run, bucket);
  return undefined;
}

/** Of every bucket that is in the volume now, but for those that are `done`. */
export async function* liveContentsOf(
  store: VolumeStore,
  source: VolumeRow,
  run: RunId,
  done: ReadonlySet<BucketId> = new Set(),
): AsyncGenerator<BucketContent> {
  const { panda, settings } = store.components;
  for (const id of source.buckets) {
    if (done.has(id)) continue;
    const bucket = await readBucket(panda, settings.cell, id);
    if (bucket?.volume !== source.id) continue; // another worker moved it
    const content = await collectOrDrop(store, source, run, bucket);
    if (content !== undefined) yield content;
  }
}
