// Brings back a range of one column from the other columns of its group: first from ranges alone, as the record's own
// checksum tells whether they were right; only if it does not verify are whole chunks read, to find the column that
// lies.
import { CELL_BYTES, type Codec } from '../../codec/codec.ts';
import { codecOf } from '../../codec/codecs.ts';
import { present } from '../../foundation/assert.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import type { PocketfulError } from '../../foundation/errors.ts';
import { COLUMNS_AT_ONCE } from '../../limits/reads.ts';
import { ColumnFaults, columnFault } from './column-faults.ts';
import type { Directories } from './directories.ts';
import {
  extentOf,
  type GroupPlace,
  isReadable,
  type ReadPorts,
  readPayload,
  readSoundPayload,
  truncated,
} from './read-column.ts';

export interface RebuildStore extends ReadPorts {
  readonly directories: Directories;
}

/** What is wanted, and what is known of it. */
export interface RebuildTask {
  readonly place: GroupPlace;
  readonly column: number;
  /** Range of the column's payload. */
  readonly offset: number;
  readonly length: number;
  /** For messages: `record …`. */
  readonly what: string;
  /** The error if the bytes are not what was written there; undefined if they are. */
  check(bytes: Uint8Array): PocketfulError | undefined;
}

export interface Rebuilt {
  readonly bytes: Uint8Array;
  /** The columns read for it, ascending. */
  readonly columnsRead: readonly number[];
  /** Those that were given as failed, and those that failed on the way. */
  readonly faults: ColumnFaults;
}

/** `failed`: the columns that have failed already, that of the task usually. Throws RecordLost. */
export function rebuildRange(store: RebuildStore, task: RebuildTask, failed: ColumnFaults): Promise<Rebuilt> {
  return new Rebuild(store, task, failed).run();
}

/** A window's bytes of one column before they are cut to the column's true length, or why there are none. */
type Window = { readonly bytes: Uint8Array } | { readonly fault: PocketfulError };
type Load = (column: number) => Promise<Uint8Array>;

class Rebuild {
  readonly #store: RebuildStore;
  readonly #task: RebuildTask;
  readonly #codec: Codec;
  readonly #faults: ColumnFaults;
  /** On drives believed to be away: read only when nothing else suffices. */
  readonly #avoided: ReadonlySet<number>;
  readonly #read = new Set<number>();
  readonly #from: number;
  readonly #to: number;

  constructor(store: RebuildStore, task: RebuildTask, failed: ColumnFaults) {
    const { volume } = task.place;
    this.#store = store;
    this.#task = task;
    this.#codec = codecOf(volume.codec);
    this.#faults = new ColumnFaults(volume, store.components.drives);
    this.#faults.addAll(failed);
    const away = volume.extents.map((_, column) => column);
    this.#avoided = new Set(away.filter((column) => !isReadable(store.health, extentOf(volume, column).drive)));
    this.#from = Math.floor(task.offset / CELL_BYTES) * CELL_BYTES;
    this.#to = Math.ceil((task.offset + task.length) / CELL_BYTES) * CELL_BYTES;
  }

