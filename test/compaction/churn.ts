// Churn on a whole store, for the bench and its small tests: incompressible files put, deleted at random and put again, compacted in
// between; and one large delete of a store that is complete.

import { codecOf } from '../../lib/codec/codecs.ts';
import { sealedTotals } from '../../lib/compaction/facts/fleet.ts';
import { snapshotOf } from '../../lib/compaction/facts/snapshot.ts';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { compactStore } from '../../lib/engine/upkeep/compaction.ts';
import { encodeStore, shredStore } from '../../lib/engine/upkeep/tend.ts';
import type { EngineStore } from '../../lib/engine/wire/engine-store.ts';
import { DIRECTORY_PACK_NAME } from '../../lib/format/object-names.ts';
import { assert } from '../../lib/foundation/assert.ts';
import { SeededRandomness, shuffled } from '../../lib/foundation/randomness.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { incompressible, PERSONAL_SCALED } from '../store/sealed-overhead.ts';

const NAMESPACE = 'default';
/** Files put before what is hot is encoded. */
const FILES_AT_ONCE = 2_000;
/** Least dead part of a volume worth a run: above what is left empty when a volume is sealed full. */
const THRESHOLD = 0.08;

export interface ChurnOptions {
  readonly files: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly seed: number;
}

export interface Wave {
  /** Capacity over live bytes of sealed volumes, before and after its compaction. */
  readonly before: number;
  readonly after: number;
  readonly putBytes: number;
  readonly movedBytes: number;
  readonly metadataWrites: number;
}

export interface OneShot {
  readonly liveBytes: number;
  /** Of the volumes that held it. */
  readonly capacityBytes: number;
  readonly movedBytes: number;
  readonly volumesBefore: number;
  readonly volumes: number;
  /** Coded volumes that are not sealed: what fills no volume is there. */
  readonly openVolumes: number;
  /** As below, of the store as it was before the delete. */
  readonly freshOverhead: number;
  /** Stored bytes of sealed volumes over their live bytes, without the code's factor; bucket directories are dead weight. */
  readonly storedOverhead: number;
  /** The same, bucket directories counted as live. */
  readonly storedBesideDirectories: number;
  readonly allocatedOverhead: number;
}

/** The files of a store under churn: which are there, and what the next one is. */
export class Churn {
  readonly #store: EngineStore;
  readonly #options: ChurnOptions;
  readonly #random: SeededRandomness;
  readonly #there: number[] = [];
  #next = 0;

  constructor(store: EngineStore, options: ChurnOptions) {
    this.#store = store;
    this.#options = options;
    this.#random = new SeededRandomness(options.seed);
  }

  /** Puts so many new files and encodes what makes groups. Their bytes. */
  async put(count: number): Promise<number> {
    let putBytes = 0;
    for (let left = count; left > 0; left -= FILES_AT_ONCE) {
      for await (const outcome of this.#store.frontend.putAll(this.#files(Math.min(left, FILES_AT_ONCE)))) {
        if (!outcome.ok) throw outcome.error;
        putBytes += outcome.sizeBytes;
      }
      await this.#encode(false);
    }
    return putBytes;
  }

