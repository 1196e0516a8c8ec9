// A put looks first with eventually consistent reads: what it sees wrongly costs a dead slot or another try, and changes no answer.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, ReadOptions, Row } from '../../lib/panda/panda.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const NAMESPACE = 'default';

/** Eventually consistent reads see the store as it was at `freeze`, and are counted. */
class FrozenViewPanda extends MemoryPanda {
  eventual = 0;
  strong = 0;
  #view: MemoryPanda | undefined;

  freeze(): void {
    this.#view = this.clone();
  }

  override getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    const isEventual = options?.consistency === 'eventual';
    if (isEventual) this.eventual += 1;
    else this.strong += 1;
    return isEventual && this.#view !== undefined ? this.#view.getMany(keys) : super.getMany(keys);
  }
}

function frozen(seed: number) {
  const panda = new FrozenViewPanda();
  const world = new World(seed, undefined, 20, panda);
  return { panda, world, p: world.start() };
}

const items = (count: number, salt: string) =>
  Array.from({ length: count }, (_, i) => ({
    namespace: NAMESPACE,
    key: `k${i}`,
    body: Buffer.from(`${salt} ${i}`),
  }));

describe('a put whose first look is out of date', () => {
  it('stores a known block once more, and refers to the known one', async () => {
    const { panda, p } = frozen(1);
    const body = new SeededRandomness(1).bytes(900);
    panda.freeze(); // nothing is there yet
    await p.frontend.put({ namespace: NAMESPACE, key: 'a', body });
    await p.frontend.put({ namespace: NAMESPACE, key: 'b', body });
    await expectSound(p); // references 2, and the slot of the second record dead
    for (const key of ['a', 'b']) expect(Buffer.compare(await p.frontend.read(NAMESPACE, key, 1e4), body)).toBe(0);
  });

  it('stores a block anew that it takes for known and GC has taken away', async () => {
    const { panda, p } = frozen(2);
    const body = new SeededRandomness(2).bytes(900);
    await p.frontend.put({ namespace: NAMESPACE, key: 'a', body });
    panda.freeze();
    await p.frontend.delete(NAMESPACE, 'a');
    await collectGarbage(p.components);
    await p.frontend.put({ namespace: NAMESPACE, key: 'b', body });
    expect(Buffer.compare(await p.frontend.read(NAMESPACE, 'b', 1e4), body)).toBe(0);
    await expectSound(p);
  });

  it('replaces the newest version, and is held to the one it was told', async () => {
    const { panda, p } = frozen(3);
    const first = await p.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('1') });
    panda.freeze();
    const second = await p.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('2') });
    const old = p.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('x'), ifVersion: first.version });
    await expect(old).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
    await p.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('3'), ifVersion: second.version });
    expect(Buffer.from(await p.frontend.read(NAMESPACE, 'a', 10)).toString()).toBe('3');
    await expectSound(p);
  });

  it('makes smaller transactions where more is overwritten than it saw', async () => {
    const { panda, p } = frozen(4);
    panda.freeze();
    for (const salt of ['first', 'second'])
      for await (const outcome of p.frontend.putAll(items(64, salt))) expect(outcome).toMatchObject({ ok: true });
    for (let i = 0; i < 64; i++)
      expect(Buffer.from(await p.frontend.read(NAMESPACE, `k${i}`, 1e3)).toString()).toBe(`second ${i}`);
    await expectSound(p);
  });

  it('reads strongly in no other case than these: a put of new blobs reads nothing strongly, a get always', async () => {
    const { panda, p } = frozen(5);
    for await (const outcome of p.frontend.putAll(items(64, 'new'))) expect(outcome).toMatchObject({ ok: true });
    expect({ eventual: panda.eventual > 0, strong: panda.strong }).toEqual({ eventual: true, strong: 0 });
    panda.eventual = 0;
    await p.frontend.read(NAMESPACE, 'k1', 1e3);
    await p.frontend.delete(NAMESPACE, 'k1');
    await collectGarbage(p.components);
    expect(panda.eventual).toBe(0);
  });
});
