// A batch that cannot be stored as it was begun is stored anew, so often and no more; what it held is given back once, however it ended.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { Frontend } from '../../../lib/frontend/frontend.ts';
import { blockIdOf } from '../../../lib/keys/envelope.ts';
import { MemoryKekStore } from '../../../lib/keys/memory-kek-store.ts';
import { sealHere } from '../../../lib/keys/sealer.ts';
import { BATCH_ATTEMPTS_MAX, PUT_AHEAD_BYTES_MAX } from '../../../lib/limits/frontend.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { kekKey } from '../../../lib/panda/rows/kek-row.ts';
import { retiringKek } from '../../../lib/panda/rows/retiring-kek-row.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { TINY, World } from '../../store/harness.ts';
import { MeddledPanda } from '../../store/meddled-panda.ts';
import { expectSound } from '../../store/recount.ts';

const NS = 'n';
const bytes = (count: number, seed = 1): Uint8Array => new SeededRandomness(seed).bytes(count);

class GroupsPanda extends MeddledPanda {
  groups = 0;

  override async transact(writes: readonly Write[]): Promise<void> {
    await super.transact(writes);
    if (writes.some(({ kind, partition }) => kind === 'put' && partition.startsWith('group/'))) this.groups += 1;
  }
}

function store(settings = TINY) {
  const panda = new GroupsPanda();
  const world = new World(12, settings, 20, panda);
  const first = world.start().components;
  const keks = new MemoryKekStore({ clock: first.clock, randomness: new SeededRandomness(3) });
  const sealed = { out: 0, released: 0 };
  const sealer = {
    seal: async (...args: Parameters<typeof sealHere.seal>) => {
      const blocks = await sealHere.seal(...args);
      sealed.out += blocks.length;
      return blocks;
    },
    release: (blocks: readonly unknown[]) => {
      sealed.released += blocks.length;
    },
  };
  const volumes = new VolumeStore({ ...first, keks, sealer } as typeof first);
  let freed = 0;
  const put = (key: string, body: Uint8Array) => {
    const free = () => {
      freed += 1;
    };
    const whole = async () => ({ bytes: body.slice(), sha256: blockIdOf(body), free });
    return new Frontend(volumes).put({ namespace: NS, key, body, whole });
  };
  return { panda, world, keks, volumes, sealed, put, freed: () => freed };
}

describe('a batch', () => {
  it('whose key is about to be destroyed is sealed under the next one, which is looked for so often', async () => {
    const { panda, keks, put, sealed, freed } = store();
    await put('a', bytes(50));
    await panda.transact([retiringKek(1)]);
    sealed.out = 0;
    await expect(put('b', bytes(50, 2))).rejects.toMatchObject({ code: 'KEK_RETIRING' });
    expect([sealed.out, freed()]).toEqual([BATCH_ATTEMPTS_MAX, 2]);
    await keks.rotate();
    expect(await put('b', bytes(50, 2))).toMatchObject({ ok: true });
  });

  it('whose lease is broken is stored anew, so often', async () => {
    for (const times of [1, BATCH_ATTEMPTS_MAX, BATCH_ATTEMPTS_MAX + 1]) {
      const { panda, world, put, sealed, freed } = store();
      let refused = 0;
      panda.before = async (writes) => {
        if (!writes.some(({ partition, sort }) => partition.startsWith('object/') && sort === 'a')) return;
        if (writes.some(({ kind, partition }) => kind === 'put' && partition.startsWith('group/')))
          throw new PandaConflict([writes.length - 1]);
        if (refused++ < times) throw new PandaConflict([0]);
      };
      const done = put('a', bytes(50));
      if (times > BATCH_ATTEMPTS_MAX) await expect(done).rejects.toMatchObject({ kind: 'conflict', code: 'CONTENDED' });
      else expect(await done).toMatchObject({ ok: true });
      expect([panda.groups, freed()]).toEqual([Math.min(times, BATCH_ATTEMPTS_MAX) + 1, 1]);
      expect(sealed.released).toBe(sealed.out);
      panda.before = undefined;
      const next = world.start({ othersDead: true });
      await next.volumes.open.recoverIdle();
      await expectSound(next);
    }
  });

  it('that fails gives back what it held, and so does one of known blocks alone', async () => {
    const { panda, put, sealed, freed } = store();
    panda.before = async (writes) => {
      if (writes.some(({ partition }) => partition.startsWith('group/'))) throw retryLater('PANDA_FULL', 'full');
    };
    await expect(put('a', bytes(50))).rejects.toMatchObject({ kind: 'retry' });
    panda.before = undefined;
    expect(freed()).toBe(1);
    expect(sealed.released).toBe(sealed.out);
    await put('a', bytes(50));
    const { out } = sealed;
    expect(await put('b', bytes(50))).toMatchObject({ newBytes: 0, dedupedBlocks: 1 });
    expect([sealed.out, freed()]).toEqual([out, 3]);
  });

  it('of known blocks alone is not acknowledged by keys that are not those of the store', async () => {
    const { panda, put } = store();
    await put('a', bytes(50));
    const row = await panda.get(kekKey(1));
    await panda.transact([{ kind: 'put', ...kekKey(2), attributes: row?.attributes ?? {} }]);
    await expect(put('b', bytes(50))).rejects.toMatchObject({ kind: 'denied', code: 'KEYS_BEHIND' });
  });
});

