// Open volumes of the simulated Live Coder: data and moved buckets are written into them one after the other, and each
// is sealed once it is full. A stream also knows how to place whole buckets, which never straddle volumes, and how to
// merge remnants.
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import type { FleetModel } from './fleet-model.ts';

const NONE = -1;

/**
 * How moved buckets are written: blobs one by one into fresh buckets, or as whole buckets unless they are mere
 * remnants.
 */
export interface Writing {
  /** Buckets with fewer live units than this part of a full one are merged (a row per blob); 0: never; 1: always. */
  readonly mergeBelow: number;
}

/** One open volume at a time. */
export class Stream {
  readonly #model: FleetModel;
  readonly #keepsWhole: boolean;
  readonly #lane: Lane;
  readonly #waiting: number[] = [];
  #volume = NONE;
  /** Nearly full, and not sealed before another is as full: what fits goes there first, as on a store. */
  #aside = NONE;
  #bucket = NONE;
  /** Units that were ever put into the bucket in hand: dead ones take their place until it is full. */
  #inBucket = 0;
  /** Bytes of remnants that were merged. */
  mergedBytes = 0;

  /** `keepsWhole`: fresh buckets are not cut where a volume ends, as on a store. */
  constructor(model: FleetModel, keepsWhole = false, lane: Lane = SHARED_LANE) {
    this.#model = model;
    this.#keepsWhole = keepsWhole;
    this.#lane = lane;
  }

  /** Will go on with a volume that is open already before it opens a new one. */
  adopt(volume: number): void {
    this.#waiting.push(volume);
  }

  /** Fresh data of a class. */
  ingest(cls: number, count: number, nowMs: number): void {
    let left = count;
    while (left > 0) {
      const room = this.#roomInBucket(nowMs);
      const now = Math.min(left, room);
      this.#model.add(this.#bucket, cls, now);
      this.#took(now, nowMs);
      left -= now;
    }
  }

  /** A moved bucket, unlinked before. */
  move(bucket: number, writing: Writing, nowMs: number): void {
    const { unitsPerBucket } = this.#model.shape;
    const units = this.#model.unitsIn(bucket);
    if (units < writing.mergeBelow * unitsPerBucket || writing.mergeBelow >= 1) {
      this.#merge(bucket, units, nowMs);
      return;
    }
    const need = this.#model.needBytes(bucket);
    if (this.#aside !== NONE && need <= this.#model.roomBytes(this.#aside)) {
      this.#model.attach(bucket, this.#aside);
      return;
    }
    if (this.#volume !== NONE && need > this.#model.roomBytes(this.#volume)) this.#leave(nowMs);
    if (this.#volume === NONE) this.#volume = this.#waiting.shift() ?? this.#model.openVolume(nowMs, this.#lane);
    this.#model.attach(bucket, this.#volume);
    this.#sealIfFull(nowMs);
  }

  /**
   * Buckets unlinked before, in any order: what does not fit the volume in hand waits for the next, as the Live Coder
   * chooses its last group to fill a volume.
   */
  moveAll(buckets: readonly number[], writing: Writing, nowMs: number): void {
    const { unitsPerBucket } = this.#model.shape;
    const isRemnant = (units: number): boolean =>
      writing.mergeBelow >= 1 || units < writing.mergeBelow * unitsPerBucket;
    const whole: number[] = [];
    for (const bucket of buckets) {
      if (isRemnant(this.#model.unitsIn(bucket))) this.move(bucket, writing, nowMs);
      else whole.push(bucket);
    }
    // Longest first; then the longest that fits.
    whole.sort((a, b) => this.#model.unitsIn(b) - this.#model.unitsIn(a));
    while (whole.length > 0) {
      const at = Math.max(
        0,
        whole.findIndex((bucket) => this.#model.needBytes(bucket) <= this.#mostRoomBytes()),
      );
      this.move(whole.splice(at, 1)[0] as number, writing, nowMs);
    }
  }

  /** Remnants unlinked before become one bucket. */
  join(remnants: readonly number[], nowMs: number): void {
    this.#bucket = NONE;
    for (const bucket of remnants) this.#merge(bucket, this.#model.unitsIn(bucket), nowMs);
    this.#bucket = NONE;
  }

  /** Of the volume in hand or of a new one, and of the one that is nearly full. */
  #mostRoomBytes(): number {
    const inHand = this.#volume === NONE ? this.#model.fullBytes : this.#model.roomBytes(this.#volume);
    return this.#aside === NONE ? inHand : Math.max(inHand, this.#model.roomBytes(this.#aside));
  }

  #merge(bucket: number, units: number, nowMs: number): void {
    let left = units;
    while (left > 0) {
      const moved = this.#model.pour(bucket, this.#bucketInHand(nowMs), Math.min(left, this.#roomInBucket(nowMs)));
      this.#took(moved, nowMs);
      left -= moved;
    }
    this.mergedBytes += units * this.#model.shape.unitBytes;
    this.#model.dropEmpty(bucket);
  }

  #bucketInHand(nowMs: number): number {
    this.#roomInBucket(nowMs);
    return this.#bucket;
  }

  #roomInBucket(nowMs: number): number {
    const { unitsPerBucket } = this.#model.shape;
    const least = this.#keepsWhole ? unitsPerBucket : 1;
    if (this.#volume !== NONE && this.#bucket === NONE && this.#model.roomUnits(this.#volume, true) < least)
      this.#leave(nowMs);
    if (this.#volume === NONE) this.#volume = this.#waiting.shift() ?? this.#model.openVolume(nowMs, this.#lane);
    if (this.#bucket === NONE) {
      this.#bucket = this.#model.newBucket(this.#volume);
      this.#inBucket = 0;
    }
    return Math.min(unitsPerBucket - this.#inBucket, this.#model.roomUnits(this.#volume, this.#inBucket === 0));
  }

  #took(units: number, nowMs: number): void {
    this.#inBucket += units;
    if (this.#inBucket >= this.#model.shape.unitsPerBucket) this.#bucket = NONE;
    this.#sealIfFull(nowMs);
  }

  #sealIfFull(nowMs: number): void {
    const isInBucket = this.#bucket !== NONE;
    if (this.#model.roomUnits(this.#volume, !isInBucket) === 0) this.#seal(nowMs);
  }

  /** The volume in hand has no room for what comes. */
  #leave(nowMs: number): void {
    const left = this.#putDown();
    const full = this.#keepsWhole ? this.#aside : left;
    if (this.#keepsWhole) this.#aside = left;
    if (full !== NONE) this.#sealVolume(full, nowMs);
  }

  #seal(nowMs: number): void {
    this.#sealVolume(this.#putDown(), nowMs);
  }

  /** The volume that was in hand. */
  #putDown(): number {
    const volume = this.#volume;
    this.#volume = NONE;
    this.#bucket = NONE;
    return volume;
  }

  #sealVolume(volume: number, nowMs: number): void {
    this.#model.seal(volume, nowMs);
    if (this.#model.liveBytes[volume] === 0) this.#model.free(volume);
  }
}
