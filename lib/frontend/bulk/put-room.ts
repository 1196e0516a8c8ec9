// What one put may hold in memory and have under way, and where its batches go: each for itself, or, where much may
// come in at once, by the writer of large groups (lib/live-coder/bulk-coder.ts). That one must know when nothing more
// can come before what waits is written: hence whoever reads for the put says so when it waits.
import { Semaphore } from '../../foundation/concurrency.ts';
import {
  LONG_PUTS_AT_ONCE,
  PUT_MEMORY_BYTES_MAX,
  RECORD_SLACK_BYTES,
  SEGMENTS_AT_ONCE,
} from '../../limits/frontend.ts';
import type { Settings } from '../../settings/settings.ts';
import { appendBytesMax } from '../../volume/write/append.ts';
import type { BulkReader, BulkWriter } from '../../volume/write/bulk-stream.ts';
import type { BulkWay } from '../store-blocks.ts';

const MEMORY_SHARES = 1000;

interface Sized {
  readonly length: number;
}

export class PutRoom {
  /** Undefined: there is nobody who writes much at once. */
  readonly bulk: BulkWay | undefined;
  /** Of all bodies: they are taken in order, one at a time. */
  readonly reader: BulkReader | undefined;
  /** Bytes of one batch at the most. */
  readonly batchBytesMax: number;
  /** The same of a segment of a long object. */
  readonly segmentBytesMax: number;
  readonly #waitForRoom: (bytes: number) => Promise<void>;
  /** A thousandth of what may be held: of long records more may, as their groups are larger. */
  readonly #memory = new Semaphore(MEMORY_SHARES);
  readonly #heldBytes: (longestBytes: number) => number;
  readonly #longPuts = new Semaphore(LONG_PUTS_AT_ONCE);
  readonly #segments = new Semaphore(SEGMENTS_AT_ONCE);

  /** `waitForRoom` throws `retry` HOT_FULL when nothing can be put into hot volumes now. */
  constructor(settings: Settings, waitForRoom: (bytes: number) => Promise<void>, writer: BulkWriter | undefined) {
    const stream = writer?.stream();
    this.bulk = stream && { stream, beforeHot: waitForRoom };
    this.reader = stream?.reader();
    this.batchBytesMax = writer?.batchBytesMax ?? appendBytesMax(settings);
    this.segmentBytesMax = writer?.segmentBytesMax ?? appendBytesMax(settings);
    this.#waitForRoom = waitForRoom;
    this.#heldBytes = (longest) => Math.max(PUT_MEMORY_BYTES_MAX, writer?.heldBytesMin(longest) ?? 0);
  }

  /** What goes into large groups needs no room in hot volumes: where it does, that is asked for by the batch. */
  async begin(bytes: number): Promise<void> {
    if (this.bulk === undefined) await this.#waitForRoom(bytes);
  }

  /** Memory of a batch of blocks. */
  memory(blocks: readonly Sized[], reader = this.reader): Promise<() => void> {
    const bytes = blocks.reduce((sum, { length }) => sum + length + RECORD_SLACK_BYTES, 0);
    const longest = blocks.reduce((most, { length }) => Math.max(most, length), 0);
    return held(this.#memory, Math.max(1, Math.ceil((MEMORY_SHARES * bytes) / this.#heldBytes(longest))), reader);
  }

  /** Memory of a segment of a long object: few of any size, or the same as of batches. */
  segment(blocks: readonly Sized[], reader: BulkReader | undefined): Promise<() => void> {
    return this.bulk === undefined ? this.#segments.acquire() : this.memory(blocks, reader);
  }

  /**
   * The turn of a long object. `read`: nothing more is read for it; only what is being read has a place where large
   * groups are made, for it takes many objects to make one.
   */
  async longPut(): Promise<LongTurn> {
    const give = await held(this.#longPuts, 1, this.reader);
    const reader = this.bulk?.stream.reader();
    let isRead = false;
    const read = (): void => {
      if (isRead) return;
      isRead = true;
      if (reader !== undefined) give();
      reader?.end();
    };
    const done = (): void => {
      read();
      if (reader === undefined) give();
    };
    return { reader, read, done };
  }

  /** Waits for what an earlier batch of this put does. */
  async after(what: Promise<void> | undefined): Promise<void> {
    if (what === undefined) return;
    const go = this.reader?.waits();
    try {
      await what;
    } finally {
      go?.();
    }
  }
}

export interface LongTurn {
  readonly reader: BulkReader | undefined;
  read(): void;
  done(): void;
}

async function held(semaphore: Semaphore, units: number, reader: BulkReader | undefined): Promise<() => void> {
  return semaphore.tryAcquire(units) ?? semaphore.acquire(units, reader?.waits());
}
