// Flow control of L3, pure: how much the drainer may send, how much a worker may take, and whether bulk writers must
// wait. A Live Coder that stalls stops the worker first, then the drainer, then the writers; when it recovers, they
// start again in the opposite order by themselves.
import { type Reason, reasonLine } from '../../../foundation/reason.ts';
import {
  CODER_WAITING_BYTES_MAX,
  DEAD_LETTERS_HOLD_MAX,
  DEAD_LETTERS_MAX,
  QUEUE_AGE_MS_MAX,
  QUEUE_DEPTH_MAX,
} from '../../../limits/compaction.ts';
import type { StreamFigures } from '../../../stream/stream.ts';

export interface FlowInput {
  readonly stream: StreamFigures;
  /** Bytes given to the Live Coder and not yet written. */
  readonly coderWaitingBytes: number;
  /** Why it cannot write, if so. */
  readonly coderStalled: Reason | undefined;
  /** Metadata writes that may still be made in this period; null = not limited. */
  readonly metadataWritesLeft: number | null;
}

export interface FlowLimits {
  /** Messages that may wait in the queue: about one group's worth of buckets. */
  readonly depthMax: number;
  /** Older than this, what is queued is not being worked off. */
  readonly ageMaxMs: number;
  /** With so many dead letters nothing more is sent: somebody has to look, and a redrive makes it go on. */
  readonly deadMax: number;
  /** With so many nothing else is given to the Live Coder either. */
  readonly deadHoldMax: number;
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
  /** Messages a worker may take now. */
  readonly receive: number;
  /** Bulk writers (encode, and with it whatever waits for room in the hot tier) are to wait. */
  readonly holdWriters: boolean;
  readonly reason: Reason<FlowCode>;
}

export const FLOW_LIMITS: FlowLimits = Object.freeze({
  depthMax: QUEUE_DEPTH_MAX,
  ageMaxMs: QUEUE_AGE_MS_MAX,
  deadMax: DEAD_LETTERS_MAX,
  deadHoldMax: DEAD_LETTERS_HOLD_MAX,
  coderWaitingBytesMax: CODER_WAITING_BYTES_MAX,
  writesPerMessage: 3,
});

export function flowOf(input: FlowInput, limits: FlowLimits = FLOW_LIMITS): Flow {
  const { stream, coderStalled } = input;
  const depth = stream.ready + stream.inFlight;
  const affordable =
    input.metadataWritesLeft === null
      ? limits.depthMax
      : Math.floor(Math.max(0, input.metadataWritesLeft) / limits.writesPerMessage);
  const room = Math.max(0, Math.min(limits.depthMax - depth, affordable - depth));
  const take = Math.min(limits.depthMax, affordable);
  const isOld = stream.oldestAgeMs > limits.ageMaxMs;
  const isDeadFull = stream.dead >= limits.deadHoldMax;
  const flow = (code: FlowCode, text: string, changes: Partial<Flow> = {}): Flow => ({
    send: 0,
    receive: take,
    holdWriters: isDeadFull,
    reason: { code, text },
    ...changes,
  });
  if (coderStalled !== undefined)
    return flow('CODER_STALLED', `the Live Coder is stalled: ${reasonLine(coderStalled)}`, {
      receive: 0,
      // It is the writers' turn only once the queue itself is full or old: a short stall is not theirs to feel.
      holdWriters: isDeadFull || depth >= limits.depthMax || isOld,
    });
  if (input.coderWaitingBytes >= limits.coderWaitingBytesMax)
    return flow('CODER_BEHIND', 'the Live Coder is behind', { receive: 0, holdWriters: true });
  if (stream.dead >= limits.deadMax) return flow('DEAD_LETTERS', `${stream.dead} dead letters: look at them first`);
  if (affordable === 0) return flow('METADATA_SPENT', 'the metadata budget is used up');
  if (isOld) return flow('QUEUE_OLD', 'what is queued is worked off first');
  if (room === 0) return flow('QUEUE_FULL', 'the queue is full');
  return flow('FLOWING', 'flowing', { send: room });
}
