// What a thread that seals is asked (system-sealer.ts), and what it answers.
import { RECORD_OVERHEAD_BYTES } from '../format/record.ts';
import { type Kek, WRAPPED_BEK_BYTES } from './envelope.ts';

export interface SealJob {
  /** Where plaintexts lie: the first is copied for this job, the others are shared by threads. */
  readonly memories: readonly [SharedArrayBuffer, ...SharedArrayBuffer[]];
  /** PLACE_NUMBERS of each plaintext: the number of its memory, where it begins in that, its length. */
  readonly places: Uint32Array;
  /** SEAL_RANDOM_BYTES for each. */
  readonly random: Uint8Array;
  /** Has room for what becomes of them. */
  readonly into: SharedArrayBuffer;
  readonly kek: Kek;
}
/** Of each: bytes of its record; its wrapped key is behind that. */
export type SealDone = Uint32Array;

export const PLACE_NUMBERS = 3;
/** What is written for a plaintext beside it, at the most. */
export const SEALED_EXTRA_BYTES = RECORD_OVERHEAD_BYTES + WRAPPED_BEK_BYTES;

/** Those that lie in memory of their own are copied, into as much as `take` is asked for. */
export function placed(
  plains: readonly Uint8Array[],
  take: (bytes: number) => SharedArrayBuffer,
): Pick<SealJob, 'memories' | 'places'> {
  const own = plains.reduce((sum, plain) => sum + (isShared(plain.buffer) ? 0 : plain.length), 0);
  const copied = own === 0 ? new SharedArrayBuffer(0) : take(own);
  const memories: [SharedArrayBuffer, ...SharedArrayBuffer[]] = [copied];
  const places = new Uint32Array(plains.length * PLACE_NUMBERS);
  let copiedBytes = 0;
  for (const [i, plain] of plains.entries()) {
    const { buffer, byteOffset, length } = plain;
    if (isShared(buffer)) {
      let memory = memories.lastIndexOf(buffer);
      if (memory < 0) memory = memories.push(buffer) - 1;
      places.set([memory, byteOffset, length], i * PLACE_NUMBERS);
    } else {
      new Uint8Array(copied).set(plain, copiedBytes);
      places.set([0, copiedBytes, length], i * PLACE_NUMBERS);
      copiedBytes += length;
    }
  }
  return { memories, places };
}

const isShared = (memory: ArrayBufferLike): memory is SharedArrayBuffer => memory instanceof SharedArrayBuffer;
