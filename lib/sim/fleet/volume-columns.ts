// What is known of each volume of a simulated fleet, an array for each fact: place n is that of volume n.
import type { CodecName } from '../../codec/codec.ts';
import { codecShape } from '../../codec/shape.ts';
import { FREE_SLOT } from './fleet-view.ts';

export class VolumeColumns {
  state: Uint8Array;
  generation: Uint32Array;
  codec: Uint8Array;
  lane: Uint32Array;
  liveBytes: Float64Array;
  usedBytes: Float64Array;
  /** Taken besides data. */
  besidesBytes: Float64Array;
  capacity: Float64Array;
  buckets: Uint32Array;
  writtenMs: Float64Array;
  readonly capacityBytes: number;
  readonly #codec: CodecName;

  constructor(slots: number, codec: CodecName, capacityBytes: number) {
    this.#codec = codec;
    this.capacityBytes = capacityBytes;
    this.state = new Uint8Array(slots).fill(FREE_SLOT);
    this.generation = new Uint32Array(slots);
    this.codec = new Uint8Array(slots).fill(codecShape(codec).wire);
    this.lane = new Uint32Array(slots);
    this.liveBytes = new Float64Array(slots);
    this.usedBytes = new Float64Array(slots);
    this.besidesBytes = new Float64Array(slots);
    this.capacity = new Float64Array(slots).fill(capacityBytes);
    this.buckets = new Uint32Array(slots);
    this.writtenMs = new Float64Array(slots);
  }

  get slots(): number {
    return this.state.length;
  }

  protected copyColumns(of: VolumeColumns): void {
    for (const name of COLUMNS) (this[name] as unknown) = of[name].slice();
  }

  /** To so many volumes; the new ones are free. */
  protected growColumns(slots: number): void {
    const larger = new VolumeColumns(slots, this.#codec, this.capacityBytes);
    for (const name of COLUMNS) {
      larger[name].set(this[name]);
      (this[name] as unknown) = larger[name];
    }
  }
}

const COLUMNS = [
  'state',
  'generation',
  'codec',
  'lane',
  'liveBytes',
  'usedBytes',
  'besidesBytes',
  'capacity',
  'buckets',
  'writtenMs',
] as const satisfies readonly (keyof VolumeColumns)[];
