// When a volume is worth rewriting although its remains fill nothing: pure. What it stores is compared with what its
// live records would take in one group of the code they would go to. Rewriting has to halve that, so a byte is
// rewritten only after as much has died.
import type { CodecName } from '../../codec/codec.ts';
import { codecShape } from '../../codec/shape.ts';
import { WASTE_FACTOR_MAX } from '../../limits/volume.ts';
import type { BucketRow } from '../../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { groupOverheadBytes } from './write-group.ts';

export interface Contents {
  readonly storedBytes: number;
  readonly liveBytes: number;
  /** Estimated: dead slots are counted by their share of the bytes. */
  readonly liveSlots: number;
  readonly liveBuckets: number;
}

const NOTHING: Contents = { storedBytes: 0, liveBytes: 0, liveSlots: 0, liveBuckets: 0 };

export function contentsOf(volumes: readonly VolumeRow[], buckets: ReadonlyMap<string, BucketRow>): Contents {
  return volumes.reduce((total, volume) => added(total, volume, buckets), NOTHING);
}

function added(total: Contents, volume: VolumeRow, buckets: ReadonlyMap<string, BucketRow>): Contents {
  let { liveBytes, liveSlots, liveBuckets } = total;
  for (const id of volume.buckets) {
    const bucket = buckets.get(id);
    if (bucket === undefined || bucket.liveBytes === 0) continue;
    liveBytes += bucket.liveBytes;
    liveSlots += Math.ceil((bucket.slots * bucket.liveBytes) / Math.max(1, bucket.usedBytes));
    liveBuckets += 1;
  }
  const storedBytes = volume.extentUsedBytes.reduce((sum, bytes) => sum + bytes, total.storedBytes);
  return { storedBytes, liveBytes, liveSlots, liveBuckets };
}

/** What the live records take as one group of this code, headers and directories of every column included. */
export function neededBytes(codec: CodecName, { liveBytes, liveSlots, liveBuckets }: Contents): number {
  if (liveBytes === 0) return 0;
  const { dataColumns, parityColumns } = codecShape(codec);
  const columns = dataColumns + parityColumns;
  return (liveBytes * columns) / dataColumns + columns * groupOverheadBytes(liveSlots, liveBuckets);
}

/** True if rewriting at least halves what is stored, and deletes are the reason, not the code they are in now. */
export function isWasteful(contents: Contents, now: CodecName, next: CodecName): boolean {
  const { dataColumns, parityColumns } = codecShape(now);
  const asWritten = (contents.liveBytes * (dataColumns + parityColumns)) / dataColumns;
  return contents.storedBytes > WASTE_FACTOR_MAX * Math.max(asWritten, neededBytes(next, contents));
}
