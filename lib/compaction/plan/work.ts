// How much work a run is, from what it moves: the store's protocols (a transaction of three rows per moved bucket, a
// lease and a commit per group, a row per zone of a volume that comes or goes) turned into counts that budgets and
// prices understand.

import type { CodecName } from '../../codec/codec.ts';
import { codecShape } from '../../codec/shape.ts';
import { NO_WORK, type Pricing, type Work } from '../../cost/cost-of.ts';
import type { PriceBook } from '../../cost/price-book.ts';
import type { PlanSettings } from '../facts/plan-settings.ts';

/** Rows of the transaction that moves a bucket: the bucket, its old volume, its new one. */
const ROWS_PER_BUCKET_MOVE = 3;
/** Rows per group: the lease, then volume and group row of the commit. */
const ROWS_PER_GROUP = 3;
/** Rows of a volume's coming (allocate, seal) or going (lease, retire, free), its zones apart. */
const ROWS_PER_VOLUME = 3;
const READS_PER_BUCKET = 2;
/** Send, receive, acknowledge. */
const QUEUE_REQUESTS_PER_MESSAGE = 3;
const TRANSITIONS_PER_RUN = 6;

export interface Moves {
  readonly codec: CodecName;
  /** Live bytes copied, a host's own included. */
  readonly copiedBytes: number;
  /** Buckets whose bytes are copied. */
  readonly copiedBuckets: number;
  /** Buckets that change their volume: all of the copied ones, except a host's. */
  readonly movedBuckets: number;
  readonly freedVolumes: number;
  readonly newVolumes: number;
  /** Through the queue (L3) rather than by a batch. */
  readonly queued: boolean;
}

export function workOf(moves: Moves, settings: PlanSettings): Work {
  const { dataColumns, parityColumns } = codecShape(moves.codec);
  const columns = dataColumns + parityColumns;
  const groups = Math.ceil(moves.copiedBytes / settings.groupBytes);
  return {
    ...NO_WORK,
    bytesRead: moves.copiedBytes,
    bytesWritten: Math.ceil((moves.copiedBytes * columns) / dataColumns),
    getRequests: Math.ceil(moves.copiedBytes / settings.readBytes) + moves.copiedBuckets,
    putRequests: groups * columns + moves.copiedBuckets * (parityColumns + 1),
    metadataWrites:
      moves.movedBuckets * ROWS_PER_BUCKET_MOVE +
      groups * ROWS_PER_GROUP +
      Math.ceil(moves.freedVolumes + moves.newVolumes) * (ROWS_PER_VOLUME + columns),
    metadataReads: moves.movedBuckets * READS_PER_BUCKET + moves.freedVolumes,
    computeMs: Math.ceil((moves.copiedBytes / settings.moveBytesPerSecond) * 1000),
    queueRequests: moves.queued ? moves.movedBuckets * QUEUE_REQUESTS_PER_MESSAGE : 0,
    stateTransitions: moves.queued ? 0 : TRANSITIONS_PER_RUN,
  };
}

export const pricingOf = (settings: PlanSettings, book: PriceBook): Pricing => ({
  book,
  storageClass: settings.storageClass,
  memoryMb: settings.memoryMb,
});