it('bodies are read ahead as long as there is memory for it', async () => {
  const KIB = 1024;
  const block = 256 * KIB;
  const settings = { ...TINY, blockBytesMax: block, bucketBytes: 32 * KIB * KIB, extentBytes: 128 * KIB * KIB };
  const { volumes } = store(settings);
  const piece = new Uint8Array(block);
  let pieces = 0;
  let release = (): void => {};
  const first = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* body(i: number): AsyncGenerator<Uint8Array> {
    if (i === 0) await first;
    for (let n = 0; n < 20; n++) {
      pieces += 1;
      yield piece;
    }
  }
  const items = Array.from({ length: 8 }, (_, i) => ({ namespace: NS, key: `k${i}`, body: body(i) }));
  const outcomes = Array.fromAsync(new Frontend(volumes).putAll(items));
  // Until no more comes: blocks are hashed by other threads.
  for (let known = 0, same = 0; known === 0 || same < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    same = known === pieces ? same + 1 : 0;
    known = pieces;
  }
  const most = PUT_AHEAD_BYTES_MAX / block;
  // Each of the others may have one block more under way.
  expect(pieces).toBeGreaterThan(most);
  expect(pieces).toBeLessThanOrEqual(most + 2 * 7);
  release();
  expect((await outcomes).map(({ ok }) => ok)).toEqual(items.map(() => true));
});

it('bodies that say how long they are have room for a block before they are read', async () => {
  const MIB = 1024 * 1024;
  const block = PUT_AHEAD_BYTES_MAX / 2;
  const { volumes } = store({ ...TINY, blockBytesMax: block, bucketBytes: 32 * MIB, extentBytes: 128 * MIB });
  const first = Promise.withResolvers<void>();
  let read = 0;
  async function* body(i: number): AsyncGenerator<Uint8Array> {
    if (i === 0) await first.promise;
    read += 1;
    yield new Uint8Array(block);
  }
  const items = Array.from({ length: 8 }, (_, i) => {
    return { namespace: NS, key: `k${i}`, body: body(i), sizeBytes: i % 2 === 0 ? block : Number.MAX_SAFE_INTEGER };
  });
  const outcomes = Array.fromAsync(new Frontend(volumes).putAll(items));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(read).toBe(1);
  first.resolve();
  expect((await outcomes).map(({ ok }) => ok)).toEqual(items.map(() => true));
});

it('what was put counts no more as read ahead', async () => {
  const KIB = 1024;
  const block = 256 * KIB;
  const settings = { ...TINY, blockBytesMax: block, bucketBytes: 32 * KIB * KIB, extentBytes: 128 * KIB * KIB };
  const { volumes } = store(settings);
  const piece = new Uint8Array(block);
  const blocks = PUT_AHEAD_BYTES_MAX / block / 2 + 1;
  let pieces = 0;
  async function* body(first?: Promise<void>): AsyncGenerator<Uint8Array> {
    await first;
    for (let n = 0; n < blocks; n++) {
      if (first === undefined) pieces += 1;
      yield piece;
    }
  }
  const before = Promise.withResolvers<void>();
  const stands = Promise.withResolvers<void>();
  async function* items() {
    for (const key of ['a', 'b']) yield { namespace: NS, key, body: body() };
    // A name that is there already sends what was gathered on its way.
    yield { namespace: NS, key: 'a', body: new Uint8Array(1) };
    await before.promise;
    yield { namespace: NS, key: 'stands', body: body(stands.promise) };
    yield { namespace: NS, key: 'next', body: body() };
  }
  const keys: string[] = [];
  let read = 0;
  for await (const { key, ok } of new Frontend(volumes).putAll(items())) {
    expect(ok).toBe(true);
    keys.push(key);
    if (keys.length !== 2) continue;
    pieces = 0;
    before.resolve();
    for (let i = 0; i < 500 && pieces < blocks; i++) await new Promise((resolve) => setTimeout(resolve, 2));
    read = pieces;
    stands.resolve();
  }
  expect(read).toBe(blocks);
  expect(keys.sort()).toEqual(['a', 'a', 'b', 'next', 'stands']);
});
