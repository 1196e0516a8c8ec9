// What a simulated fleet is made of.
import type { CodecName } from '../../codec/codec.ts';

/** `bucket`: moves rewrite a row per bucket, as this store; `blob`: a row per blob, as the published L3. */
export type Relocation = 'bucket' | 'blob';

/** Bytes of capacity that are taken besides data: headers, directories of groups and of buckets. */
export interface Besides {
  readonly perUnit: number;
  /** Of a bucket's slots from the first that lives to the last. */
  readonly perSlot: number;
  readonly perBucket: number;
}

export const NOTHING_BESIDES: Besides = { perUnit: 0, perSlot: 0, perBucket: 0 };

export interface ModelShape {
  readonly codec: CodecName;
  readonly unitsPerVolume: number;
  readonly unitsPerBucket: number;
  /** A volume is full with so many: the rest is for directories and columns of uneven length. Unless told, all. */
  readonly unitsWhenFull?: number;
  /** Unless told, nothing. */
  readonly besides?: Besides;
  readonly unitBytes: number;
  readonly classes: number;
  readonly relocation: Relocation;
  /** Length of the blobs that `blob` relocation counts rows of. */
  readonly blobBytes: number;
  /** Volumes that there is room for at first; more room is made when needed. */
  readonly slots: number;
}
