import { FLEET_STATES, type FleetView } from '../../compaction/facts/fleet.ts';
import { assert } from '../../foundation/assert.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import { type SeededRandomness, shuffled } from '../../foundation/randomness.ts';
import { BucketTable } from './bucket-table.ts';
import { FREE_SLOT, fleetViewOf } from './fleet-view.ts';
import { type Besides, type ModelShape, NOTHING_BESIDES } from './model-shape.ts';
import { VolumeColumns } from './volume-columns.ts';
import { VolumeNames } from './volume-names.ts';

const NONE = -1;
const SEALED = FLEET_STATES.indexOf('sealed');
const OPEN = FLEET_STATES.indexOf('open');

export class FleetModel extends VolumeColumns {
  readonly shape: ModelShape;
  /** Units, and their bytes, with which a volume is full. */
  readonly fullUnits: number;
  readonly fullBytes: number;
  readonly random: SeededRandomness;
  /** Live units by class. */
  readonly liveUnits: Float64Array;
  readonly #besides: Besides;
  #table: BucketTable;
  #freeSlots: number[];
  #names: VolumeNames;
  #allocated = 0;
  #open = 0;

  constructor(shape: ModelShape, random: SeededRandomness) {
    super(shape.slots, shape.codec, shape.unitsPerVolume * shape.unitBytes);
    this.shape = shape;
    this.random = random;
    this.fullUnits = shape.unitsWhenFull ?? shape.unitsPerVolume;
    this.fullBytes = this.fullUnits * shape.unitBytes;
    this.liveUnits = new Float64Array(shape.classes);
    this.#besides = shape.besides ?? NOTHING_BESIDES;
    const { slots } = shape;
    this.#table = new BucketTable(
      shape.classes,
      slots,
      Math.ceil(slots * (shape.unitsPerVolume / shape.unitsPerBucket)),
    );
    // Shards are ranges of slots: shuffled, so that every shard gets its part of the fleet.
    this.#freeSlots = shuffled(
      Array.from({ length: slots }, (_, i) => i),
      random,
    );
    this.#names = new VolumeNames(slots);
  }

  /** The same fleet, to be led elsewhere with its own randomness. */
  copy(random: SeededRandomness): FleetModel {
    const twin = new FleetModel({ ...this.shape, slots: 1 }, random);
    twin.liveUnits.set(this.liveUnits);
    twin.copyColumns(this);
    twin.#table = this.#table.copy();
    twin.#freeSlots = [...this.#freeSlots];
    twin.#names = this.#names.copy();
    twin.#allocated = this.#allocated;
    twin.#open = this.#open;
    return twin;
  }

  /** Volumes allocated, open ones included. */
  get allocatedVolumes(): number {
    return this.#allocated;
  }

  get openVolumes(): number {
    return this.#open;
  }

  get totalLiveBytes(): number {
    return this.liveUnits.reduce((sum, units) => sum + units, 0) * this.shape.unitBytes;
  }

  /** Allocated over live, open volumes included. */
  get overhead(): number {
    return (this.#allocated * this.capacityBytes) / this.totalLiveBytes;
  }

  openVolume(nowMs: number, lane: Lane = SHARED_LANE): number {
    if (this.#freeSlots.length === 0) this.#grow();
    const volume = this.#freeSlots.pop() as number;
    this.state[volume] = OPEN;
    this.lane[volume] = lane;
    this.generation[volume] = (this.generation[volume] as number) + 1;
    this.writtenMs[volume] = nowMs;
    this.#allocated++;
    this.#open++;
    return volume;
  }

  seal(volume: number, nowMs: number): void {
    assert(this.state[volume] === OPEN, 'only an open volume is sealed');
    this.state[volume] = SEALED;
    this.writtenMs[volume] = nowMs;
    this.#open--;
  }

  /** Ends whatever was being written: for a fleet that others lead on. */
  sealOpen(nowMs: number): void {
    for (let volume = 0; volume < this.slots; volume++) {
      if (this.state[volume] !== OPEN) continue;
      this.seal(volume, nowMs);
      if (this.liveBytes[volume] === 0) this.free(volume);
    }
  }

  /** L1's flip: the host's live bytes and what joined them are a new generation. */
  flip(volume: number, nowMs: number): void {
    this.generation[volume] = (this.generation[volume] as number) + 1;
    this.writtenMs[volume] = nowMs;
    this.usedBytes[volume] = this.liveBytes[volume] as number;
    this.besidesBytes[volume] = this.bucketsOf(volume).reduce((sum, bucket) => sum + this.besidesOf(bucket), 0);
  }

  /** Gives a volume back that has no live data. */
  free(volume: number): void {
    assert(this.liveBytes[volume] === 0 && this.state[volume] !== FREE_SLOT, `volume ${volume} is not empty`);
    for (const bucket of this.bucketsOf(volume)) this.#table.give(bucket);
    if (this.state[volume] === OPEN) this.#open--;
    this.#table.unlinkAll(volume);
    this.state[volume] = FREE_SLOT;
    this.usedBytes[volume] = 0;
    this.besidesBytes[volume] = 0;
    this.buckets[volume] = 0;
    this.#freeSlots.push(volume);
    this.#allocated--;
  }

  /** Units that still fit a volume, in a bucket of its own or in one it has. */
  roomUnits(volume: number, inNewBucket: boolean): number {
    return this.#unitsWithin(this.roomBytes(volume) - (inNewBucket ? this.#besides.perBucket : 0));
  }

  /** What a volume still takes, data and what goes with it. */
  roomBytes(volume: number): number {
    return this.fullBytes - (this.usedBytes[volume] as number) - (this.besidesBytes[volume] as number);
  }

  /** What a bucket takes besides its data in a volume that it is moved to. */
  besidesOf(bucket: number): number {
    const units = this.unitsIn(bucket);
    const { perUnit, perSlot, perBucket } = this.#besides;
    return units === 0 ? 0 : units * perUnit + this.#table.spanOf(bucket) * perSlot + perBucket;
  }

  /** What a bucket takes of a volume that it is moved to. */
  needBytes(bucket: number): number {
    return this.unitsIn(bucket) * this.shape.unitBytes + this.besidesOf(bucket);
  }

  isSealed(volume: number): boolean {
    return this.state[volume] === SEALED;
  }

  /** Every bucket of a volume, empty ones (not counted any more) included. */
  bucketsOf(volume: number): number[] {
    return this.#table.of(volume);
  }

  unitsIn(bucket: number): number {
    return this.#table.unitsIn(bucket);
  }

  /** Units that it ever held. */
  slotsOf(bucket: number): number {
    return this.#table.slots[bucket] as number;
  }

  unitsOfClass(bucket: number, cls: number): number {
    return this.#table.units[bucket * this.shape.classes + cls] as number;
  }

  volumeOf(bucket: number): number {
    return this.#table.volumeOf[bucket] as number;
  }

  newBucket(volume: number): number {
    const bucket = this.#table.take();
    this.#link(bucket, volume);
    return bucket;
  }

  /** New data; `used` grows with it. */
  add(bucket: number, cls: number, count: number): void {
    this.liveUnits[cls] = (this.liveUnits[cls] as number) + count;
    this.#put(bucket, cls, count);
  }

  /** Moves every bucket for which `takes` says so out of a volume; the others stay. Empty buckets are dropped. */
  unlink(volume: number, takes: (bucket: number, units: number) => boolean): number[] {
    const all = this.bucketsOf(volume);
    const taken: number[] = [];
    this.#table.unlinkAll(volume);
    this.buckets[volume] = 0;
    for (const bucket of all) {
      const units = this.unitsIn(bucket);
      if (units === 0) this.#table.give(bucket);
      else if (takes(bucket, units)) {
        this.liveBytes[volume] = (this.liveBytes[volume] as number) - units * this.shape.unitBytes;
        taken.push(bucket);
      } else this.#link(bucket, volume);
    }
    return taken;
  }

  /** Puts a bucket that was unlinked into a volume. */
  attach(bucket: number, volume: number): void {
    const bytes = this.unitsIn(bucket) * this.shape.unitBytes;
    this.#link(bucket, volume);
    this.liveBytes[volume] = (this.liveBytes[volume] as number) + bytes;
    this.usedBytes[volume] = (this.usedBytes[volume] as number) + bytes;
    this.besidesBytes[volume] = (this.besidesBytes[volume] as number) + this.besidesOf(bucket);
  }

  /** Moves up to `most` units of an unlinked bucket into a bucket of a volume; returns how many. */
  pour(from: number, into: number, most: number): number {
    const { classes } = this.shape;
    const { units: table } = this.#table;
    let left = most;
    for (let c = 0; c < classes && left > 0; c++) {
      const units = Math.min(left, table[from * classes + c] as number);
      if (units === 0) continue;
      table[from * classes + c] = (table[from * classes + c] as number) - units;
      this.#put(into, c, units);
      left -= units;
    }
    return most - left;
  }

  dropEmpty(bucket: number): void {
    assert(this.unitsIn(bucket) === 0, 'a bucket with live data is not dropped');
    this.#table.give(bucket);
  }

  /** Deletes one unit of a class, each live one as likely as any other. Returns its volume, or -1 if there is none. */
  deleteAny(cls: number): number {
    if ((this.liveUnits[cls] as number) <= 0) return NONE;
    const { classes, unitsPerBucket } = this.shape;
    const { units } = this.#table;
    const top = this.#table.top / 2 ** 32;
    const scale = unitsPerBucket / 2 ** 32;
    for (;;) {
      const bucket = Math.floor(this.random.uint32() * top);
      if (this.random.uint32() * scale < (units[bucket * classes + cls] as number)) return this.deleteFrom(bucket, cls);
    }
  }

  deleteFrom(bucket: number, cls: number): number {
    const at = bucket * this.shape.classes + cls;
    const volume = this.volumeOf(bucket);
    const { units } = this.#table;
    units[at] = (units[at] as number) - 1;
    this.liveUnits[cls] = (this.liveUnits[cls] as number) - 1;
    this.liveBytes[volume] = (this.liveBytes[volume] as number) - this.shape.unitBytes;
    if (units[at] === 0 && this.unitsIn(bucket) === 0) this.buckets[volume] = (this.buckets[volume] as number) - 1;
    return volume;
  }

  /** A shard (a range of slots) as the planner sees it. */
  view(nowMs: number, shard = 0, shards = 1): FleetView {
    return fleetViewOf(this, this.#names, nowMs, shard, shards);
  }

  /** Data that a host would take beside its own, written anew; undefined where nothing but data takes room. */
  hostRoomBytes(volume: number): number | undefined {
    if (this.shape.besides === undefined) return undefined;
    const need = this.bucketsOf(volume).reduce((sum, bucket) => sum + this.needBytes(bucket), 0);
    return this.#unitsWithin(this.fullBytes - need) * this.shape.unitBytes;
  }

  #unitsWithin(bytes: number): number {
    const { perUnit, perSlot } = this.#besides;
    return Math.max(0, Math.floor(bytes / (this.shape.unitBytes + perUnit + perSlot)));
  }

  #put(bucket: number, cls: number, count: number): void {
    const at = bucket * this.shape.classes + cls;
    const volume = this.volumeOf(bucket);
    const { units, slots } = this.#table;
    const { perUnit, perSlot, perBucket } = this.#besides;
    if (this.unitsIn(bucket) === 0) this.buckets[volume] = (this.buckets[volume] as number) + 1;
    const besides = (slots[bucket] === 0 ? perBucket : 0) + count * (perUnit + perSlot);
    this.besidesBytes[volume] = (this.besidesBytes[volume] as number) + besides;
    units[at] = (units[at] as number) + count;
    slots[bucket] = (slots[bucket] as number) + count;
    const bytes = count * this.shape.unitBytes;
    this.liveBytes[volume] = (this.liveBytes[volume] as number) + bytes;
    this.usedBytes[volume] = (this.usedBytes[volume] as number) + bytes;
  }

  #link(bucket: number, volume: number): void {
    this.#table.link(bucket, volume);
    if (this.unitsIn(bucket) > 0) this.buckets[volume] = (this.buckets[volume] as number) + 1;
  }

  #grow(): void {
    const before = this.slots;
    const room = Math.ceil(before * 1.5) + 16;
    this.growColumns(room);
    this.#table.growVolumes(room);
    for (let i = room - 1; i >= before; i--) this.#freeSlots.push(i);
    this.#names.grow(room);
  }
}
