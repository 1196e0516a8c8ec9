// Flow control of L3, pure: how much the drainer may send, how much the worker may take, and whether bulk writers must wait. A Live Coder that
// stalls stops the worker first, then the drainer, then the writers; when it recovers, they start again in the opposite order by themselves.

import { type Reason, reasonLine } from '../../../foundation/reason.ts';
import type { StreamFigures } from '../../../stream/stream.ts';

export interface FlowInput {
  readonly stream: StreamFigures;
  /** Bytes given to the Live Coder and not yet written. */
  readonly coderWaitingBytes: number;
  /** Why it cannot write, if so. */
  readonly coderStalled: Reason | undefined;
  /** Metadata writes L3 may still make in this period; null = not limited. */
  readonly metadataWritesLeft: number | null;
}

export interface FlowLimits {
  /** Messages that may wait in the queue: about one group's worth of buckets. */
  readonly depthMax: number;
  /** Older than this, what is queued is not being worked off. */
  readonly ageMaxMs: number;
  /** With so many dead letters something is wrong that more messages make worse. */
  readonly deadMax: number;
  readonly coderWaitingBytesMax: number;
  /** Rows per moved bucket. */
  readonly writesPerMessage: number;
}

export type FlowCode =
  | 'FLOWING'
  | 'CODER_STALLED'
  | 'CODER_BEHIND'
  | 'METADATA_SPENT'
  | 'DEAD_LETTERS'
  | 'QUEUE_OLD'
  | 'QUEUE_FULL';

export interface Flow {
  /** Messages the drainer may send now. */
  readonly send: number;
  /** Messages the worker may receive now. */
  readonly receive: number;
  /** Bulk writers (import, encode, replication) are to wait. */
  readonly holdWriters: boolean;
  readonly reason: Reason<FlowCode>;
}

export const FLOW_LIMITS: FlowLimits = Object.freeze({
  depthMax: 256,
  ageMaxMs: 15 * 60_000,
  deadMax: 100,
  coderWaitingBytesMax: 512 * 1024 * 1024,
  writesPerMessage: 3,
});

export function flowOf(input: FlowInput, limits: FlowLimits = FLOW_LIMITS): Flow {
  const { stream } = input;
  const depth = stream.ready + stream.inFlight;
  const affordable =
    input.metadataWritesLeft === null
      ? limits.depthMax
      : Math.floor(Math.max(0, input.metadataWritesLeft) / limits.writesPerMessage);
  const room = Math.max(0, Math.min(limits.depthMax - depth, affordable - depth));
  const take = Math.min(limits.depthMax, affordable);
  const isLagging = input.coderWaitingBytes >= limits.coderWaitingBytesMax;
  if (input.coderStalled !== undefined)
    return {
      send: 0,
      receive: 0,
      // It is the writers' turn only once the queue itself is full or old: a short stall is not theirs to feel.
      holdWriters: depth >= limits.depthMax || stream.oldestAgeMs > limits.ageMaxMs,
      reason: { code: 'CODER_STALLED', text: `the Live Coder is stalled: ${reasonLine(input.coderStalled)}` },
    };
  if (isLagging)
    return {
      send: 0,
      receive: 0,
      holdWriters: true,
      reason: { code: 'CODER_BEHIND', text: 'the Live Coder is behind' },
    };
  if (affordable === 0)
    return {
      send: 0,
      receive: 0,
      holdWriters: false,
      reason: { code: 'METADATA_SPENT', text: 'the metadata budget is used up' },
    };
  if (stream.dead >= limits.deadMax)
    return {
      send: 0,
      receive: take,
      holdWriters: false,
      reason: { code: 'DEAD_LETTERS', text: `${stream.dead} dead letters: look at them first` },
    };
  if (stream.oldestAgeMs > limits.ageMaxMs)
    return {
      send: 0,
      receive: take,
      holdWriters: false,
      reason: { code: 'QUEUE_OLD', text: 'what is queued is worked off first' },
    };
  if (room === 0)
    return { send: 0, receive: take, holdWriters: false, reason: { code: 'QUEUE_FULL', text: 'the queue is full' } };
  return { send: room, receive: take, holdWriters: false, reason: { code: 'FLOWING', text: 'flowing' } };
}
