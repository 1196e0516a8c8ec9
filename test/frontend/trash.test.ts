// Undelete: what was deleted or overwritten comes back within the grace, or whoever asks is told what is gone of it.
import { describe, expect, it } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { emptyTrash, shredStore } from '../../lib/engine/upkeep/tend.ts';
import { HOUR_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { expireRemoved } from '../../lib/gc/expire-removed.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { SMALL } from '../compaction/acting-world.ts';
import { crashEverywhere, Model } from '../store/crash.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const GRACE_MS = 24 * HOUR_MS;
const SETTINGS = { ...TINY, deleteGraceMs: GRACE_MS };
const NS = 'default';
const random = new SeededRandomness(21);
const bytes = (count: number): Uint8Array => random.bytes(count);

const put = (p: Process, key: string, body: Uint8Array) => p.frontend.put({ namespace: NS, key, body });
const read = (p: Process, key: string) => p.frontend.read(NS, key, 1e7);
const restore = (p: Process, key: string, options: { version?: string; as?: string; overwrite?: boolean } = {}) =>
  p.frontend.restore({ namespace: NS, key, ...options });
async function trashOf(p: Process, prefix?: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { object, isOverwritten } of p.frontend.removed({ namespace: NS, prefix }))
    names.push(`${isOverwritten ? 'o' : 'd'} ${object.key}`);
  return names;
}
async function rowsLeft(p: Process): Promise<string[]> {
  const names: string[] = [];
  for await (const page of p.components.panda.scan())
    for (const { partition } of page) if (partition.startsWith('removed')) names.push(partition);
  return names;
}

/** Something happens right before the first transaction that `is` says. */
class MeanwhilePanda extends MemoryPanda {
  meanwhile: { readonly is: (writes: readonly Write[]) => boolean; readonly what: () => Promise<unknown> } | undefined;

  override async transact(writes: readonly Write[]): Promise<void> {
    const { meanwhile } = this;
    if (meanwhile?.is(writes)) {
      this.meanwhile = undefined;
      await meanwhile.what();
    }
    await super.transact(writes);
  }
}
const putsObject = (writes: readonly Write[]): boolean =>
  writes.some(({ kind, partition }) => kind === 'put' && partition.startsWith('object/'));

const forgetsRemoved = (writes: readonly Write[]): boolean =>
  writes.some(({ kind, partition }) => kind === 'delete' && partition.startsWith('removed/'));

describe('within the grace', () => {
  it('a deleted object comes back as it was, others of its transaction stay where they are', async () => {
    const p = new World(1, SETTINGS).start();
    const bodies = [bytes(900), bytes(2500), new Uint8Array(0)];
    for (const [i, body] of bodies.entries()) await put(p, `f/${i}`, body);
    const before = await p.frontend.head(NS, 'f/1');
    for await (const { ok } of p.frontend.deleteAll([0, 1, 2].map((i) => ({ namespace: NS, key: `f/${i}` }))))
      expect(ok).toBe(true);
    expect(await trashOf(p)).toEqual(['d f/0', 'd f/1', 'd f/2']);
    expect((await rowsLeft(p)).filter((name) => name.startsWith('removed/'))).toHaveLength(1);
    await restore(p, 'f/1');
    const { version: _, isNamed: __, ...same } = { isNamed: true, ...before };
    expect(await p.frontend.head(NS, 'f/1')).toMatchObject(same);
    expect(Buffer.compare(await read(p, 'f/1'), bodies[1] as Uint8Array)).toBe(0);
    expect(await trashOf(p)).toEqual(['d f/0', 'd f/2']);
    await expect(restore(p, 'f/1')).rejects.toMatchObject({ code: 'NOT_IN_TRASH' });
    await restore(p, 'f/2');
    expect(await trashOf(p, 'f/')).toEqual(['d f/0']);
    expect(await trashOf(p, 'g')).toEqual([]);
    await expectSound(p);
  });

  it('what was overwritten comes back under another name, or over what is there, which can come back then', async () => {
    const world = new World(2, SETTINGS);
    const p = world.start();
    const [first, second, third] = [bytes(900), bytes(900), bytes(900)] as const;
    await put(p, 'a', first);
    const { version } = await p.frontend.head(NS, 'a');
    await put(p, 'a', second);
    await put(p, 'a', second);
    world.clock.advance(1);
    await put(p, 'a', third);
    // The same content put again takes nothing away.
    expect(await trashOf(p)).toEqual(['o a', 'o a']);
    await expect(restore(p, 'a')).rejects.toMatchObject({ kind: 'conflict', code: 'NAME_TAKEN' });
    await restore(p, 'a', { as: 'b' });
    expect(Buffer.compare(await read(p, 'b'), second)).toBe(0);
    await restore(p, 'a', { version, overwrite: true });
    expect(Buffer.compare(await read(p, 'a'), first)).toBe(0);
    expect(await trashOf(p)).toEqual(['o a']);
    await restore(p, 'a', { overwrite: true });
    expect(Buffer.compare(await read(p, 'a'), third)).toBe(0);
    await expectSound(p);
  });

  it.each([80, 30])('an object of %i blocks comes back, and again', async (blocks) => {
    const p = new World(3, SETTINGS).start();
    const body = bytes(blocks * TINY.blockBytesMax + 17);
    await put(p, 'long', body);
    for (let round = 0; round < 2; round++) {
      await p.frontend.delete(NS, 'long');
      await collectGarbage(p.components);
      await restore(p, 'long');
      expect(Buffer.compare(await read(p, 'long'), body)).toBe(0);
      await expectSound(p);
    }
    await put(p, 'long', bytes(40 * TINY.blockBytesMax));
    await restore(p, 'long', { overwrite: true });
    expect(Buffer.compare(await read(p, 'long'), body)).toBe(0);
    await expectSound(p);
  });
});

