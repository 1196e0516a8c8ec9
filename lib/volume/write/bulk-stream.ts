// What a put asks of whoever writes much at once: its batches are gathered, together with those of other puts, into
// large groups of erasure-coded volumes. A put that brings little is told to go its own way.
import type { Lane } from '../../foundation/lane.ts';
import type { BulkPart, GroupShare } from './append-bulk.ts';

export interface BulkWriter {
  /** Bytes of bodies that a put must be able to hold, so that groups of records up to so long become full. */
  heldBytesMin(longestRecordBytes: number): number;
  /** Record bytes of one batch of small objects at the most. */
  readonly batchBytesMax: number;
  /** The same of a segment of a long one: its records are longer, and so are the groups. */
  readonly segmentBytesMax: number;
  stream(): BulkStream;
}

/**
 * One put. Its records wait until they make a group, or until nothing more can come of it: every batch that it began
 * waits here, and whoever reads for it has ended or waits for one of them.
 */
export interface BulkStream {
  /** Somebody reads for it; counts until `end`. */
  reader(): BulkReader;
  /** A batch that may bring records, or find that all are known; the answer ends it, once. */
  begin(): () => void;
  /** The share of a committed group; undefined: the batch appends its records itself, as a small put does. */
  offer(records: BulkPart, kekVersion: number, lane: Lane): Promise<GroupShare | undefined>;
}

export interface BulkReader {
  /** It waits for what can only come once batches of the same put are done; the answer says that it has come. */
  waits(): () => void;
  end(): void;
}
