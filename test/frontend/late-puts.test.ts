// A put whose first request is lost, and done when nobody thinks of it any more: whoever is told that his object is there may delete it, and it stays deleted.
import { expect, it } from 'vitest';
import { unknownOutcome } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, ReadOptions, Row, Write } from '../../lib/panda/panda.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

/**
 * The first transaction that puts the name `late` answers nothing, and is done when told: unless the same array was done meanwhile, which is the same request
 * (of two writes and more: a single one has no token).
 */
class LatePanda extends MemoryPanda {
  isArmed = false;
  /** A cheap look finds no such name. */
  isStale = false;
  late: readonly Write[] | undefined;
  readonly #done = new Set<readonly Write[]>();

  override async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    const rows = await super.getMany(keys);
    const isOld = this.isStale && options?.consistency === 'eventual';
    return isOld ? rows.map((row) => (row?.sort === 'late' ? undefined : row)) : rows;
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    if (this.isArmed && this.late === undefined && writes.some(({ kind, sort }) => kind === 'put' && sort === 'late')) {
      this.late = writes;
      throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
    }
    if (this.#done.has(writes)) return;
    await super.transact(writes);
    if (writes.length > 1) this.#done.add(writes);
  }

  async comes(): Promise<void> {
    await this.transact(this.late as readonly Write[]).catch(() => undefined);
  }
}

const bodyOf = (seed: number, bytes = 900): Uint8Array => new SeededRandomness(seed).bytes(bytes);

async function begun(seed: number): Promise<{ panda: LatePanda; world: World }> {
  const panda = new LatePanda();
  const world = new World(seed, TINY, 20, panda);
  const { frontend } = world.start();
  await frontend.put({ namespace: 'default', key: 'same', body: bodyOf(seed) });
  await frontend.put({ namespace: 'default', key: 'late', body: bodyOf(seed + 1) });
  panda.isArmed = true;
  return { panda, world };
}

it('what was asked by an old look, got lost and was refused when it was asked again is not done otherwise: it could still come', async () => {
  const { panda, world } = await begun(11);
  panda.isStale = true;
  const { frontend } = world.start();
  const put = frontend.put({ namespace: 'default', key: 'late', body: bodyOf(11) });
  await expect(put).rejects.toMatchObject({ kind: 'unknown', code: 'PANDA_UNKNOWN' });
  expect(panda.late?.map(({ kind }) => kind)).toEqual(['update', 'put']);
  expect(Buffer.compare(await frontend.read('default', 'late', 1e6), bodyOf(12))).toBe(0);
  await frontend.delete('default', 'late');
  await panda.comes(); // nobody was told that it would not
  expect(Buffer.compare(await frontend.read('default', 'late', 1e6), bodyOf(11))).toBe(0);
  await expectSound(world.start());
});

it('an object without blocks, too, is put once', async () => {
  const { panda, world } = await begun(13);
  const { frontend } = world.start();
  await frontend.delete('default', 'late');
  await frontend.put({ namespace: 'default', key: 'late', body: new Uint8Array() });
  expect(panda.late).toHaveLength(2);
  await frontend.delete('default', 'late');
  await panda.comes();
  await expect(frontend.head('default', 'late')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
});

it('beside new blocks it is done otherwise once the group is settled: then it cannot come any more', async () => {
  const { panda, world } = await begun(17);
  panda.isStale = true;
  const { frontend } = world.start();
  const items = [
    { namespace: 'default', key: 'late', body: bodyOf(17) },
    { namespace: 'default', key: 'new', body: bodyOf(19) },
  ];
  for await (const outcome of frontend.putAll(items))
    expect('error' in outcome ? outcome.error : undefined).toBeUndefined();
  // COMMIT of the group, the two blocks and the two objects, in one.
  expect(panda.late?.map(({ kind }) => kind)).toEqual(['update', 'put', 'update', 'update', 'put', 'put', 'put']);
  expect(Buffer.compare(await frontend.read('default', 'late', 1e6), bodyOf(17))).toBe(0);
  for (const key of ['late', 'new']) await frontend.delete('default', key);
  await panda.comes();
  for (const key of ['late', 'new'])
    await expect(frontend.head('default', key)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  await expectSound(world.start());
});
