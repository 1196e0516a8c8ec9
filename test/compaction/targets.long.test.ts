// A store of forty volumes that waves of deletes keep above its target: each is compacted down to the target, and less
// than a volume's worth below it.
import { expect, it } from 'vitest';
import { capacityBytes } from '../../lib/settings/settings.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { World } from '../store/harness.ts';
import { CHURNED, Churn } from './churn.ts';

const KIB = 1024;
const FILES = { files: 7_000, bytesMin: 4 * KIB, bytesMax: 64 * KIB, seed: 5 };
const CAPACITY = capacityBytes(CHURNED, CHURNED.warmCodec);

it.each([1.15, 1.25])(
  'waves of a fifth end within a volume of %d',
  async (target) => {
    const p = new World(4, CHURNED, 20).start();
    const churn = new Churn({ ...p, components: p.components, queue: new MemoryStream(p.components.clock) }, FILES);
    const putBytes = await churn.put(FILES.files);
    expect(putBytes / CAPACITY).toBeGreaterThan(35);
    for (let wave = 0; wave < 4; wave++) {
      const { before, after } = await churn.wave(0.2, target);
      console.log(`held at ${target}: ${before.toFixed(3)} -> ${after.toFixed(3)}`);
      if (before <= target) continue;
      expect(after).toBeLessThanOrEqual(target);
      expect(after).toBeGreaterThan(target - CAPACITY / putBytes);
    }
  },
  600_000,
);