  /** Deletes this share of the files at random, and shreds them. */
  async delete(share: number): Promise<void> {
    const order = shuffled(this.#there, this.#random);
    const doomed = order.splice(0, Math.round(order.length * share));
    this.#there.splice(0, this.#there.length, ...order);
    const keys = doomed.map((number) => ({ namespace: NAMESPACE, key: keyOf(number) }));
    for await (const outcome of this.#store.frontend.deleteAll(keys)) if (!outcome.ok) throw outcome.error;
    await shredStore(this.#store);
  }

  /** A wave: deletes, puts as many again, and compacts down to the target. */
  async wave(share: number, targetOverhead: number): Promise<Wave> {
    const count = Math.round(this.#there.length * share);
    await this.delete(share);
    const putBytes = await this.put(count);
    const before = await this.#overhead();
    const { runs } = await compactStore(this.#store, {
      threshold: THRESHOLD,
      targetOverhead,
      untilStable: true,
      finish: true,
    });
    const after = await this.#overhead();
    return {
      before,
      after,
      putBytes,
      movedBytes: runs.reduce((sum, run) => sum + run.movedBytes + run.hostBytes, 0),
      metadataWrites: runs.reduce((sum, run) => sum + run.metadataWrites, 0),
    };
  }

  /** All of it is coded and sealed, then this share deleted, then compacted until nothing is gained. */
  async oneShot(share: number): Promise<OneShot> {
    await this.#encode(true);
    await this.#store.volumes.open.sealAll('warm');
    const freshOverhead = await this.#storedOverhead();
    await this.delete(share);
    const start = sealedTotals(await snapshotOf(this.#store.components));
    const { runs } = await compactStore(this.#store, { untilStable: true, finish: true });
    const end = sealedTotals(await snapshotOf(this.#store.components));
    const after = await this.#storedOverhead();
    return {
      liveBytes: start.liveBytes,
      capacityBytes: start.capacityBytes,
      movedBytes: runs.reduce((sum, run) => sum + run.movedBytes + run.hostBytes, 0),
      volumesBefore: start.volumes,
      volumes: end.volumes,
      openVolumes: (await collectStatus(this.#store.components)).overhead.open.volumes,
      freshOverhead: freshOverhead.stored,
      storedOverhead: after.stored,
      storedBesideDirectories: after.besideDirectories,
      allocatedOverhead: end.allocatedOverhead,
    };
  }

  /** Reads everything that is there; names of files that differ. */
  async differing(): Promise<string[]> {
    const wrong: string[] = [];
    for (const number of this.#there) {
      const body = await this.#store.frontend.read(NAMESPACE, keyOf(number), this.#options.bytesMax);
      if (Buffer.compare(body, this.#bodyOf(number)) !== 0) wrong.push(keyOf(number));
    }
    return wrong;
  }

  *#files(count: number) {
    for (let i = 0; i < count; i++) {
      const number = this.#next++;
      this.#there.push(number);
      yield { namespace: NAMESPACE, key: keyOf(number), body: this.#bodyOf(number) };
    }
  }

  /** The same for the same number, and like no other: a window of its own into incompressible bytes, so that nothing is made anew. */
  #bodyOf(number: number): Uint8Array {
    const { bytesMin, bytesMax, seed } = this.#options;
    const bytes = bytesMin + new SeededRandomness(seed * 1_000_003 + number).below(bytesMax - bytesMin + 1);
    const offset = number * WINDOW_STEP;
    assert(offset + bytes <= POOL.length, 'the pool is long enough for so many files');
    return POOL.subarray(offset, offset + bytes);
  }

  async #encode(flush: boolean): Promise<void> {
    await this.#store.volumes.open.sealAll('hot');
    const { stalled } = await encodeStore(this.#store, { force: true, flush });
    if (stalled !== undefined) throw new Error(stalled.text);
    await freeTrash(this.#store.volumes, { ignoreGrace: true });
  }

  async #storedOverhead(): Promise<{ readonly stored: number; readonly besideDirectories: number }> {
    const { components } = this.#store;
    const { sealed } = (await collectStatus(components)).overhead;
    const coded = sealed.liveBytes * codecOf(components.settings.warmCodec).overhead;
    if (coded === 0) return { stored: 0, besideDirectories: 0 };
    const directories = await directoryBytes(components);
    return { stored: sealed.storedBytes / coded, besideDirectories: sealed.storedBytes / (coded + directories) };
  }

  async #overhead(): Promise<number> {
    return sealedTotals(await snapshotOf(this.#store.components)).allocatedOverhead;
  }
}

/** Of sealed warm volumes, every copy counted. */
async function directoryBytes({ panda, settings, drives }: EngineStore['components']): Promise<number> {
  let bytes = 0;
  for (const { class: cls, state, extents } of await listVolumes(panda, settings.cell)) {
    if (cls !== 'warm' || state !== 'sealed') continue;
    for (const { drive, zone, zoneGeneration } of extents)
      for (const object of (await drives[drive]?.list({ zone, generation: zoneGeneration })) ?? [])
        if (object.name === DIRECTORY_PACK_NAME) bytes += object.bytes;
  }
  return bytes;
}

/** The default preset, every byte setting 64 times smaller, and nobody waits. */
export const CHURNED: Settings = settingsOf('personal', {
  ...PERSONAL_SCALED,
  deleteGraceMs: 0,
  trashGraceMs: 0,
  encodeAfterMs: 0,
});

/** Windows overlap, but begin on different bytes: no two blocks are the same. */
const WINDOW_STEP = 101;
const POOL_BYTES = 8 * 1024 * 1024;
const POOL = incompressible(POOL_BYTES, 1);

const keyOf = (number: number): string => `f${number}`;
