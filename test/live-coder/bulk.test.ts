// Large puts go into erasure-coded volumes at once, small ones into hot volumes: by their bytes, whatever their objects are like.
import { describe, expect, it } from 'vitest';
import type { PutItem, PutOutcome } from '../../lib/frontend/frontend.ts';
import { bulkFromBytes } from '../../lib/live-coder/bulk-size.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { incompressible } from '../store/sealed-overhead.ts';

const KIB = 1024;
const CODE = 16 / 12;

const files = (count: number, bytes: number, seed = 0): PutItem[] =>
  Array.from({ length: count }, (_, i) => ({
    namespace: 'default',
    key: `f${seed + i}`,
    body: incompressible(bytes, seed + i),
  }));

async function outcomesOf(process: Process, items: AsyncIterable<PutItem> | Iterable<PutItem>): Promise<PutOutcome[]> {
  const outcomes: PutOutcome[] = [];
  for await (const outcome of process.frontend.putAll(items)) outcomes.push(outcome);
  return outcomes;
}

async function putAll(process: Process, items: readonly PutItem[]): Promise<PutOutcome[]> {
  const outcomes = await outcomesOf(process, items);
  const failed = outcomes.find(({ ok }) => !ok);
  if (failed !== undefined && !failed.ok) throw failed.error;
  return outcomes;
}

/** Bytes on the drives, by the class of their volume. */
async function storedBytes({ components }: Process): Promise<{ hot: number; warm: number }> {
  const stored = { hot: 0, warm: 0 };
  for (const { class: cls, extentUsedBytes } of await listVolumes(components.panda, components.settings.cell))
    stored[cls] += extentUsedBytes.reduce((sum, bytes) => sum + bytes, 0);
  return stored;
}

async function expectReadable(world: World, items: readonly PutItem[]): Promise<void> {
  const { frontend } = world.start();
  for (const { namespace, key, body } of items)
    expect(Buffer.compare(await frontend.read(namespace, key, 1e7), body as Uint8Array)).toBe(0);
}

describe('a put of many bytes', () => {
  it.each([
    ['small files', files(600, 900)],
    ['files of several blocks', files(60, 9 * KIB)],
    ['files of all sizes', [...files(100, 300), ...files(50, 5000, 1000), ...files(3, 70 * KIB, 2000)]],
    ['one file', files(1, 600 * KIB)],
  ])('of %s writes no replicated bytes', async (_, items) => {
    const world = new World(11);
    const process = world.start({ isBulk: true });
    await putAll(process, items);
    const { hot, warm } = await storedBytes(process);
    const logical = items.reduce((sum, { body }) => sum + (body as Uint8Array).length, 0);
    expect(hot).toBe(0);
    // Headers and directories are a large part of what is so small.
    expect(warm / logical).toBeLessThan(CODE * 1.35);
    await expectReadable(world, items);
    await expectSound(process);
  });

  it('is nothing but hot where nobody writes large groups', async () => {
    const process = new World(11).start();
    await putAll(process, files(600, 900));
    expect((await storedBytes(process)).warm).toBe(0);
  });

  it('goes hot while there are too few drives for a group', async () => {
    const world = new World(12, TINY, 15);
    const process = world.start({ isBulk: true });
    const items = files(300, 900);
    await putAll(process, items);
    const { hot, warm } = await storedBytes(process);
    expect([hot > 0, warm]).toEqual([true, 0]);
    await expectReadable(world, items);
  });

  it('stores names that come twice in their order, and what is known once', async () => {
    const world = new World(13);
    const process = world.start({ isBulk: true });
    const twice = [
      ...files(300, 900),
      ...files(300, 900).map((item, i) => ({ ...item, body: incompressible(900, i + 7000) })),
    ];
    await putAll(process, twice);
    await expectReadable(world, twice.slice(300));
    const again = await putAll(process, twice.slice(300));
    expect(again.every((outcome) => outcome.ok && outcome.newBytes === 0)).toBe(true);
    await expectSound(process);
  });
});

describe('a put of few bytes', () => {
  it('stays hot, in one transaction', async () => {
    const process = new World(14).start({ isBulk: true });
    await putAll(process, files(1, 900));
    await putAll(process, files(20, 900, 100));
    const { hot, warm } = await storedBytes(process);
    expect([hot > 0, warm]).toEqual([true, 0]);
  });

  it('is done while a large one still comes in', async () => {
    const world = new World(15);
    const process = world.start({ isBulk: true });
    const go = Promise.withResolvers<void>();
    const large = files(400, 900, 1000);
    async function* slowly() {
      yield* large.slice(0, 50);
      await go.promise;
      yield* large.slice(50);
    }
    const all = outcomesOf(process, slowly());
    await putAll(process, files(3, 900));
    go.resolve();
    expect((await all).filter(({ ok }) => ok)).toHaveLength(400);
    await expectReadable(world, [...large, ...files(3, 900)]);
    await expectSound(process);
  });

  it('and one of just as many as make it large are told apart by their bytes', async () => {
    const from = bulkFromBytes(TINY);
    for (const [bytes, isHot] of [
      [from * 0.9, true],
      [from * 1.1, false],
    ] as const) {
      const process = new World(16).start({ isBulk: true });
      await putAll(process, files(Math.round(bytes / 1000), 900));
      const { hot, warm } = await storedBytes(process);
      expect([hot > 0, warm > 0]).toEqual([isHot, !isHot]);
    }
  });
});
