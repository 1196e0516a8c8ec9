// A whole store on memory bodies, for tests of use-cases: seeded, with a clock that stands still, and processes that can die.

import { knownLanes } from '../../lib/compaction/run/known-lanes.ts';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import type { SimulatedClock } from '../../lib/foundation/clock.ts';
import type { FaultPlan } from '../../lib/foundation/faults.ts';
import { newStoreId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import type { KekStore, KekVersion } from '../../lib/keys/keys.ts';
import { bulkWriterOf } from '../../lib/live-coder/bulk-coder.ts';
import { FaultyPanda } from '../../lib/panda/faulty-panda.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Panda } from '../../lib/panda/panda.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import type { Components } from '../../lib/volume/rows/components.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { paceOf, TurningClock } from './pace.ts';

const KIB = 1024;

/** Everything small, so that a few dozen objects fill, seal, encode and drain volumes. */
export const TINY: Settings = settingsOf('demo', {
  preset: 'custom',
  blockBytesMax: 1 * KIB,
  extentBytes: 64 * KIB,
  bucketBytes: 4 * KIB,
  slotsPerBucketMax: 256,
  groupBytesMin: 48 * KIB,
  openVolumes: 2,
});

/** KEKs from a seed: the same in every process of a store. */
export class FixedKeks implements KekStore {
  readonly #key: Uint8Array;
  constructor(seed: number) {
    this.#key = new SeededRandomness(seed).bytes(32);
  }
  async versions(): Promise<readonly KekVersion[]> {
    return [{ version: 1, createdAtMs: 0, state: 'current' }];
  }
  async kek(): Promise<Uint8Array> {
    return this.#key;
  }
  rotate(): Promise<KekVersion> {
    throw new Error('not in this harness');
  }
  destroy(): Promise<void> {
    throw new Error('not in this harness');
  }
}

export interface Process {
  readonly components: Components;
  readonly volumes: VolumeStore;
  readonly frontend: Frontend;
}

export interface StartOptions {
  readonly plan?: FaultPlan;
  readonly othersDead?: boolean;
  readonly panda?: Panda;
  /** Large puts go into erasure-coded volumes at once, as on the embedded engine. */
  readonly isBulk?: boolean;
  /** It heeds which namespaces are kept apart, as engines do. */
  readonly knowsLanes?: boolean;
}

export class World {
  readonly settings: Settings;
  readonly seed: number;
  readonly clock: SimulatedClock;
  readonly drives: readonly MemoryDrive[];
  readonly panda: MemoryPanda;
  readonly #storeId;
  readonly #dead = new Set<string>();
  #processes = 0;

  constructor(
    seed: number,
    settings: Settings = TINY,
    drives: number | readonly MemoryDrive[] = 20,
    panda?: MemoryPanda,
    clock = new TurningClock(),
  ) {
    this.clock = clock;
    this.seed = seed;
    this.settings = settings;
    this.panda = panda ?? new MemoryPanda({ pace: paceOf(this.clock) });
    this.drives =
      typeof drives === 'number' ? Array.from({ length: drives }, (_, i) => new MemoryDrive(`drive-${i}`)) : drives;
    this.#storeId = newStoreId(new SeededRandomness(seed));
  }

  /** The same store once more, on its own from now on; processes of this one have no hold on it. */
  clone(): World {
    const clock = new TurningClock();
    const copy = new World(
      this.seed,
      this.settings,
      this.drives.map((drive) => drive.clone()),
      this.panda.clone({ pace: paceOf(clock) }),
      clock,
    );
    copy.#processes = this.#processes;
    copy.clock.advance(this.clock.monotonicMs());
    for (const owner of this.#dead) copy.#dead.add(owner);
    return copy;
  }

  /** A new process on the store; with a plan, its ports may fail; `panda` is another way to the same rows. All processes before it count as dead if told so. */
  start(options: StartOptions = {}): Process {
    if (options.othersDead) for (let i = 0; i < this.#processes; i++) this.#dead.add(`p${i}`);
    const owner = `p${this.#processes++}`;
    const { plan, panda = this.panda } = options;
    const components: Components = {
      settings: this.settings,
      storeId: this.#storeId,
      clock: this.clock,
      randomness: new SeededRandomness(this.seed * 1000 + this.#processes),
      drives: plan === undefined ? this.drives : this.drives.map((drive) => new FaultyDrive(drive, { plan })),
      panda: plan === undefined ? panda : new FaultyPanda(panda, plan),
      keks: new FixedKeks(this.seed),
      owner,
      isOwnerGone: (other) => this.#dead.has(other),
      ...(options.knowsLanes ? { laneOf: knownLanes({ panda, clock: this.clock }) } : {}),
    };
    const volumes = new VolumeStore(components);
    const bulk = options.isBulk ? bulkWriterOf(volumes) : undefined;
    return { components, volumes, frontend: new Frontend(volumes, undefined, bulk) };
  }
}
