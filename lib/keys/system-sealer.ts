// Many small blocks are sealed by threads, where they lie if threads share that memory, else copied into one piece of
// it; records come back in another. Large blocks, and few, are not worth the way. Whatever a thread does not answer is
// sealed here.
import { extname } from 'node:path';
import { Semaphore } from '../foundation/concurrency.ts';
import { hexOf, type RecordId } from '../foundation/ids.ts';
import { LentMemory, sharedMemory } from '../foundation/lent-memory.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { SystemThreads, ThreadCrew } from '../foundation/system-threads.ts';
import { LENT_BYTES, LENT_IDLE_BYTES_MAX } from '../limits/bytes.ts';
import { SEAL_JOB_BYTES, SEAL_JOBS_AHEAD, SEAL_JOBS_FROM_BLOCKS } from '../limits/engine.ts';
import { THREAD_YOUNG_MIB } from '../limits/panda.ts';
import { POOL_BYTES_MIN } from './compression.ts';
import { type Kek, RECORD_ID_BYTES, SEAL_RANDOM_BYTES, type SealedBlock, WRAPPED_BEK_BYTES } from './envelope.ts';
import { placed, SEALED_EXTRA_BYTES, type SealDone, type SealJob } from './seal-job.ts';
import { type BlockSealer, blockMemory, type OnSealed, sealerHere } from './sealer.ts';

/** What a put has done beside its own thread: files are read, and blocks are sealed. */
export const putCrew = new ThreadCrew('reads and seals', THREAD_YOUNG_MIB);

/** Of both: what one gives back serves the other. */
export const putMemory = new LentMemory({
  make: sharedMemory,
  bytesMin: LENT_BYTES,
  idleBytesMax: LENT_IDLE_BYTES_MAX,
});

const PROGRAM = new URL(`./system-sealer-thread${extname(import.meta.url)}`, import.meta.url);

export class SystemSealer implements BlockSealer {
  readonly #threads: SystemThreads<SealJob, SealDone>;
  readonly #room: Semaphore;
  /** Memory that has records. */
  readonly #sealed = new WeakSet<ArrayBufferLike>();
  readonly #here = sealerHere((bytes) => this.#lent(bytes));

  constructor(threads: number) {
    this.#room = new Semaphore(threads + SEAL_JOBS_AHEAD);
    this.#threads = new SystemThreads({ program: PROGRAM, most: threads, crew: putCrew });
  }

  async seal(
    plains: readonly Uint8Array[],
    randomness: Randomness,
    kek: Kek,
    onSealed?: OnSealed,
  ): Promise<readonly SealedBlock[]> {
    if (plains.length < SEAL_JOBS_FROM_BLOCKS) return this.#here.seal(plains, randomness, kek, onSealed);
    let first = 0;
    const sealed = jobsOf(plains).map(async (job) => {
      const from = first;
      first += job.length;
      const blocks = await this.#sealJob(job, randomness, kek);
      for (const [i, block] of blocks.entries()) onSealed?.(from + i, block);
      return blocks;
    });
    return (await Promise.all(sealed)).flat();
  }

  async #sealJob(plains: readonly Uint8Array[], randomness: Randomness, kek: Kek): Promise<readonly SealedBlock[]> {
    if (plains.length === 1) return this.#here.seal(plains, randomness, kek);
    const give = await this.#room.acquire();
    try {
      return await this.#sealThere(plains, randomness, kek);
    } finally {
      give();
    }
  }

  async #sealThere(plains: readonly Uint8Array[], randomness: Randomness, kek: Kek): Promise<readonly SealedBlock[]> {
    const random = Uint8Array.from(randomness.bytes(plains.length * SEAL_RANDOM_BYTES));
    const ids = plains.map((_, i) => idAt(random, i));
    const { memories, places } = placed(plains, (bytes) => putMemory.take(bytes));
    const plainBytes = plains.reduce((sum, { length }) => sum + length, 0);
    const into = putMemory.take(plainBytes + plains.length * SEALED_EXTRA_BYTES);
    const job: SealJob = { memories, places, random, into, kek };
    const done = await this.#threads.ask(job);
    random.fill(0);
    if (done === undefined) return this.#here.seal(plains, randomness, kek);
    if (memories[0].byteLength > 0) putMemory.give(memories[0]);
    this.#sealed.add(into);
    return sealedOf(into, done, ids, kek.version);
  }

  /** Those that were sealed together, by a thread, lie in one piece of memory; any other in its own. */
  release(sealed: readonly SealedBlock[]): void {
    for (const { record } of sealed) {
      const { buffer } = record;
      if (!this.#sealed.delete(buffer)) continue;
      if (buffer instanceof SharedArrayBuffer) putMemory.give(buffer);
      else blockMemory.give(buffer);
    }
  }

  #lent(bytes: number): Buffer {
    const memory = blockMemory.take(bytes);
    this.#sealed.add(memory.buffer);
    return memory;
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

const idAt = (random: Uint8Array, i: number): RecordId =>
  hexOf(random.subarray(i * SEAL_RANDOM_BYTES, i * SEAL_RANDOM_BYTES + RECORD_ID_BYTES)) as RecordId;

function sealedOf(
  memory: SharedArrayBuffer,
  recordBytes: SealDone,
  ids: readonly RecordId[],
  kekVersion: number,
): SealedBlock[] {
  let at = 0;
  return ids.map((recordId, i) => {
    const bytes = recordBytes[i] as number;
    const record = Buffer.from(memory, at, bytes);
    at += bytes;
    // Its own: it is kept longer than the records are.
    const wrappedBek = Uint8Array.from(Buffer.from(memory, at, WRAPPED_BEK_BYTES));
    at += WRAPPED_BEK_BYTES;
    return { recordId, record, wrappedBek, kekVersion };
  });
}

/** Neighbours together, as many bytes as a job has; a large block by itself. */
function jobsOf(plains: readonly Uint8Array[]): Uint8Array[][] {
  const jobs: Uint8Array[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const plain of plains) {
    const isLarge = plain.length >= POOL_BYTES_MIN;
    if (isLarge || held + plain.length > SEAL_JOB_BYTES) {
      jobs.push([]);
      held = 0;
    }
    jobs.at(-1)?.push(plain);
    held = isLarge ? Number.POSITIVE_INFINITY : held + plain.length;
  }
  return jobs;
}
