// What carries a run out: the store, the Live Coder made for a run, and the queue where L3 goes through one.
import type { RunId } from '../../foundation/ids.ts';
import type { Stream } from '../../stream/stream.ts';
import type { BucketContent } from '../../volume/read/collect-bucket.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { MoveResult } from '../../volume/write/move.ts';

/** Where drained buckets go: the Live Coder, made for one run. */
export interface DrainTarget {
  push(content: BucketContent): Promise<void>;
  flush(): Promise<void>;
  discard(): unknown;
}
export type MakeTarget = (run: RunId, onMoved: (result: MoveResult) => void) => DrainTarget;

export interface Actors {
  readonly store: VolumeStore;
  readonly makeTarget: MakeTarget;
  /** L3 goes through it; without one it is done like L2. */
  readonly stream?: Stream;
}
