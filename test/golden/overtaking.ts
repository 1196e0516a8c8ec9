// What another process does in full while one is under way: to the same rows, as far as they go.
import { compact } from '../../lib/compaction/do/rounds.ts';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import type { SimulatedClock } from '../../lib/foundation/clock.ts';
import { CountingPlan, Crash } from '../../lib/foundation/faults.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { LEASE_MS, QUARANTINE_MS } from '../../lib/limits/volume.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { freeDiscards } from '../../lib/volume/repair/discards.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { batchesOf, deleteFiles, putFiles } from '../compaction/acting-world.ts';
import { MERGING } from '../compaction/merge-world.ts';
import type { UseCase } from '../faults/use-cases.ts';
import { mark } from '../repair/drives.ts';
import { Model } from '../store/crash.ts';
import type { Process, World } from '../store/harness.ts';

/** `at`: at which call of the one that stands still, so that each is overtaken otherwise. */
export type Overtakes = (world: World, model: Model, act: UseCase['act'], at: number) => Promise<unknown>;

/** Of the keys that are there, in their order, as many as come to it. */
const some = (model: Model, isOne: (i: number) => boolean): string[] =>
  [...model.there.keys()].filter((_, i) => isOne(i));

const WRITTEN_MAX = 5;

/** Some are overwritten, and what they held is put once more under other names. */
function writtenFrom(model: Model): Map<string, Uint8Array> {
  const keys = some(model, (i) => i % 3 === 0).slice(0, WRITTEN_MAX);
  const files = new Map(keys.map((key) => [`copy/${key}`, model.there.get(key) as Uint8Array]));
  for (const [i, key] of keys.entries()) files.set(key, new Uint8Array(300 + 700 * i).fill(i + 1));
  return files;
}

const EAGER = { minFill: 0.02, l3UpTo: 0.05, l2UpTo: 0.9, l1UpTo: 0.9, finish: true };

async function upkeepBy(p: Process): Promise<unknown> {
  await p.volumes.open.sealAll('hot');
  const encoded = await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  const compacted = await compact(batchesOf(p), { settings: EAGER, merge: true, merging: MERGING });
  return [encoded, compacted, await collectGarbage(p.components), await freeTrash(p.volumes, { ignoreGrace: true })];
}

/** A process that dies at its call of that number. */
async function dying(world: World, call: number, work: (p: Process) => Promise<unknown>): Promise<unknown> {
  try {
    return await work(world.start({ plan: new CountingPlan(call, call % 2 === 0 ? 'before' : 'after') }));
  } catch (error) {
    if (error instanceof Crash) return 'dies';
    throw error;
  }
}

export const OVERTAKES: Readonly<Record<string, Overtakes>> = {
  itself: (world, model, act) => act(world.start(), model),
  deletes: async (world, model) => {
    const p = world.start();
    await deleteFiles(
      p,
      model,
      some(model, (i) => i % 2 === 1),
    );
    return collectGarbage(p.components);
  },
  puts: (world, model) => putFiles(world.start(), model, writtenFrom(model)),
  upkeep: (world) => upkeepBy(world.start()),
  'a repair': async (world) => {
    const [volume] = (await listVolumes(world.panda, 'c0')).filter((one) => one.class === 'warm');
    await mark(world, volume?.extents[1]?.drive ?? 1, 'draining');
    const p = world.start();
    const repaired = await repairStore(p.volumes);
    return [repaired, await freeDiscards(p.volumes, { ignoreGrace: true })];
  },
  'a takeover': async (world) => {
    (world.clock as SimulatedClock).advance(LEASE_MS + QUARANTINE_MS);
    const p = world.start({ othersDead: true });
    const recovered = await recover(p.volumes, p.frontend, { sweep: true });
    return [recovered, await collectGarbage(p.components)];
  },
  'puts of one that dies': (world, model, _, at) =>
    dying(world, 3 + ((at * 7) % 29), (p) => putFiles(p, model, writtenFrom(model))),
  'upkeep of one that dies, a lease ago': async (world, _, __, at) => {
    const told = await dying(world, 10 + ((at * 37) % 240), upkeepBy);
    (world.clock as SimulatedClock).advance(LEASE_MS);
    return told;
  },
};

/** Which keys it was told of. */
export class HeardModel extends Model {
  readonly heard = new Set<string>();

  static of(model: Model): HeardModel {
    const heard = new HeardModel();
    for (const [key, body] of model.there) heard.there.set(key, body);
    for (const [key, bodies] of model.undecided) heard.undecided.set(key, bodies);
    for (const key of model.gone) heard.gone.add(key);
    for (const key of model.lost) heard.lost.add(key);
    return heard;
  }

  override put(key: string, body: Uint8Array): void {
    this.heard.add(key);
    super.put(key, body);
  }

  override delete(key: string): void {
    this.heard.add(key);
    super.delete(key);
  }

  override begin(key: string, next: Uint8Array | undefined): void {
    this.heard.add(key);
    super.begin(key, next);
  }
}

/** Of two that began with the same: what only one of them changed is as it says; of the rest, either. */
export function bothOf(one: HeardModel, other: HeardModel): Model {
  const both = one.clone();
  const possible = (model: Model, key: string) => model.undecided.get(key) ?? [model.there.get(key)];
  for (const key of other.heard) {
    if (one.heard.has(key)) both.undecided.set(key, [...possible(one, key), ...possible(other, key)]);
    else {
      both.there.delete(key);
      both.gone.delete(key);
      const body = other.there.get(key);
      if (body !== undefined) both.there.set(key, body);
      if (other.gone.has(key)) both.gone.add(key);
      const undecided = other.undecided.get(key);
      if (undecided !== undefined) both.undecided.set(key, undecided);
    }
  }
  return both;
}
