// Large puts, wider: a death at every call, and what their groups and volumes cost at the sizes of `personal`.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { beginPartUpload, finishPartUpload } from '../../lib/frontend/upload-parts.ts';
import { BulkCoder, bulkWriterOf } from '../../lib/live-coder/bulk-coder.ts';
import { bulkSettings } from '../../lib/live-coder/bulk-size.ts';
import { PRESETS, settingsOf } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { crashEverywhere, Model } from '../store/crash.ts';
import { World } from '../store/harness.ts';
import { incompressible, PERSONAL_SCALED } from '../store/sealed-overhead.ts';

const KIB = 1024;
const FEW = settingsOf('demo', {
  ...{ preset: 'custom', blockBytesMax: KIB, extentBytes: 64 * KIB, bucketBytes: 4 * KIB, slotsPerBucketMax: 256 },
  ...{ groupBytesMin: 8 * KIB, openVolumes: 2, warmCodec: 'xor-2-1' },
});
/** Groups of bulk puts of `personal`, of records up to so long, scaled alike. */
const scaled = (longestBytes: number) => ({
  ...PERSONAL_SCALED,
  groupBytesMin: bulkSettings(PRESETS.personal, longestBytes * 64).groupBytesMin / 64,
});
const CODE = 9 / 6;

describe('a large put', () => {
  it('dies at every call of it: what was acknowledged stays, and nothing half', async () => {
    const report = await crashEverywhere({
      prepare: async () => ({ world: new World(18, FEW), model: new Model() }),
      act: async (p, model) => {
        const bodies = new Map<string, Uint8Array>();
        for (let i = 0; i < 26; i++) bodies.set(`f${i}`, incompressible(900, i));
        for (let i = 0; i < 3; i++) bodies.set(`long${i}`, incompressible(5 * KIB, 500 + i));
        for (const [key, body] of bodies) model.begin(key, body);
        const items = [...bodies].map(([key, body]) => ({ namespace: 'default', key, body }));
        for await (const outcome of new Frontend(p.volumes, undefined, bulkWriterOf(p.volumes)).putAll(items))
          if (outcome.ok) model.put(outcome.key, bodies.get(outcome.key) as Uint8Array);
      },
    });
    expect(report.calls).toBeGreaterThan(50);
  });

  it('of a long object in several calls dies at every call of it: it is there whole or not at all', async () => {
    const body = Buffer.from(incompressible(36 * KIB, 77));
    const namespace = 'default';
    const hotVolumes: number[] = [];
    const report = await crashEverywhere({
      prepare: async () => ({ world: new World(20, FEW), model: new Model() }),
      act: async ({ components, volumes }, model) => {
        const frontend = new Frontend(volumes, undefined, new BulkCoder(volumes, FEW.groupBytesMin));
        const upload = await beginPartUpload(components, namespace, 'long');
        model.begin('long', body);
        for (const at of [18 * KIB, 0]) {
          const part = async function* () {
            yield body.subarray(at, at + 18 * KIB);
          };
          const run = { upload, namespace, at, body: part, ownBlocks: false, mayGoOn: () => true };
          expect(await frontend.extendUpload(run)).toBe(18 * KIB);
        }
        await finishPartUpload(volumes, { upload, namespace, key: 'long', sizeBytes: body.byteLength });
        model.put('long', body);
        const stored = await listVolumes(components.panda, components.settings.cell);
        hotVolumes.push(stored.filter(({ class: cls }) => cls === 'hot').length);
      },
    });
    // The first is the one to which nothing happens: where a group could not be stored, it went hot.
    expect(hotVolumes[0]).toBe(0);
    expect(report.calls).toBeGreaterThan(30);
  });

  it.each([
    ['of long files', 64 * KIB, 1.06, () => 160 * KIB],
    ['of files of one to sixty KiB', 64 * KIB, 1.06, (random: SeededRandomness) => (1 + random.below(60)) * KIB],
    ['of small and long files', 64 * KIB, 1.06, (random: SeededRandomness) => (random.below(10) === 0 ? 200 : 2) * KIB],
    // At this scale headers and directories of such short ones are 5 % by themselves.
    ['of short files', 4 * KIB, 1.08, (random: SeededRandomness) => 1 * KIB + random.below(3 * KIB)],
  ])('%s is stored in level groups, and fills its volumes', async (_, longestBytes, storedMost, nextBytes) => {
    const settings = scaled(longestBytes);
    const process = new World(19, settings).start({ isBulk: true });
    const random = new SeededRandomness(19);
    let logical = 0;
    function* items() {
      for (let i = 0; logical < 40e6; i++) {
        const body = incompressible(nextBytes(random), i);
        logical += body.length;
        yield { namespace: 'default', key: `f${i}`, body };
      }
    }
    for await (const outcome of process.frontend.putAll(items())) if (!outcome.ok) throw outcome.error;
    const volumes = await listVolumes(process.components.panda, process.components.settings.cell);
    const used = (of: typeof volumes) =>
      of.flatMap(({ extentUsedBytes }) => extentUsedBytes).reduce((sum, bytes) => sum + bytes, 0);
    expect(volumes.filter(({ class: cls }) => cls === 'hot')).toEqual([]);
    const sealed = volumes.filter(({ state }) => state === 'sealed');
    const figures = [used(volumes) / logical / CODE, used(sealed) / (sealed.length * 9 * settings.extentBytes)];
    expect(sealed.length).toBeGreaterThan(2);
    expect(figures[0]).toBeLessThan(storedMost);
    expect(figures[1]).toBeGreaterThan(0.85);
  });
});
