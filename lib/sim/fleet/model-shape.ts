// What a simulated fleet is made of.
import type { CodecName } from '../../codec/codec.ts';

/** `bucket`: moves rewrite a row per bucket, as this store; `blob`: a row per blob, as the published L3. */
export type Relocation = 'bucket' | 'blob';

export interface ModelShape {
  readonly codec: CodecName;
  readonly unitsPerVolume: number;
  readonly unitsPerBucket: number;
  /** A volume is full with so many: the rest is for directories and columns of uneven length. Unless told, all. */
  readonly unitsWhenFull?: number;
  readonly unitBytes: number;
  readonly classes: number;
  readonly relocation: Relocation;
  /** Length of the blobs that `blob` relocation counts rows of. */
  readonly blobBytes: number;
  /** Volumes that there is room for at first; more room is made when needed. */
  readonly slots: number;
}
