// Every port call of put, encode, delete, GC and drain is a place to die at (issue: crash safety, a). Small settings, so that every
// one of them is tried in `npm test`; wider ones are in crash.long.test.ts.
import { describe, expect, it } from 'vitest';
import { drain } from '../../lib/compaction/do/drain.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { SMALL } from '../compaction/acting-world.ts';
import { crashEverywhere, Model } from './crash.ts';
import { type Process, World } from './harness.ts';

const KIB = 1024;
const SEED = 11;

async function putFiles(p: Process, model: Model, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [key, body] of files) model.begin(key, body);
  const items = [...files].map(([key, body]) => ({ namespace: 'default', key, body }));
  for await (const outcome of p.frontend.putAll(items))
    if (outcome.ok) model.put(outcome.key, files.get(outcome.key) as Uint8Array);
}

async function deleteFiles(p: Process, model: Model, keys: readonly string[]): Promise<void> {
  for (const key of keys) model.begin(key, undefined);
  for await (const outcome of p.frontend.deleteAll(keys.map((key) => ({ namespace: 'default', key }))))
    if (outcome.ok) model.delete(outcome.key);
}

function filesOf(seed: number, count: number, bytesMax: number): Map<string, Uint8Array> {
  const random = new SeededRandomness(seed);
  return new Map(Array.from({ length: count }, (_, i) => [`f/${seed}-${i}`, random.bytes(random.below(bytesMax) + 1)]));
}

/** A store with files in hot volumes, encoded if told, a part of them deleted and shredded if told. */
async function storeWith(options: { encode?: boolean; deleted?: number; shredded?: boolean; files?: number }) {
  const world = new World(SEED, SMALL, 6);
  const model = new Model();
  const p = world.start();
  const files = filesOf(SEED, options.files ?? 24, 1800);
  await putFiles(p, model, files);
  if (options.encode) {
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    await p.volumes.open.sealAll('warm');
    await freeTrash(p.volumes);
  }
  const doomed = [...files.keys()].slice(0, options.deleted ?? 0);
  await deleteFiles(p, model, doomed);
  if (options.shredded) await collectGarbage(p.components);
  return { world, model };
}

describe('a crash at every port call', () => {
  it('of a put: small, long, overwriting and known objects', async () => {
    const report = await crashEverywhere({
      prepare: () => storeWith({ files: 6 }),
      act: async (p, model) => {
        const files = filesOf(SEED + 1, 5, 900);
        files.set(`f/${SEED}-0`, new Uint8Array(700).fill(3)); // overwrites
        files.set('same', model.there.get(`f/${SEED}-1`) as Uint8Array); // its blocks are known
        files.set('long', new SeededRandomness(5).bytes(9 * KIB)); // three segments
        await putFiles(p, model, files);
      },
    });
    expect(report.calls).toBeGreaterThan(40);
  });

  it('of a delete, of short and long objects', async () => {
    const report = await crashEverywhere({
      prepare: async () => {
        const made = await storeWith({ files: 6 });
        await putFiles(made.world.start(), made.model, new Map([['long', new SeededRandomness(5).bytes(50 * KIB)]]));
        return made;
      },
      act: (p, model) => deleteFiles(p, model, ['long', `f/${SEED}-2`, `f/${SEED}-3`]),
    });
    expect(report.calls).toBeGreaterThan(5);
  });

  it('of GC', async () => {
    const report = await crashEverywhere({
      prepare: () => storeWith({ deleted: 12 }),
      act: async (p) => {
        await collectGarbage(p.components);
      },
    });
    expect(report.calls).toBeGreaterThan(10);
  });

  it('of encode, with the hot volumes freed', async () => {
    const report = await crashEverywhere({
      prepare: () => storeWith({ files: 16, deleted: 3, shredded: true }),
      act: async (p) => {
        await p.volumes.open.sealAll('hot');
        await encodeHot(p.volumes, { force: true, flush: true });
        await p.volumes.open.sealAll('warm');
        await freeTrash(p.volumes);
      },
    });
    expect(report.calls).toBeGreaterThan(60);
  });

  it('of drain, with the sources freed', async () => {
    const report = await crashEverywhere({
      prepare: () => storeWith({ encode: true, deleted: 16, shredded: true }),
      act: async (p) => {
        await drain(p.volumes, (run, moved) => new LiveCoder(p.volumes, run, moved));
        await freeTrash(p.volumes);
      },
    });
    expect(report.calls).toBeGreaterThan(30);
  });
});