describe('after the grace', () => {
  it('nothing of them is left, and none can be restored', async () => {
    const world = new World(4, SETTINGS);
    const p = world.start();
    for (const key of ['a', 'b', 'long']) await put(p, key, bytes(key === 'long' ? 80 * 1024 : 900));
    await p.frontend.delete(NS, 'a');
    world.clock.advance(GRACE_MS / 2);
    await p.frontend.delete(NS, 'long');
    await restore(p, 'a');
    await p.frontend.delete(NS, 'a');
    world.clock.advance(GRACE_MS - 1);
    await shredStore(p);
    expect(await trashOf(p)).toEqual(['d long', 'd a']);
    world.clock.advance(1);
    await shredStore(p);
    expect(await rowsLeft(p)).toEqual([]);
    await expect(restore(p, 'long')).rejects.toMatchObject({ kind: 'missing', code: 'NOT_IN_TRASH' });
    await expectSound(p);
  });

  it('one that was removed by a clock that had jumped waits for no longer than the others', async () => {
    const world = new World(5, SETTINGS);
    const p = world.start();
    await put(p, 'a', bytes(900));
    const nowMs = world.clock.nowMs();
    world.clock.nowMs = () => nowMs + 1e12;
    await p.frontend.delete(NS, 'a');
    world.clock.nowMs = () => nowMs;
    await shredStore(p);
    expect(await trashOf(p)).toEqual(['d a']);
    world.clock.nowMs = () => nowMs + GRACE_MS;
    await shredStore(p);
    expect(await rowsLeft(p)).toEqual([]);
  });

  it('rows stay while references are still to be given back', async () => {
    const panda = new MeanwhilePanda();
    const p = new World(6, SETTINGS, 20, panda).start();
    await put(p, 'long', bytes(80 * 1024));
    // Another process takes all away right before the first references are given back.
    const isRelease = (writes: readonly Write[]): boolean =>
      writes.some(({ kind, partition }) => kind === 'update' && partition === 'work/release');
    panda.meanwhile = { is: isRelease, what: () => expireRemoved(p.components, { ignoreGrace: true }) };
    await p.frontend.delete(NS, 'long');
    expect(panda.meanwhile).toBeUndefined();
    expect(await trashOf(p)).toEqual(['d long']);
    await expireRemoved(p.components, { ignoreGrace: true });
    expect(await rowsLeft(p)).toEqual([]);
  });

  it('an emptied trash has nothing left, whatever the grace', async () => {
    const p = new World(7, SETTINGS).start();
    await put(p, 'a', bytes(900));
    await put(p, 'kept', bytes(900));
    await p.frontend.delete(NS, 'a');
    expect(await emptyTrash(p)).toMatchObject({ objects: 1, slots: 1 });
    expect(await rowsLeft(p)).toEqual([]);
    expect((await read(p, 'kept')).length).toBe(900);
    await expectSound(p);
  });
});

