// Every port call of every verifier is a place to die at: a pass begun anew by another process finds what is wrong, all of it and
// nothing else, whatever the first one left.
import { describe, expect, it } from 'vitest';
import type { SimulatedClock } from '../../lib/foundation/clock.ts';
import type { BlockId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { scanIndex } from '../../lib/verify/index-scan.ts';
import { listFindings } from '../../lib/verify/keep-findings.ts';
import { sampleBlocks } from '../../lib/verify/sample.ts';
import { scrub } from '../../lib/verify/scrub.ts';
import { inspectTrash } from '../../lib/verify/trash.ts';
import { listDamage } from '../../lib/volume/rows/damage.ts';
import { SMALL } from '../compaction/acting-world.ts';
import { crashEverywhere, Model } from '../store/crash.ts';
import { type Process, World } from '../store/harness.ts';
import { flipped, type PlantedPlace, placesIn, replace } from '../volume/planted.ts';

const SEED = 21;
const DRIVES = 7;

/** Warm and hot volumes, one in trash, and one chunk of a warm one that is not what was written. */
async function made(): Promise<{ world: World; model: Model; wrong: PlantedPlace }> {
  const world = new World(SEED, { ...SMALL, trashGraceMs: 1_000_000 }, DRIVES);
  const model = new Model();
  const p = world.start();
  const random = new SeededRandomness(SEED);
  const files = new Map(Array.from({ length: 16 }, (_, i) => [`f/${i}`, random.bytes(random.below(1800) + 1)]));
  const items = [...files].map(([key, body]) => ({ namespace: 'default', key, body }));
  for await (const outcome of p.frontend.putAll(items))
    if (outcome.ok) model.put(outcome.key, files.get(outcome.key) as Uint8Array);
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  await collectGarbage(p.components);
  const body = random.bytes(900);
  for await (const outcome of p.frontend.putAll([{ namespace: 'default', key: 'late', body }]))
    if (outcome.ok) model.put('late', body);
  const chunks = (await placesIn(world)).filter(({ volume, part }) => volume.class === 'warm' && part !== 'pack');
  const wrong = chunks[2] as PlantedPlace;
  await replace(world, wrong, flipped(wrong.bytes, wrong.bytes.length - 1, 2));
  return { world, model, wrong };
}

const options = () => ({ findings: new Findings(), away: new Set<number>() });
const scrubAll = (p: Process) => scrub(p.volumes, { ...options(), allSinceMs: p.components.clock.nowMs() });
const readBlock = (p: Process) => (id: BlockId) => p.frontend.readBlock(id);

const VERIFIERS: Record<string, (p: Process) => Promise<unknown>> = {
  scrubber: scrubAll,
  'index scanner': (p) => scanIndex(p.volumes, options()),
  'storage watcher': (p) => sampleBlocks(p.components, readBlock(p), { ...options(), isAll: true }),
  'trash inspector': (p) => inspectTrash(p.volumes, options()),
};

describe.each(Object.keys(VERIFIERS))('a death at every port call of the %s', (name) => {
  it('leaves a store in which the next pass finds what is wrong, and nothing else', async () => {
    const { wrong } = await made();
    const { runs, calls } = await crashEverywhere({
      prepare: made,
      act: async (p) => {
        await VERIFIERS[name]?.(p);
      },
      isDamaged: true,
      // biome-ignore lint/suspicious/noThenProperty: it is no promise, and nobody awaits it
      then: async (p) => {
        // A pass over all leaves out what was begun in the same millisecond, even if a drive gave no listing then.
        (p.components.clock as SimulatedClock).advance(1);
        for (const verify of Object.values(VERIFIERS)) await verify(p);
        expect(await listDamage(p.components)).toEqual([
          expect.objectContaining({ volume: wrong.volume.id, column: wrong.column, part: wrong.part }),
        ]);
        for (const verifier of ['index', 'sample', 'trash'] as const)
          expect(await listFindings(p.components, verifier)).toEqual([]);
      },
    });
    expect(runs).toBe(calls * 3);
    expect(calls).toBeGreaterThan(5);
  });
});
