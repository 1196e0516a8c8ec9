// Stores as runs find them: with hot and warm volumes, sealed and open, some thinned out, so that there is something to encode, pack, top off,
// drain and merge from the first step on. Each is made once, without faults and without waiting, and copied for every run.
import { inProcess } from '../../../lib/compaction/do/batches.ts';
import { compact } from '../../../lib/compaction/do/rounds.ts';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { newStoreId, type StoreId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { Frontend } from '../../../lib/frontend/frontend.ts';
import { collectGarbage } from '../../../lib/gc/collect-garbage.ts';
import { MemoryKekStore } from '../../../lib/keys/memory-kek-store.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../../lib/live-coder/live-coder.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { type BodyId, bodyOf, SHARED_BODIES } from '../model/bodies.ts';
import { Disk } from '../ports/disk.ts';
import { EPOCH_MS } from '../scheduler/sim-process.ts';
import { VARIANTS } from './variants.ts';

const KEYS_MAX = 70;
/** Templates end before runs begin. */
const HISTORY_MS = 3_600_000;

export interface Template {
  readonly storeId: StoreId;
  readonly seed: number;
  readonly panda: MemoryPanda;
  readonly disks: readonly Disk[];
  /** What is there, acknowledged. */
  readonly objects: ReadonlyMap<string, BodyId>;
}

const made = new Map<string, Promise<Template>>();

export function templateOf(variant: number, number: number): Promise<Template> {
  const name = `${variant}/${number}`;
  const known = made.get(name) ?? make(variant, number);
  made.set(name, known);
  return known;
}

/** The same in every process of a template's store. */
export const keksOf = (seed: number): MemoryKekStore =>
  new MemoryKekStore({ clock: new SimulatedClock(EPOCH_MS), randomness: new SeededRandomness(seed + 5) });

async function make(variant: number, number: number): Promise<Template> {
  const { settings, drives } = VARIANTS[variant] as (typeof VARIANTS)[number];
  const seed = variant * 100 + number;
  const random = new SeededRandomness(seed);
  const storeId = newStoreId(new SeededRandomness(seed + 1));
  const panda = new MemoryPanda({ isSerial: true });
  const disks = Array.from({ length: drives }, (_, i) => new Disk(`d${i}`));
  const clock = new SimulatedClock(EPOCH_MS - HISTORY_MS);
  const components: Components = {
    settings,
    storeId,
    clock,
    randomness: new SeededRandomness(seed + 2),
    drives: disks,
    panda,
    keks: keksOf(seed),
    owner: 'before',
    isOwnerGone: () => false,
  };
  const volumes = new VolumeStore(components);
  const frontend = new Frontend(volumes);
  const objects = new Map<string, BodyId>();
  if (number > 0) {
    const actors = { store: volumes, makeTarget: (...[run, moved]: Parameters<typeof coder>) => coder(run, moved) };
    function coder(run: ConstructorParameters<typeof LiveCoder>[1], moved: ConstructorParameters<typeof LiveCoder>[2]) {
      return new LiveCoder(volumes, run, moved);
    }
    for (let wave = 0; wave < 3 + number; wave++) {
      await putSome(frontend, objects, random);
      clock.advance(120_000);
      if (wave + 1 < 3 + number || random.below(2) === 0) {
        await volumes.open.sealAll('hot');
        await encodeHot(volumes, { force: true, flush: true });
        if (random.below(3) > 0) await volumes.open.sealAll('warm');
      }
      await deleteSome(frontend, objects, random);
      clock.advance(120_000);
      if (random.below(3) > 0) await collectGarbage(components);
      if (number > 2 && random.below(3) === 0) await compact(inProcess(actors), { merge: false });
      await freeTrash(volumes);
    }
  }
  return { storeId, seed, panda, disks, objects };
}

async function putSome(frontend: Frontend, objects: Map<string, BodyId>, random: SeededRandomness): Promise<void> {
  const items: { namespace: string; key: string; body: Uint8Array; id: BodyId }[] = [];
  for (let i = 0; i < 12 + random.below(16) && objects.size + i < KEYS_MAX; i++) {
    const id = random.below(3) === 0 ? random.below(SHARED_BODIES) : 100 + random.below(1000);
    items.push({ namespace: 'n', key: `k${objects.size + i}`, body: bodyOf(id), id });
  }
  for await (const outcome of frontend.putAll(items)) {
    if (!outcome.ok) throw outcome.error;
    objects.set(outcome.key, items.find(({ key }) => key === outcome.key)?.id as BodyId);
  }
}

async function deleteSome(frontend: Frontend, objects: Map<string, BodyId>, random: SeededRandomness): Promise<void> {
  const share = 1 + random.below(3);
  for (const key of [...objects.keys()]) {
    if (random.below(5) >= share) continue;
    await frontend.delete('n', key);
    objects.delete(key);
  }
}
