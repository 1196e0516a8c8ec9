// Objects put by plain writes: what rows they make, what becomes of writes that come after their group was recovered, and that whoever
// put them hears of them once.
import { describe, expect, it } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import type { BlockId } from '../../lib/foundation/ids.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { blockIdOf } from '../../lib/keys/envelope.ts';
import { TRANSACT_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import type { Panda, Row, Write } from '../../lib/panda/panda.ts';
import { blockFromRow, blockKey } from '../../lib/panda/rows/block-row.ts';
import { groupFromRow } from '../../lib/panda/rows/group-row.ts';
import { objectFromRow, objectKey } from '../../lib/panda/rows/object-row.ts';
import { World } from '../store/harness.ts';
import { LatePanda } from '../store/late-panda.ts';
import { expectSound } from '../store/recount.ts';

const bodyOf = (name: string): Uint8Array => Buffer.from(`the content of ${name}`);
const items = (...keys: string[]) => keys.map((key) => ({ namespace: 'n', key, body: bodyOf(key) }));
const blockOf = (key: string): BlockId => blockIdOf(bodyOf(key));

async function outcomesOf(world: World, panda: Panda, ...keys: string[]): Promise<Record<string, string>> {
  const { frontend } = world.start({ panda });
  const outcomes: Record<string, string> = {};
  for await (const outcome of frontend.putAll(items(...keys)))
    outcomes[outcome.key] = outcome.ok ? 'put' : outcome.error.message;
  return outcomes;
}

const readBy = async (world: World, key: string): Promise<string> => {
  const { frontend } = world.start();
  return frontend.read('n', key, 1e6).then(
    (bytes) => Buffer.from(bytes).toString(),
    (error: { code?: string }) => String(error.code),
  );
};

describe('a batch of new objects', () => {
  it('is one transaction for its group, and plain writes that name each other', async () => {
    const world = new World(1);
    const panda = new LatePanda(world.panda, () => false);
    expect(await outcomesOf(world, panda, 'a', 'b', 'c')).toEqual({ a: 'put', b: 'put', c: 'put' });
    const tables = panda.sent.map((writes) => writes.map(({ partition }) => partition.split('/')[0]).join());
    expect(tables.filter((table) => /^(block|object)/.test(table)).sort()).toEqual(
      [...Array(3).fill('block'), ...Array(3).fill('object')].sort(),
    );
    const rows = world.panda.snapshot();
    const group = rows.filter(({ partition }) => partition.startsWith('group/')).map(groupFromRow)[0];
    expect(group?.kind === 'append' && group.intents?.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    for (const key of ['a', 'b', 'c']) {
      const object = objectFromRow((await world.panda.get(objectKey('n', key))) as Row);
      const block = blockFromRow((await world.panda.get(blockKey(blockOf(key)))) as Row);
      expect(object.isNamed).toBe(true);
      expect(block).toMatchObject({ named: object.version, refs: 1, state: 'live' });
      expect(await readBy(world, key)).toBe(`the content of ${key}`);
    }
    await expectSound(world.start());
  });

  it('is referred to, overwritten and deleted as any other', async () => {
    const world = new World(2);
    await outcomesOf(world, world.panda, 'a', 'b', 'c', 'd');
    const { frontend, components } = world.start();
    await frontend.put({ namespace: 'n', key: 'a2', body: bodyOf('a') });
    await frontend.put({ namespace: 'n', key: 'b', body: bodyOf('a') });
    await frontend.put({ namespace: 'n', key: 'c', body: bodyOf('c') });
    await expectSound(world.start());
    for (const key of ['a', 'd']) await frontend.delete('n', key);
    await expectSound(world.start());
    // The named reference, which GC gives back, and those of a2 and b.
    const refsOfA = async () => blockFromRow((await world.panda.get(blockKey(blockOf('a')))) as Row).refs;
    expect(await refsOfA()).toBe(3);
    world.clock.advance(components.settings.deleteGraceMs + 1);
    expect((await collectGarbage(components)).slots).toBe(2);
    expect(await refsOfA()).toBe(2);
    expect(await readBy(world, 'a')).toBe('OBJECT_MISSING');
    expect(await readBy(world, 'b')).toBe('the content of a');
    await expectSound(world.start());
  });
});

const isOf =
  (table: string, key: string) =>
  ({ partition, sort }: Write): boolean =>
    partition.startsWith(`${table}/`) && sort === key;

describe('a plain write whose answer got lost', () => {
  it('is done again under another version, and what comes late of it counts for nothing', async () => {
    for (const isLate of [isOf('object', 'b'), isOf('block', blockOf('b'))]) {
      const world = new World(3);
      const panda = new LatePanda(world.panda, isLate);
      expect(await outcomesOf(world, panda, 'a', 'b', 'c')).toEqual({ a: 'put', b: 'put', c: 'put' });
      await expectSound(world.start());
      const before = JSON.stringify(
        world.panda.snapshot().filter(({ partition }) => /^(object|block)/.test(partition)),
      );
      expect(await panda.land()).toBe(0);
      const after = JSON.stringify(world.panda.snapshot().filter(({ partition }) => /^(object|block)/.test(partition)));
      expect(after).toBe(before);
      for (const key of ['a', 'b', 'c']) expect(await readBy(world, key)).toBe(`the content of ${key}`);
    }
  });

  it('leaves no object behind where it comes after a delete', async () => {
    const world = new World(4);
    const panda = new LatePanda(world.panda, isOf('object', 'b'));
    await outcomesOf(world, panda, 'a', 'b', 'c');
    const { frontend, components } = world.start();
    await frontend.delete('n', 'b');
    expect(await panda.land()).toBe(1);
    expect(await readBy(world, 'b')).toBe('OBJECT_MISSING');
    await expect(frontend.head('n', 'b')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    expect((await frontend.list({ namespace: 'n' })).objects.map(({ key }) => key)).toEqual(['a', 'c']);
    expect((await frontend.list({ namespace: 'n', delimiter: 'b' })).commonPrefixes).toEqual([]);
    await expectSound(world.start());
    world.clock.advance(components.settings.deleteGraceMs + 1);
    await collectGarbage(components);
    expect(await readBy(world, 'b')).toBe('OBJECT_MISSING');
    await frontend.put({ namespace: 'n', key: 'b', body: bodyOf('b'), ifVersion: 'absent' });
    expect(await readBy(world, 'b')).toBe('the content of b');
    expect((await frontend.list({ namespace: 'n' })).objects.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    await expectSound(world.start());
  });

  it('leaves no block behind that is referred to where it comes after its slot died', async () => {
    const world = new World(5);
    const panda = new LatePanda(world.panda, isOf('block', blockOf('b')));
    await outcomesOf(world, panda, 'a', 'b', 'c');
    const { frontend, components } = world.start();
    await frontend.delete('n', 'b');
    world.clock.advance(components.settings.deleteGraceMs + 1);
    await collectGarbage(components);
    expect(await panda.land()).toBe(1);
    await expectSound(world.start());
    const late = blockFromRow((await world.panda.get(blockKey(blockOf('b')))) as Row);
    await frontend.put({ namespace: 'n', key: 'again', body: bodyOf('b') });
    const now = blockFromRow((await world.panda.get(blockKey(blockOf('b')))) as Row);
    expect(now.recordId).not.toBe(late.recordId);
    expect(await readBy(world, 'again')).toBe('the content of b');
    await expectSound(world.start());
  });
});

describe('a group whose holder stopped', () => {
  it('keeps what is there and gives back what is not, in one transaction after the other', async () => {
    const world = new World(6);
    const keys = Array.from({ length: 120 }, (_, i) => `k${String(i).padStart(3, '0')}`);
    const panda = new LatePanda(world.panda, ({ partition }) => {
      panda.isDead ||= partition.startsWith('object/');
      return panda.isDead;
    });
    void outcomesOf(world, panda, ...keys).catch(() => {});
    for (let i = 0; i < 2000 && !panda.isDead; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(panda.isDead).toBe(true);
    const next = world.start({ othersDead: true });
    for await (const outcome of next.frontend.putAll(items('x', 'y'))) expect(outcome.ok).toBe(true);
    await next.volumes.open.sealAll('hot');
    await expectSound(world.start());
    expect(await readBy(world, 'k007')).toBe('OBJECT_MISSING');
  });
});

/** Answers that it is busy to the first sendings of each plain write. */
class BusyPanda extends LatePanda {
  readonly #busyFor: number;
  readonly #tries = new Map<string, number>();

  constructor(world: World, busyFor: number) {
    super(world.panda, () => false);
    this.#busyFor = busyFor;
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    const [{ partition, sort }] = writes as [Write];
    const name = `${partition} ${sort}`;
    if (writes.length === 1 && /^(block|object)\//.test(partition)) {
      const tries = (this.#tries.get(name) ?? 0) + 1;
      this.#tries.set(name, tries);
      if (tries <= this.#busyFor) throw retryLater('PANDA_BUSY', 'the metadata store is busy');
    }
    await super.transact(writes);
  }

  get tries(): readonly number[] {
    return [...this.#tries.values()];
  }
}

describe('plain writes that Panda is too busy for', () => {
  it('are sent again after a wait, as they were not done', async () => {
    const world = new World(31);
    const panda = new BusyPanda(world, 2);
    const beforeMs = world.clock.nowMs();
    expect(await outcomesOf(world, panda, 'a', 'b', 'c')).toEqual({ a: 'put', b: 'put', c: 'put' });
    expect(panda.tries).toEqual(Array(6).fill(3));
    expect(world.clock.nowMs()).toBeGreaterThan(beforeMs);
    await expectSound(world.start());
  });

  it('are given up after some, with what Panda said', async () => {
    const world = new World(32);
    const panda = new BusyPanda(world, Number.POSITIVE_INFINITY);
    const busy = 'the metadata store is busy';
    expect(await outcomesOf(world, panda, 'a', 'b', 'c')).toEqual({ a: busy, b: busy, c: busy });
    expect(panda.tries).toEqual(Array(3).fill(TRANSACT_ATTEMPTS_MAX + 1));
    const next = world.start({ othersDead: true });
    await recover(next.volumes, next.frontend, { sweep: true });
    await expectSound(next);
  });
});
