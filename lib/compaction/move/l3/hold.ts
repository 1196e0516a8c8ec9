// Whether bulk writers wait for L3, by what flow control says now: of the queue, of its dead letters, and of the Live
// Coder that works it off.
import { type Reason, reasonLine } from '../../../foundation/reason.ts';
import type { Stream } from '../../../stream/stream.ts';
import type { Components } from '../../../volume/rows/components.ts';
import { coderStall } from '../../run/coder-state.ts';
import { flowOf } from './flow.ts';

/** Undefined: they may go on. */
export async function writersHeld(components: Components, stream: Stream): Promise<Reason | undefined> {
  const coderStalled = await coderStall(components);
  const { holdWriters, reason } = flowOf({
    stream: await stream.figures(),
    coderWaitingBytes: 0,
    coderStalled,
    metadataWritesLeft: null,
  });
  return holdWriters ? { code: 'WRITERS_HELD', text: `draining comes first: ${reasonLine(reason)}` } : undefined;
}