describe('beside others', () => {
  it('names the blocks that were shredded, and changes nothing', async () => {
    const panda = new MeanwhilePanda();
    const p = new World(8, SETTINGS, 20, panda).start();
    await put(p, 'a', bytes(900));
    await put(p, 'long', bytes(80 * 1024));
    await p.frontend.delete(NS, 'a');
    await p.frontend.delete(NS, 'long');
    // GC dies when the blocks are gone, and the rows that tell of their objects are not yet.
    const dies = () => Promise.reject(new Error('dead'));
    panda.meanwhile = { is: forgetsRemoved, what: dies };
    await expect(collectGarbage(p.components, { ignoreGrace: true })).rejects.toThrow('dead');
    await expect(restore(p, 'a')).rejects.toMatchObject({ kind: 'missing', code: 'BLOCKS_SHREDDED' });
    await recover(p.volumes, p.frontend);
    expect(await trashOf(p)).toContain('d a');
    await expectSound(p);
    await collectGarbage(p.components, { ignoreGrace: true });
    for (const key of ['a', 'long'])
      await expect(restore(p, key)).rejects.toMatchObject({ kind: 'missing', code: 'NOT_IN_TRASH' });
    expect(await trashOf(p)).toEqual([]);
    await expectSound(p);
  });

  it('GC that is faster with a block wins: there is nothing in the trash then', async () => {
    const panda = new MeanwhilePanda();
    const p = new World(9, SETTINGS, 20, panda).start();
    await put(p, 'a', bytes(900));
    await p.frontend.delete(NS, 'a');
    panda.meanwhile = { is: putsObject, what: () => collectGarbage(p.components, { ignoreGrace: true }) };
    await expect(restore(p, 'a')).rejects.toMatchObject({ kind: 'missing', code: 'NOT_IN_TRASH' });
    await expectSound(p);
  });

  it('a new object of the name that is faster stays', async () => {
    const panda = new MeanwhilePanda();
    const p = new World(10, SETTINGS, 20, panda).start();
    await put(p, 'a', bytes(900));
    await p.frontend.delete(NS, 'a');
    const newer = bytes(700);
    panda.meanwhile = { is: putsObject, what: () => put(p, 'a', newer) };
    await expect(restore(p, 'a')).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    expect(Buffer.compare(await read(p, 'a'), newer)).toBe(0);
    expect(await trashOf(p)).toEqual(['d a']);
    await expectSound(p);
  });

  it('of two that restore the same one only one does', async () => {
    const p = new World(11, SETTINGS).start();
    await put(p, 'a', bytes(900));
    await p.frontend.delete(NS, 'a');
    const done = await Promise.allSettled([restore(p, 'a'), restore(p, 'a', { as: 'b' })]);
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expectSound(p);
  });
});

it('may die at every call of deleting, restoring and forgetting', async () => {
  const settings = { ...SMALL, deleteGraceMs: GRACE_MS };
  const body = bytes(900);
  const long = bytes(3 * SMALL.blockBytesMax);
  const report = await crashEverywhere({
    prepare: async () => {
      const world = new World(12, settings, 6);
      const model = new Model();
      const p = world.start();
      for (const [key, of] of [
        ['a', body],
        ['b', body],
        ['long', long],
      ] as const) {
        await put(p, key, of);
        model.put(key, of);
      }
      return { world, model };
    },
    act: async (p, model) => {
      for (const key of ['a', 'b', 'long']) {
        const was = model.there.get(key) as Uint8Array;
        model.begin(key, undefined);
        await p.frontend.delete(NS, key);
        model.delete(key);
        model.begin(key, was);
        await restore(p, key);
        model.put(key, was);
      }
      await p.frontend.delete(NS, 'b').then(
        () => model.delete('b'),
        (error: unknown) => {
          model.begin('b', undefined);
          throw error;
        },
      );
      await expireRemoved(p.components, { ignoreGrace: true });
    },
    // biome-ignore lint/suspicious/noThenProperty: what comes then
    then: async (p) => {
      await p.frontend.finishReleases();
      await expireRemoved(p.components, { ignoreGrace: true });
      expect(await rowsLeft(p)).toEqual([]);
    },
  });
  expect(report.calls).toBeGreaterThan(40);
});
