// One large delete on memory drives is compacted away by moving what lives at most once. The long test has the figure itself, and waves.
import { describe, expect, it } from 'vitest';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { SMALL } from './acting-world.ts';
import { Churn } from './churn.ts';

const FILES = { files: 700, bytesMin: 512, bytesMax: 1024, seed: 5 };

function start(seed: number) {
  const p = new World(seed, SMALL, 6).start();
  return {
    p,
    churn: new Churn({ ...p, components: p.components, queue: new MemoryStream(p.components.clock) }, FILES),
  };
}

describe('one large delete at random', () => {
  it('75 %: what lives is moved at most once, into as few volumes as hold it', async () => {
    const { p, churn } = start(3);
    await churn.put(FILES.files);
    const done = await churn.oneShot(0.75);
    expect(done.volumesBefore).toBeGreaterThanOrEqual(5);
    expect(done.liveBytes / done.capacityBytes).toBeLessThan(0.3);
    const least = Math.ceil((done.liveBytes * done.volumesBefore) / done.capacityBytes);
    expect(done.volumes + done.openVolumes).toBeLessThanOrEqual(least + 1);
    expect(done.movedBytes).toBeLessThanOrEqual(done.liveBytes);
    expect(await churn.differing()).toEqual([]);
    await expectSound(p);
  });
});
