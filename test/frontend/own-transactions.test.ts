// The index transactions of one batch check one row: where that would make them refuse each other, they go one after the other; elsewhere
// they are sent together and share a commit.
import { describe, expect, it } from 'vitest';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { TINY, World } from '../store/harness.ts';

class CountingPanda extends MemoryPanda {
  busy = 0;
  underWayMax = 0;
  #underWay = 0;

  override async transact(writes: readonly Write[]): Promise<void> {
    this.#underWay += 1;
    this.underWayMax = Math.max(this.underWayMax, this.#underWay);
    try {
      // Longer than a turn, so that whatever is sent together meets.
      await Promise.all([super.transact(writes), new Promise((resolve) => setImmediate(resolve))]);
    } catch (error) {
      this.busy += 1;
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }
}

async function putAll(panda: CountingPanda): Promise<void> {
  const { frontend } = new World(4, { ...TINY, bucketBytes: 60 * 1024 }, 20, panda).start();
  const items = Array.from({ length: 400 }, (_, i) => ({
    namespace: 'n',
    key: `k${i}`,
    body: Buffer.from(`body ${i}`),
  }));
  for await (const outcome of frontend.putAll(items)) expect(outcome.ok).toBe(true);
}

describe('the transactions of a batch', () => {
  it('never refuse each other', async () => {
    const panda = new CountingPanda();
    await putAll(panda);
    expect(panda.busy).toBe(0);
  });

  it('are sent together where they do not', async () => {
    const panda = new CountingPanda({ isSerial: true });
    await putAll(panda);
    expect(panda.underWayMax).toBeGreaterThan(4);
  });
});
