// Buckets of simulated volumes, in typed arrays: the live units of each by delete class, the volume it is in, and the
// chain of each volume.
import { grown } from './grown.ts';

const NONE = -1;

export class BucketTable {
  readonly classes: number;
  /** Units of each bucket, by class: place bucket * classes + class. */
  units: Uint16Array;
  volumeOf: Int32Array;
  /** Units that were ever put into each bucket. */
  slots: Uint16Array;
  /** First bucket of each volume, or -1. */
  head: Int32Array;
  /** Buckets that were ever made. */
  top = 0;
  #next: Int32Array;
  #free: number[] = [];

  constructor(classes: number, volumes: number, buckets: number) {
    this.classes = classes;
    this.units = new Uint16Array(buckets * classes);
    this.volumeOf = new Int32Array(buckets);
    this.slots = new Uint16Array(buckets);
    this.head = new Int32Array(volumes).fill(NONE);
    this.#next = new Int32Array(buckets);
  }

  copy(): BucketTable {
    const twin = new BucketTable(this.classes, 0, 0);
    twin.units = this.units.slice();
    twin.volumeOf = this.volumeOf.slice();
    twin.slots = this.slots.slice();
    twin.head = this.head.slice();
    twin.top = this.top;
    twin.#next = this.#next.slice();
    twin.#free = [...this.#free];
    return twin;
  }

  growVolumes(volumes: number): void {
    this.head = grown(this.head, new Int32Array(volumes).fill(NONE));
  }

  /** Every bucket of a volume, empty ones included. */
  of(volume: number): number[] {
    const out: number[] = [];
    for (let bucket = this.head[volume] as number; bucket !== NONE; bucket = this.#next[bucket] as number)
      out.push(bucket);
    return out;
  }

  unitsIn(bucket: number): number {
    let sum = 0;
    for (let c = 0; c < this.classes; c++) sum += this.units[bucket * this.classes + c] as number;
    return sum;
  }

  /**
   * Slots from the first that lives to the last, where each was as likely to die as any other: what a directory has
   * entries for.
   */
  spanOf(bucket: number): number {
    const live = this.unitsIn(bucket);
    const slots = this.slots[bucket] as number;
    return live === 0 ? 0 : slots - 2 * ((slots + 1) / (live + 1) - 1);
  }

  /** An empty bucket of no volume. */
  take(): number {
    const bucket = this.#free.pop() ?? this.#fresh();
    this.units.fill(0, bucket * this.classes, (bucket + 1) * this.classes);
    this.slots[bucket] = 0;
    return bucket;
  }

  give(bucket: number): void {
    this.#free.push(bucket);
  }

  link(bucket: number, volume: number): void {
    this.volumeOf[bucket] = volume;
    this.#next[bucket] = this.head[volume] as number;
    this.head[volume] = bucket;
  }

  /** The volume has no buckets any more; they are still what they were. */
  unlinkAll(volume: number): void {
    this.head[volume] = NONE;
  }

  #fresh(): number {
    if (this.top === this.volumeOf.length) {
      const room = Math.ceil(this.top * 1.5) + 16;
      this.units = grown(this.units, new Uint16Array(room * this.classes));
      this.volumeOf = grown(this.volumeOf, new Int32Array(room));
      this.slots = grown(this.slots, new Uint16Array(room));
      this.#next = grown(this.#next, new Int32Array(room));
    }
    return this.top++;
  }
}
