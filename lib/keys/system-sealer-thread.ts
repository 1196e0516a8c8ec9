// The program of a thread that seals (system-sealer.ts).
import { RECORD_OVERHEAD_BYTES } from '../format/record.ts';
import { answerQuestions } from '../foundation/system-threads.ts';
import { SEAL_RANDOM_BYTES, sealBlockInto, WRAPPED_BEK_BYTES } from './envelope.ts';
import type { SealDone, SealJob } from './system-sealer.ts';

answerQuestions<SealJob, SealDone>(({ memory, lengths, kek }) => {
  const plainBytes = lengths.reduce((sum, length) => sum + length, 0);
  const random = Buffer.from(memory, plainBytes);
  const out = Buffer.allocUnsafeSlow(plainBytes + lengths.length * (RECORD_OVERHEAD_BYTES + WRAPPED_BEK_BYTES));
  const recordBytes: number[] = [];
  let from = 0;
  let at = 0;
  for (const [i, length] of lengths.entries()) {
    const plain = Buffer.from(memory, from, length);
    from += length;
    const { record, wrappedBek } = sealBlockInto(
      out.subarray(at),
      plain,
      random.subarray(i * SEAL_RANDOM_BYTES, (i + 1) * SEAL_RANDOM_BYTES),
      kek,
    );
    at += record.length;
    out.set(wrappedBek, at);
    at += wrappedBek.length;
    recordBytes.push(record.length);
  }
  // Given back now: a thread that makes little garbage of its own would keep many of them.
  memory.transfer(0);
  return [{ memory: out.buffer, recordBytes }, [out.buffer]];
});
