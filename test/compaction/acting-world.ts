// Small stores with half-dead sealed volumes, for tests of the acting half of compaction.
import { type Batches, inProcess } from '../../lib/compaction/do/batches.ts';
import type { Actors } from '../../lib/compaction/run/actors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import type { Stream } from '../../lib/stream/stream.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { Model } from '../store/crash.ts';
import { type Process, World } from '../store/harness.ts';

const KIB = 1024;

export const SMALL = settingsOf('demo', {
  preset: 'custom',
  blockBytesMax: KIB,
  extentBytes: 64 * KIB,
  bucketBytes: 4 * KIB,
  slotsPerBucketMax: 256,
  groupBytesMin: 12 * KIB,
  warmCodec: 'xor-2-1',
  openVolumes: 1,
});

export const actorsOf = (p: Process, stream?: Stream): Actors => ({
  ...(stream === undefined ? {} : { stream }),
  store: p.volumes,
  makeTarget: (run, moved) => new LiveCoder(p.volumes, run, moved),
});

/** The same, as what `compact` runs its plans by. */
export const batchesOf = (p: Process, stream?: Stream): Batches => inProcess(actorsOf(p, stream));

export async function putFiles(p: Process, model: Model, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [key, body] of files) model.begin(key, body);
  const items = [...files].map(([key, body]) => ({ namespace: 'default', key, body }));
  for await (const outcome of p.frontend.putAll(items))
    if (outcome.ok) model.put(outcome.key, files.get(outcome.key) as Uint8Array);
}

export async function deleteFiles(p: Process, model: Model, keys: readonly string[]): Promise<void> {
  for (const key of keys) model.begin(key, undefined);
  for await (const outcome of p.frontend.deleteAll(keys.map((key) => ({ namespace: 'default', key }))))
    if (outcome.ok) model.delete(outcome.key);
}

export function filesOf(seed: number, count: number, bytesMax: number): Map<string, Uint8Array> {
  const random = new SeededRandomness(seed);
  return new Map(Array.from({ length: count }, (_, i) => [`f/${seed}-${i}`, random.bytes(random.below(bytesMax) + 1)]));
}

export interface SealedOptions {
  readonly settings?: Settings;
  readonly seed?: number;
  readonly drives?: number;
  /** Warm volumes made one after the other. */
  readonly volumes: number;
  readonly filesEach: number;
  readonly bytesMax?: number;
  /** Of each volume's files, by volume; every one from the front. */
  readonly deletedEach: (volume: number) => number;
}

/** As many sealed warm volumes, each with some of its files deleted and shredded. */
export async function sealedWorld(options: SealedOptions): Promise<{ world: World; model: Model; p: Process }> {
  const seed = options.seed ?? 11;
  const world = new World(seed, options.settings ?? SMALL, options.drives ?? 6);
  const model = new Model();
  const p = world.start();
  for (let v = 0; v < options.volumes; v++) {
    const files = filesOf(seed + v, options.filesEach, options.bytesMax ?? 1800);
    await putFiles(p, model, files);
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    await p.volumes.open.sealAll('warm');
    await freeTrash(p.volumes);
    await deleteFiles(p, model, [...files.keys()].slice(0, options.deletedEach(v)));
  }
  await collectGarbage(p.components);
  return { world, model, p };
}
