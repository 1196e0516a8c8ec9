// The end of what RECOVER noted as void, and void rows beside GC, merges and keys that are rewrapped and destroyed.
import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../lib/foundation/durations.ts';
import type { BlockId, ObjectVersion } from '../../lib/foundation/ids.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { endVoids } from '../../lib/gc/end-voids.ts';
import { retireKek } from '../../lib/gc/retire-kek.ts';
import { blocksByKekVersion, rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import { blockIdOf } from '../../lib/keys/envelope.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { VOID_KEPT_MS } from '../../lib/limits/frontend.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { blockKey } from '../../lib/panda/rows/block-row.ts';
import { objectKey } from '../../lib/panda/rows/object-row.ts';
import { voidKey, voidNamespaceWrite, voidWrite } from '../../lib/panda/rows/void-row.ts';
import type { Components } from '../../lib/volume/rows/components.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { type Process, World } from '../store/harness.ts';
import { LatePanda } from '../store/late-panda.ts';
import { expectSound } from '../store/recount.ts';

const bodyOf = (name: string): Uint8Array => Buffer.from(`the content of ${name}`);
const blockOf = (key: string): BlockId => blockIdOf(bodyOf(key));
const isOf =
  (table: string, key: string) =>
  ({ partition, sort }: Write): boolean =>
    partition.startsWith(`${table}/`) && sort === key;

async function putThree({ frontend }: Process): Promise<void> {
  const items = ['a', 'b', 'c'].map((key) => ({ namespace: 'n', key, body: bodyOf(key) }));
  for await (const outcome of frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
}

/** Puts a, b and c by plain writes; what is of b comes late, once it was done again under another version. */
async function putLate(world: World, isLate: (write: Write) => boolean): Promise<LatePanda> {
  const panda = new LatePanda(world.panda, isLate);
  await putThree(world.start({ panda }));
  return panda;
}

const listed = async ({ frontend }: Process): Promise<string[]> =>
  (await frontend.list({ namespace: 'n' })).objects.map(({ key }) => key);
const voidRows = (world: World): string[] =>
  world.panda
    .snapshot()
    .flatMap(({ partition, sort }) => (partition.startsWith('void') ? [`${partition} ${sort}`] : []));

describe('what was given up', () => {
  it('is kept for a day, and goes with the object that landed meanwhile', async () => {
    const world = new World(1);
    const panda = await putLate(world, isOf('object', 'b'));
    const process = world.start();
    await process.frontend.delete('n', 'b');
    expect(await panda.land()).toBe(1);
    expect(voidRows(world)).toEqual(['void/n b', 'voids n']);
    world.clock.advance(VOID_KEPT_MS - MINUTE_MS);
    await collectGarbage(process.components);
    expect(voidRows(world)).toEqual(['void/n b', 'voids n']);
    expect(await listed(process)).toEqual(['a', 'c']);
    world.clock.advance(MINUTE_MS);
    await collectGarbage(process.components);
    expect(voidRows(world)).toEqual([]);
    expect(await world.panda.get(objectKey('n', 'b'))).toBeUndefined();
    expect(await listed(process)).toEqual(['a', 'c']);
    await expectSound(world.start());
  });

  it('goes beside an object that was put since, which stays', async () => {
    const world = new World(2);
    await putLate(world, isOf('object', 'b'));
    const process = world.start();
    world.clock.advance(VOID_KEPT_MS);
    await endVoids(process.components);
    expect(voidRows(world)).toEqual([]);
    expect(await listed(process)).toEqual(['a', 'b', 'c']);
    expect(Buffer.from(await process.frontend.read('n', 'b', 1e6)).toString()).toBe('the content of b');
    await expectSound(world.start());
  });

  it('stays where something lands between the look at it and its end, and where another one came meanwhile', async () => {
    for (const interfere of ['lands', 'another'] as const) {
      const world = new World(3);
      const panda = await putLate(world, isOf('object', 'b'));
      const process = world.start();
      await process.frontend.delete('n', 'b');
      world.clock.advance(VOID_KEPT_MS);
      const row = await world.panda.get(voidKey('n', 'b'));
      const { transact } = process.components.panda;
      let isFirst = true;
      process.components.panda.transact = async (writes) => {
        if (isFirst) {
          isFirst = false;
          if (interfere === 'lands') expect(await panda.land()).toBe(1);
          else
            await world.panda.transact([
              { kind: 'put', ...voidKey('n', 'b'), attributes: { v: new Uint8Array(24), a: world.clock.nowMs() } },
            ]);
        }
        return transact.call(process.components.panda, writes);
      };
      await endVoids(process.components);
      expect(voidRows(world)).toEqual(['void/n b', 'voids n']);
      if (interfere === 'another') expect(await world.panda.get(voidKey('n', 'b'))).not.toEqual(row);
      expect(await listed(process)).toEqual(['a', 'c']);
    }
  });

  it('begins its time with the first pass where an earlier release wrote it, or a clock that had jumped', async () => {
    for (const sinceMs of [undefined, Number.MAX_SAFE_INTEGER]) {
      const world = new World(4);
      await putLate(world, isOf('object', 'b'));
      const since = sinceMs === undefined ? { remove: ['a'] } : { set: { a: sinceMs } };
      await world.panda.transact([{ kind: 'update', ...voidKey('n', 'b'), ...since }]);
      const { components } = world.start();
      for (const left of [2, 2, 0]) {
        await endVoids(components);
        expect(voidRows(world).length).toBe(left);
        world.clock.advance(left === 2 ? VOID_KEPT_MS / 2 + 1 : 0);
      }
    }
  });
});

describe('a block row that came after its slot died', () => {
  it('is in no way of keys that are rewrapped and destroyed, before and after it', async () => {
    for (const landsAfter of [false, true]) {
      const world = new World(5);
      const panda = new LatePanda(world.panda, isOf('block', blockOf('b')));
      const keks = new MemoryKekStore(world.start().components);
      const startOn = (components: Components): Process => {
        const volumes = new VolumeStore({ ...components, keks });
        return { components: volumes.components, volumes, frontend: new Frontend(volumes) };
      };
      await putThree(startOn(world.start({ panda }).components));
      const process = startOn(world.start().components);
      await process.frontend.delete('n', 'b');
      world.clock.advance(process.components.settings.deleteGraceMs + 1);
      await collectGarbage(process.components);
      if (!landsAfter) expect(await panda.land()).toBe(1);
      expect(await blocksByKekVersion(process.components)).toEqual(new Map([[1, 2]]));
      await keks.rotate();
      await rewrapKeys(process.components);
      expect(await retireKek(process.components, 1)).toBe(0);
      await keks.destroy(1);
      if (landsAfter) expect(await panda.land()).toBe(1);
      expect(await rewrapKeys(process.components)).toMatchObject({ finished: true, rewrappedBlocks: 0 });
      if (landsAfter) expect(await world.panda.get(blockKey(blockOf('b')))).toBeUndefined();
      const later = startOn(world.start().components);
      await later.frontend.put({ namespace: 'n', key: 'again', body: bodyOf('b') });
      for (const [key, content] of [
        ['a', 'a'],
        ['c', 'c'],
        ['again', 'b'],
      ] as const)
        expect(Buffer.from(await later.frontend.read('n', key, 1e6)).toString()).toBe(`the content of ${content}`);
      await expectSound(world.start());
    }
  });
});

describe('the row of a namespace in which something was given up', () => {
  const version = (n: number) => `${n}`.padStart(24, '0') as ObjectVersion;
  const old = 1_000;
  const nowMs = old + VOID_KEPT_MS;

  /** When each came, or that its row is damaged; what is left after one pass. */
  async function leftOf(came: readonly (number | 'damaged')[]) {
    const world = new World(5);
    world.clock.advance(nowMs - world.clock.nowMs());
    const writes = came.flatMap((sinceMs, n): Write[] => [
      sinceMs === 'damaged'
        ? { kind: 'put', ...voidKey('n', `k${n}`), attributes: { v: 'no bytes' } }
        : voidWrite(voidKey('n', `k${n}`), undefined, version(n), sinceMs),
    ]);
    await world.panda.transact([...writes, voidNamespaceWrite('n', version(1))]);
    const told: string[] = [];
    await endVoids({ ...world.start().components, badRow: ({ sort }) => void told.push(sort) });
    return { left: voidRows(world), told: told.length };
  }

  it('stays as long as any row of it does, whichever ends first', async () => {
    expect(await leftOf([old, old])).toEqual({ left: [], told: 0 });
    expect(await leftOf([old, old + 1])).toEqual({ left: ['void/n k1', 'voids n'], told: 0 });
    expect(await leftOf([old + 1, old])).toEqual({ left: ['void/n k0', 'voids n'], told: 0 });
    expect(await leftOf(['damaged', old])).toEqual({ left: ['void/n k0', 'voids n'], told: 1 });
    expect(await leftOf([])).toEqual({ left: [], told: 0 });
  });
});

it('a damaged row of what was given up stops no pass, though nobody is told; time begins with 1970 at the earliest', async () => {
  const world = new World(6);
  const version = '1'.repeat(24) as ObjectVersion;
  await world.panda.transact([
    { kind: 'put', ...voidKey('n', 'a'), attributes: { v: 'no bytes' } },
    voidWrite(voidKey('n', 'b'), undefined, version, 0),
    voidNamespaceWrite('n', version),
  ]);
  await world.panda.transact([{ kind: 'update', ...voidKey('n', 'b'), remove: ['a'] }]);
  world.clock.jumpTo(-30);
  await endVoids(world.start().components);
  expect((await world.panda.get(voidKey('n', 'b')))?.attributes['a']).toBe(0);
  expect(voidRows(world)).toEqual(['void/n a', 'void/n b', 'voids n']);
});
