// An open store as the operator's use-cases see it, whichever engine holds it together.
import type { Reason } from '../../foundation/reason.ts';
import type { Frontend } from '../../frontend/frontend.ts';
import type { LadderScrub, LadderScrubOptions } from '../../journal/scrub-ladder.ts';
import type { Stream } from '../../stream/stream.ts';
import type { Components } from '../../volume/rows/components.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { JournalStatus } from '../ship/journal-status.ts';
import type { Portions } from '../ship/portions.ts';

export interface EngineStore {
  readonly components: Components;
  readonly volumes: VolumeStore;
  readonly frontend: Frontend;
  /** Between the drainer and the workers of L3. */
  readonly queue: Stream;
  /** Of the metadata on the drives, where there is one. */
  readonly journal?: EngineJournal | undefined;
  /** Where all of it lies on disks of this machine, which may be full. */
  readonly disk?: DiskRoom;
}

export interface EngineJournal {
  status(): Promise<JournalStatus>;
  scrub(options: LadderScrubOptions): Promise<LadderScrub>;
}

export interface DiskRoom {
  /** Before work that frees space. True if space is short: then grace does not count, nor age. */
  beforeFreeing(): Promise<boolean>;
  afterFreeing(): void;
  /** For what was deleted: GC, between `beforeFreeing` and `afterFreeing` where space is short. */
  shredding(): Portions;
  isShort(): Promise<boolean>;
  /** Why so many bytes more cannot lie on the drives for a while; undefined: they can. */
  roomFor(bytes: number): Promise<Reason | undefined>;
  /** Nothing more can be stored. */
  isFull(): Promise<boolean>;
}
