// Contention is an answer for the objects that met it: never the end of a whole put.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { Panda, Write } from '../../lib/panda/panda.ts';
import { recoverPending } from '../../lib/volume/open/recover.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const NAMESPACE = 'default';

/** Somebody else is always first wherever this row is written: the lease is found broken. */
function brokenAt(panda: Panda, isHit: (write: Write) => boolean): Panda {
  return new Proxy(panda, {
    get(target, name) {
      if (name === 'transact')
        return async (writes: readonly Write[]): Promise<void> => {
          if (writes.some(isHit)) throw new PandaConflict([0]);
          await target.transact(writes);
        };
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('settling a group', () => {
  it('of a volume that others took, settled and freed is a lost lease; under its own token a missing row is damage', async () => {
    const world = new World(3, TINY);
    const { components, frontend } = world.start();
    await frontend.put({ namespace: NAMESPACE, key: 'x', body: Buffer.from('x') });
    const [volume] = await listVolumes(components.panda, components.settings.cell);
    if (volume === undefined) throw new Error('a put makes a volume');
    const pending = { ...volume, pendingSeq: 99 };
    const before = recoverPending(components, pending, volume.token - 1, true);
    await expect(before).rejects.toMatchObject({ kind: 'conflict', code: 'LEASE_LOST' });
    const now = recoverPending(components, pending, volume.token, true);
    await expect(now).rejects.toMatchObject({ kind: 'corrupt', code: 'GROUP_ROW_MISSING' });
  });
});

describe('a lease that is broken again and again', () => {
  it('is CONTENDED for the objects it keeps from being written, and no harm to the others of the batch', async () => {
    const world = new World(1, TINY);
    const p = world.start({
      panda: brokenAt(world.panda, ({ partition, sort }) => partition.startsWith('object/') && sort.endsWith('k-59')),
    });
    const random = new SeededRandomness(1);
    const items = Array.from({ length: 60 }, (_, i) => ({
      namespace: NAMESPACE,
      key: `k-${i}`,
      body: random.bytes(20),
    }));
    const failed: string[] = [];
    let stored = 0;
    for await (const outcome of p.frontend.putAll(items))
      if (outcome.ok) stored += 1;
      else {
        expect(outcome.error).toMatchObject({ kind: 'conflict', code: 'CONTENDED' });
        failed.push(outcome.key);
      }
    expect(failed).toContain('k-59');
    expect(stored).toBeGreaterThanOrEqual(30);
    const later = world.start({ othersDead: true });
    for (const { key, body } of items.slice(0, 30))
      expect(Buffer.compare(await later.frontend.read(NAMESPACE, key, 100), body)).toBe(0);
    await later.volumes.open.recoverIdle();
    await expectSound(later);
  });

  it('is CONTENDED for a long object, whose upload is given up', async () => {
    const world = new World(2, TINY);
    const p = world.start({ panda: brokenAt(world.panda, ({ partition }) => partition.startsWith('segment/')) });
    const outcomes = await Array.fromAsync(
      p.frontend.putAll([
        { namespace: NAMESPACE, key: 'long', body: new SeededRandomness(2).bytes(60_000) },
        { namespace: NAMESPACE, key: 'short', body: Buffer.from('x') },
      ]),
    );
    const byKey = new Map(outcomes.map((outcome) => [outcome.key, outcome]));
    expect(byKey.get('long')).toMatchObject({ ok: false, error: { kind: 'conflict', code: 'CONTENDED' } });
    expect(byKey.get('short')).toMatchObject({ ok: true });
    const later = world.start({ othersDead: true });
    await later.volumes.open.recoverIdle();
    await later.frontend.finishReleases();
    await expectSound(later);
  });
});
