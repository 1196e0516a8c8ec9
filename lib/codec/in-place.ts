// A codec that also writes into columns the caller has allocated, so that nothing is copied where those lie in the
// kernel's memory.
import type { Codec } from './codec.ts';

export interface InPlaceCodec extends Codec {
  /** As `encode`, into m columns of parityBytes(longest) bytes each. */
  encodeInto(data: readonly Uint8Array[], parity: readonly Uint8Array[]): void;

  /**
   * As `reconstruct`, for columns that are not available, each once; lost[i] is written to into[i], of `length` bytes.
   */
  reconstructInto(
    columns: readonly (Uint8Array | null)[],
    lost: readonly number[],
    length: number,
    into: readonly Uint8Array[],
  ): void;
}
