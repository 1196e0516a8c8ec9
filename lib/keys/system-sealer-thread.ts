// The program of a thread that seals (system-sealer.ts).
import type { AnswerTo } from '../foundation/system-threads.ts';
import { SEAL_RANDOM_BYTES, sealBlockInto } from './envelope.ts';
import { PLACE_NUMBERS, type SealDone, type SealJob } from './seal-job.ts';

export const answerTo: AnswerTo<SealJob, SealDone> = ({ memories, places, random, into, kek }) => {
  const out = Buffer.from(into);
  const recordBytes = new Uint32Array(places.length / PLACE_NUMBERS);
  let at = 0;
  for (let i = 0; i < recordBytes.length; i++) {
    const [memory, from, length] = places.subarray(i * PLACE_NUMBERS) as unknown as [number, number, number];
    const { record, wrappedBek } = sealBlockInto(
      out.subarray(at),
      Buffer.from(memories[memory] as SharedArrayBuffer, from, length),
      random.subarray(i * SEAL_RANDOM_BYTES, (i + 1) * SEAL_RANDOM_BYTES),
      kek,
    );
    at += record.length;
    out.set(wrappedBek, at);
    at += wrappedBek.length;
    recordBytes[i] = record.length;
  }
  return [recordBytes, []];
};
