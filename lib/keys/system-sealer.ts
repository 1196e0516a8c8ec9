// Many small blocks are sealed by threads: their bytes and the random ones go over in one piece of memory, and records
// come back in another. Large blocks, and few, are not worth the way. Whatever a thread does not answer is sealed here.
import { extname } from 'node:path';
import { Semaphore } from '../foundation/concurrency.ts';
import { hexOf, type RecordId } from '../foundation/ids.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { SystemThreads } from '../foundation/system-threads.ts';
import { SEAL_JOB_BYTES, SEAL_JOBS_FROM_BLOCKS } from '../limits/engine.ts';
import { THREAD_YOUNG_MIB } from '../limits/panda.ts';
import { POOL_BYTES_MIN } from './compression.ts';
import { type Kek, RECORD_ID_BYTES, SEAL_RANDOM_BYTES, type SealedBlock, WRAPPED_BEK_BYTES } from './envelope.ts';
import { type BlockSealer, sealHere } from './sealer.ts';

export interface SealJob {
  /** The plaintexts one after the other, then SEAL_RANDOM_BYTES for each. */
  readonly memory: ArrayBuffer;
  readonly lengths: readonly number[];
  readonly kek: Kek;
}
export interface SealDone {
  /** For each: its record, then its wrapped key. */
  readonly memory: ArrayBuffer;
  readonly recordBytes: readonly number[];
}

const PROGRAM = new URL(`./system-sealer-thread${extname(import.meta.url)}`, import.meta.url);

export class SystemSealer implements BlockSealer {
  readonly #threads: SystemThreads<SealJob, SealDone>;
  readonly #room: Semaphore;

  constructor(threads: number) {
    // One more than are worked on: copies that wait are memory.
    this.#room = new Semaphore(threads + 1);
    this.#threads = new SystemThreads({
      program: PROGRAM,
      name: 'seals blocks',
      most: threads,
      youngMib: THREAD_YOUNG_MIB,
    });
  }

  async seal(plains: readonly Uint8Array[], randomness: Randomness, kek: Kek): Promise<readonly SealedBlock[]> {
    if (plains.length < SEAL_JOBS_FROM_BLOCKS) return sealHere.seal(plains, randomness, kek);
    const sealed = await Promise.all(jobsOf(plains).map((job) => this.#sealJob(job, randomness, kek)));
    return sealed.flat();
  }

  async #sealJob(plains: readonly Uint8Array[], randomness: Randomness, kek: Kek): Promise<readonly SealedBlock[]> {
    if (plains.length === 1) return sealHere.seal(plains, randomness, kek);
    const give = await this.#room.acquire();
    try {
      return await this.#sealThere(plains, randomness, kek);
    } finally {
      give();
    }
  }

  async #sealThere(plains: readonly Uint8Array[], randomness: Randomness, kek: Kek): Promise<readonly SealedBlock[]> {
    const bytes = plains.reduce((sum, { length }) => sum + length, 0);
    const memory = Buffer.allocUnsafeSlow(bytes + plains.length * SEAL_RANDOM_BYTES);
    let at = 0;
    for (const plain of plains) {
      memory.set(plain, at);
      at += plain.length;
    }
    const random = randomness.bytes(plains.length * SEAL_RANDOM_BYTES);
    memory.set(random, at);
    const ids = plains.map((_, i) => idAt(random, i));
    random.fill(0);
    const job: SealJob = { memory: memory.buffer, lengths: plains.map(({ length }) => length), kek };
    const done = await this.#threads.ask(job, [memory.buffer]);
    if (done === undefined) return sealHere.seal(plains, randomness, kek);
    return sealedOf(done, ids, kek.version);
  }

  /** Those that were sealed together, by a thread, lie in one piece of memory; any other in its own. */
  release(sealed: readonly SealedBlock[]): void {
    for (const { record } of sealed) {
      const memory = record.buffer as ArrayBuffer;
      if (!memory.detached) memory.transfer(0);
    }
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

const idAt = (random: Uint8Array, i: number): RecordId =>
  hexOf(random.subarray(i * SEAL_RANDOM_BYTES, i * SEAL_RANDOM_BYTES + RECORD_ID_BYTES)) as RecordId;

function sealedOf({ memory, recordBytes }: SealDone, ids: readonly RecordId[], kekVersion: number): SealedBlock[] {
  let at = 0;
  return recordBytes.map((bytes, i) => {
    const record = Buffer.from(memory, at, bytes);
    at += bytes;
    // Its own: it is kept longer than the records are.
    const wrappedBek = Uint8Array.from(Buffer.from(memory, at, WRAPPED_BEK_BYTES));
    at += WRAPPED_BEK_BYTES;
    return { recordId: ids[i] as RecordId, record, wrappedBek, kekVersion };
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
