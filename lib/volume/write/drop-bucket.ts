// Dropping a bucket of which nothing lives, in place of moving it.
import type { BucketId, RunId, VolumeId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import { bucketIsIn, bucketKey, deadKey, moveIs, nothingLives } from '../../panda/rows/bucket-row.ts';
import { dropBuckets, ownedBy } from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { readBucket } from '../rows/read-rows.ts';
import { transactUnlessConflict } from '../rows/transact.ts';

/** A bucket without a live slot is not copied: its rows go. False when it is not empty, or was moved. */
export async function dropEmptyBucket(
  components: Components,
  source: VolumeRow,
  run: RunId,
  bucket: { readonly id: BucketId; readonly volume: VolumeId; readonly move: number },
): Promise<boolean> {
  const cell = components.settings.cell;
  const writes = dropWrites(cell, source.id, run, bucket);
  return transactUnlessConflict(
    components,
    writes,
    async () => (await readBucket(components.panda, cell, bucket.id)) === undefined,
  );
}

/** Pure: the rows of an empty bucket, and its place in the volume's list. */
export const dropWrites = (
  cell: string,
  source: VolumeId,
  run: RunId,
  bucket: { readonly id: BucketId; readonly volume: VolumeId; readonly move: number },
): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, source),
    ...dropBuckets([bucket.id]),
    if: [ownedBy(run)],
  },
  {
    kind: 'delete',
    ...bucketKey(cell, bucket.id),
    if: [bucketIsIn(bucket.volume), moveIs(bucket.move), nothingLives],
  },
  { kind: 'delete', ...deadKey(cell, bucket.id) },
];