  async run(): Promise<Rebuilt> {
    const quick = await this.#decode((column) => this.#range(column));
    if (this.#task.check(quick) === undefined) return this.#answer(quick);
    const thorough = await this.#decode((column) => this.#chunk(column));
    const wrong = this.#task.check(thorough);
    if (wrong !== undefined) throw this.#faults.unsound(this.#task.what, wrong);
    return this.#answer(thorough);
  }

  #answer(bytes: Uint8Array): Rebuilt {
    return { bytes, columnsRead: [...this.#read].sort((a, b) => a - b), faults: this.#faults };
  }

  /** Plans, reads and plans again until every column of the plan is there. */
  async #decode(load: Load): Promise<Uint8Array> {
    const loaded = new Map<number, Uint8Array>();
    for (;;) {
      const plan = this.#plan();
      const missing = plan.filter((column) => !loaded.has(column));
      // The lengths come with the first header; they are read beside the windows, and known after the first repair.
      const [lengths, windows] = await both(this.#lengths(plan), this.#load(missing, load));
      const failedBefore = this.#faults.size;
      for (const [i, column] of missing.entries()) this.#take(column, windows[i] as Window, lengths, loaded);
      if (lengths !== undefined && plan.every((column) => loaded.has(column)))
        return this.#reconstruct(loaded, lengths);
      if (lengths === undefined && this.#faults.size === failedBefore) throw this.#faults.unsound(this.#task.what);
    }
  }

  #load(columns: readonly number[], load: Load): Promise<Window[]> {
    return mapLimit(columns, COLUMNS_AT_ONCE, async (column) => {
      this.#read.add(column);
      try {
        return { bytes: await load(column) };
      } catch (error) {
        return { fault: columnFault(error) };
      }
    });
  }

  #plan(): readonly number[] {
    const { column, what } = this.#task;
    const failed = this.#faults.columns;
    const plan = this.#codec.repairPlan([...new Set([...failed, ...this.#avoided])], [column]);
    if (plan.ok) return plan.reads;
    const lastResort = this.#codec.repairPlan(failed, [column]);
    if (!lastResort.ok) throw this.#faults.lost(what, column);
    return lastResort.reads;
  }

  /** Payload bytes of all columns; undefined if neither a header nor a row tells. */
  async #lengths(plan: readonly number[]): Promise<readonly number[] | undefined> {
    const { dataColumns, parityColumns } = this.#codec;
    // The columns of the plan are read anyway, and parity is never empty.
    const rank = (c: number): number =>
      (this.#avoided.has(c) ? -4 : 0) + (plan.includes(c) ? 2 : 0) + (c >= dataColumns ? 1 : 0);
    const order = [...Array(dataColumns + parityColumns).keys()]
      .filter((c) => !this.#faults.has(c))
      .sort((a, b) => rank(b) - rank(a) || b - a);
    return this.#store.directories.columnBytes(this.#task.place, order, (c) => this.#read.add(c));
  }

  /** What a column contributes, or why it does not. Without lengths only what failed is noted. */
  #take(column: number, window: Window, lengths: readonly number[] | undefined, loaded: Map<number, Uint8Array>): void {
    const end = lengths === undefined ? this.#to : Math.min(this.#to, lengths[column] as number);
    const wanted = Math.max(0, end - this.#from);
    if (wanted === 0) loaded.set(column, new Uint8Array(0));
    else if ('fault' in window) this.#faults.add(column, window.fault);
    else if (lengths === undefined) return;
    else if (window.bytes.length >= wanted) loaded.set(column, window.bytes.subarray(0, wanted));
    else {
      const range = { offset: this.#from, length: wanted };
      this.#faults.add(column, truncated(this.#task.place, column, range, window.bytes.length));
    }
  }

  #reconstruct(loaded: ReadonlyMap<number, Uint8Array>, lengths: readonly number[]): Uint8Array {
    const { column, offset, length, what } = this.#task;
    if (offset + length > (lengths[column] as number)) throw this.#faults.unsound(what);
    const { dataColumns, parityColumns } = this.#codec;
    const columns = Array.from({ length: dataColumns + parityColumns }, (_, c) => loaded.get(c) ?? null);
    const [window] = this.#codec.reconstruct(columns, [column], this.#to - this.#from);
    return present(window, 'one column was asked for').subarray(offset - this.#from, offset - this.#from + length);
  }

  #range(column: number): Promise<Uint8Array> {
    return readPayload(this.#store, this.#task.place, column, this.#from, this.#to - this.#from);
  }

  async #chunk(column: number): Promise<Uint8Array> {
    const payload = await readSoundPayload(this.#store, this.#task.place, column);
    return payload.subarray(this.#from, this.#to);
  }
}

/** Both, and both are over when it throws: nothing goes on behind the caller's back. */
export async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return [first.value, second.value];
}
