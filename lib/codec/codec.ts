// The one interface of all codecs. A codec turns k data columns into m parity columns and back. It knows nothing of
// volumes, chunks or drives. Columns of a group may differ in length: a data column counts as zero-padded up to the
// longest one, which itself is rounded up to CELL_BYTES; only parity has that full length.

export const CODEC_NAMES = ['single', 'replica-4', 'rs-6-3', 'lrc-12-2-2', 'xor-2-1', 'xor-3-1'] as const;
export type CodecName = (typeof CODEC_NAMES)[number];

/** Codes work on cells of 64 bytes: 4 bit planes of 16 B, i.e. 128 symbols of GF(16). */
export const CELL_BYTES = 64;

/** `bytes` rounded up to whole cells: the length of the parity of a group whose longest data column has `bytes`. */
export const parityBytes = (bytes: number): number => Math.ceil(bytes / CELL_BYTES) * CELL_BYTES;

/** Which columns to read to get the lost ones back, or why that cannot be. */
export type RepairPlan =
  | { readonly ok: true; readonly reads: readonly number[] }
  | { readonly ok: false; readonly reason: string };

export interface Codec {
  readonly name: CodecName;
  /** k: columns 0..k-1 hold records. */
  readonly dataColumns: number;
  /** m: columns k..k+m-1 hold parity (or, for replicas, copies). */
  readonly parityColumns: number;
  /** raw bytes / data bytes of a perfectly balanced group, (k+m)/k. */
  readonly overhead: number;

  /**
   * Parity of one group (or of one 64-byte aligned window of it). `data` has k columns of any length, 0 included.
   * Returns m columns of parityBytes(longest) bytes; they may share memory with `data` (replicas) and must not be
   * changed.
   */
  encode(data: readonly Uint8Array[]): Uint8Array[];

  /** True if every column in `lost` can be rebuilt from all the others. */
  canReconstruct(lost: readonly number[]): boolean;

  /**
   * The cheapest set of columns to read in order to rebuild `wanted` (default: all of `lost`) while `lost` cannot be
   * read. `lost` may name any number of columns, in any order.
   */
  repairPlan(lost: readonly number[], wanted?: readonly number[]): RepairPlan;

  /**
   * Rebuilds `wanted` from `columns` (k+m entries; null = not available; data columns may be shorter than `length` and
   * then count as zero-padded). `length` is the padded length (a multiple of CELL_BYTES) of the window; each returned
   * column has it, and the caller cuts a data column to its true length. Throws `corrupt` CODE_UNDECODABLE if the
   * columns given do not suffice.
   */
  reconstruct(columns: readonly (Uint8Array | null)[], wanted: readonly number[], length: number): Uint8Array[];
}
