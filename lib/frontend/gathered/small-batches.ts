// Small objects of one put until they are as much as an append takes: a batch for each lane, as an append goes into
// volumes of one lane. Together they are no more than one batch may be.
import type { Lane } from '../../foundation/lane.ts';
import { BATCH_OBJECTS_MAX } from '../../limits/frontend.ts';
import { GROUP_SLOTS_MAX } from '../../limits/panda.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import type { HeldBlock } from '../blocks/held-block.ts';
import type { PutName } from '../put-item.ts';

export interface SmallObject {
  /** `nameOf` the item. */
  readonly name: string;
  readonly item: PutName;
  readonly row: ObjectRow;
  readonly blocks: readonly HeldBlock[];
  readonly recordBytes: number;
}

export interface SmallBatch {
  readonly lane: Lane;
  readonly objects: readonly SmallObject[];
}

export class SmallBatches {
  readonly #bytesMax: number;
  #objects: { readonly lane: Lane; readonly object: SmallObject }[] = [];
  readonly #names = new Set<string>();
  #bytes = 0;
  #blocks = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  holds(name: string): boolean {
    return this.#names.has(name);
  }

  hasRoomFor({ recordBytes, blocks }: Pick<SmallObject, 'recordBytes' | 'blocks'>): boolean {
    return (
      this.#bytes + recordBytes <= this.#bytesMax &&
      this.#objects.length < BATCH_OBJECTS_MAX &&
      this.#blocks + blocks.length <= GROUP_SLOTS_MAX
    );
  }

  add(lane: Lane, object: SmallObject): void {
    this.#objects.push({ lane, object });
    this.#names.add(object.name);
    this.#bytes += object.recordBytes;
    this.#blocks += object.blocks.length;
  }

  takeAll(): SmallBatch[] {
    const lanes = Map.groupBy(this.#objects, ({ lane }) => lane);
    this.#objects = [];
    this.#names.clear();
    this.#bytes = 0;
    this.#blocks = 0;
    return [...lanes].map(([lane, its]) => ({ lane, objects: its.map(({ object }) => object) }));
  }
}
