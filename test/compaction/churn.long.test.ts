// Churn in the shape of the default preset, every byte setting 64 times smaller: one large delete (restic has 1.010 and 1.00, Kopia 1.006 and
// 1.01), and waves held at a target.
import { expect, it } from 'vitest';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { CHURNED, Churn } from './churn.ts';

const KIB = 1024;

const FILES = { files: 2_400, bytesMin: 4 * KIB, bytesMax: 64 * KIB, seed: 5 };

const WORLDS = [1, 2, 3, 4, 5];

function start(seed: number) {
  const p = new World(seed, CHURNED, 20).start();
  return {
    p,
    churn: new Churn({ ...p, components: p.components, queue: new MemoryStream(p.components.clock) }, FILES),
  };
}

// Two sealed volumes are left, and the last group of one may have one long record and little room: its other columns are padded. That
// is 0.5 % of the bytes as a rule and up to 1.3 %, by the order in which concurrent puts arrive; so it is held over several stores.
it('75 % deleted at random: stored overhead of sealed volumes 1.01 in the mean of stores, what lives moved at most once', async () => {
  let sum = 0;
  for (const seed of WORLDS) {
    const { p, churn } = start(seed);
    await churn.put(FILES.files);
    const done = await churn.oneShot(0.75);
    const shown = `world ${seed}: ${done.storedBesideDirectories}`;
    console.log(shown);
    expect(done.liveBytes / done.capacityBytes).toBeLessThan(0.3);
    expect(done.volumes).toBeGreaterThanOrEqual(2);
    expect(done.movedBytes).toBeLessThanOrEqual(done.liveBytes);
    expect(done.storedBesideDirectories, shown).toBeLessThanOrEqual(1.015);
    expect(done.storedOverhead, shown).toBeLessThanOrEqual(1.02);
    expect(done.allocatedOverhead, shown).toBeLessThanOrEqual(1.065);
    sum += done.storedBesideDirectories;
    expect(await churn.differing()).toEqual([]);
    await expectSound(p);
  }
  expect(sum / WORLDS.length).toBeLessThanOrEqual(1.01);
}, 300_000);

it('four waves of 20 % held at 1.15', async () => {
  const { p, churn } = start(4);
  await churn.put(FILES.files);
  for (let i = 0; i < 4; i++) {
    const wave = await churn.wave(0.2, 1.15);
    expect(wave.before).toBeGreaterThan(1.15);
    expect(wave.after).toBeLessThanOrEqual(1.2);
  }
  expect(await churn.differing()).toEqual([]);
  await expectSound(p);
}, 300_000);
