// A request of many objects is many appends. A function that holds every volume there is with them leaves none to the others, which give up
// after ten seconds. One process takes no more of them than the store begins with, whatever waits in it.
import { describe, expect, it } from 'vitest';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { PutOutcome } from '../../lib/frontend/frontend.ts';
import type { Panda, Write } from '../../lib/panda/panda.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const REQUESTS = 8;
const OBJECTS = 256;
const PUT_TURNS = 120;

/** The most volumes that each process had under lease at once. */
function leasesSeen(panda: Panda, most: Map<string, number>): Panda {
  return new Proxy(panda, {
    get(target, name) {
      if (name === 'transact')
        return async (writes: readonly Write[]): Promise<void> => {
          await target.transact(writes);
          if (!writes.some(({ kind, partition }) => kind === 'update' && partition.startsWith('volume/'))) return;
          const held = new Map<string, number>();
          for (const { owner } of await listVolumes(target, TINY.cell))
            if (owner !== undefined) held.set(owner, (held.get(owner) ?? 0) + 1);
          for (const [owner, count] of held) most.set(owner, Math.max(count, most.get(owner) ?? 0));
        };
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** S3 takes a while for an object, in which others meet the lease under which it is written. */
const slowDrives = (): MemoryDrive[] =>
  Array.from({ length: 20 }, (_, i) => {
    const drive = new MemoryDrive(`drive-${i}`);
    return new Proxy(drive, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        const bound = value.bind(target) as (...args: unknown[]) => unknown;
        if (name !== 'append') return bound;
        return async (...args: unknown[]): Promise<unknown> => {
          for (let turn = 0; turn < PUT_TURNS; turn++) await undefined;
          return bound(...args);
        };
      },
    });
  });

const putOne = (world: World, key: string): Promise<unknown> =>
  world.start().frontend.put({ namespace: 'default', key, body: Buffer.from(key) });

describe('requests of 256 objects', () => {
  it('share the open volumes: none holds more than its part, and none is told that all are busy', async () => {
    const world = new World(14, TINY, slowDrives());
    const most = new Map<string, number>();
    // Two volumes are there, which all of them want first.
    await Promise.all([1, 2].map((i) => putOne(world, `first-${i}`)));
    const put = async (request: number): Promise<PutOutcome[]> => {
      const p = world.start({ panda: leasesSeen(world.panda, most) });
      const random = new SeededRandomness(request);
      const items = Array.from({ length: OBJECTS }, (_, i) => ({
        namespace: 'default',
        key: `r${request}-${i}`,
        body: random.bytes(900),
      }));
      const outcomes: PutOutcome[] = [];
      for await (const outcome of p.frontend.putAll(items)) outcomes.push(outcome);
      return outcomes;
    };
    const outcomes = (await Promise.all(Array.from({ length: REQUESTS }, (_, request) => put(request)))).flat();
    expect(outcomes.filter(({ ok }) => !ok).length).toBe(0);
    expect(outcomes).toHaveLength(REQUESTS * OBJECTS);
    expect(most.size).toBe(REQUESTS);
    expect(Math.max(...most.values())).toBeLessThanOrEqual(TINY.openVolumes);
    await expectSound(world.start());
  });
});
