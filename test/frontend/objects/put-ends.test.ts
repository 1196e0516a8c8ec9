// How a put of many ends: what is under way is waited for, unless a mistake of a program broke it; where there is no room each object is told.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { KekRing } from '../../../lib/frontend/kek-ring.ts';
import type { PutItem } from '../../../lib/frontend/put-item.ts';
import { PutObjects } from '../../../lib/frontend/put-objects.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { TINY, World } from '../../store/harness.ts';
import { MeddledPanda } from '../../store/meddled-panda.ts';
import { expectSound } from '../../store/recount.ts';

const NS = 'n';
const bytes = (count: number, seed = 1): Uint8Array => new SeededRandomness(seed).bytes(count);

const names = (writes: readonly Write[], key: string): boolean =>
  writes.some(({ partition, sort }) => partition.startsWith('object/') && sort === key);

function store() {
  const panda = new MeddledPanda();
  const world = new World(15, TINY, 20, panda);
  const p = world.start();
  const item = (key: string, body: Uint8Array = bytes(1000, key.charCodeAt(0))): PutItem => ({
    namespace: NS,
    key,
    body,
  });
  return { panda, world, p, item };
}

describe('a put of many', () => {
  it('that nobody listens to any more is done all the same', async () => {
    const { p, item } = store();
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    for await (const outcome of p.frontend.putAll([...keys.map((key) => item(key)), item('long', bytes(20_000))])) {
      expect(outcome.ok).toBe(true);
      break;
    }
    expect((await p.frontend.list({ namespace: NS })).objects.map(({ key }) => key)).toEqual([...keys, 'long']);
    await expectSound(p);
  });

  it('that a mistake of a program broke waits for nothing else: it may never return', async () => {
    for (const [hangs, breaks] of [
      [bytes(20_000), bytes(10, 2)],
      [bytes(10), bytes(20_000, 2)],
    ] as const) {
      const { panda, p, item } = store();
      panda.before = async (writes) => {
        if (names(writes, 'hangs')) return new Promise(() => {});
        if (names(writes, 'breaks')) throw new TypeError('a mistake');
      };
      const seen: string[] = [];
      const put = async () => {
        for await (const { key } of p.frontend.putAll([item('hangs', hangs), item('breaks', breaks)])) seen.push(key);
      };
      await expect(put()).rejects.toThrow('a mistake');
      expect(seen).toEqual([]);
    }
  });

  it('for which there is no room tells each object so', async () => {
    const { p, item } = store();
    const asked: number[] = [];
    const puts = new PutObjects(p.volumes, new KekRing(p.components), async (of) => {
      asked.push(of);
      throw retryLater('HOT_FULL', 'full');
    });
    const outcomes = await Array.fromAsync(puts.run([item('a'), item('b'), item('long', bytes(20_000)), item('a')]));
    expect(outcomes.map(({ key, ok }) => [key, ok]).sort()).toEqual([
      ...[
        ['a', false],
        ['a', false],
        ['b', false],
        ['long', false],
      ],
    ]);
    expect(outcomes.every((one) => !one.ok && (one.error as Error & { code: string }).code === 'HOT_FULL')).toBe(true);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect((await p.frontend.list({ namespace: NS })).objects).toEqual([]);
  });

  it('one of which is given up by others while it is stored is told so', async () => {
    const { panda, world, p, item } = store();
    panda.before = async (writes) => {
      if (!writes.some(({ partition }) => partition.startsWith('segment/'))) return;
      panda.before = undefined;
      expect(await world.start({ othersDead: true }).frontend.abandonUploads()).toBe(1);
    };
    const outcomes = await Array.fromAsync(p.frontend.putAll([item('long', bytes(20_000)), item('a')]));
    const codes = outcomes.map((one) => [one.key, one.ok || (one.error as Error & { code: string }).code]);
    expect(codes.sort()).toEqual([
      ['a', true],
      ['long', 'UPLOAD_ABANDONED'],
    ]);
    await p.frontend.finishReleases();
    await expectSound(p);
  });

  it('of a name that failed once is put again in the same call', async () => {
    const { panda, p, item } = store();
    let isFirst = true;
    panda.before = async (writes) => {
      if (!isFirst || !names(writes, 'a')) return;
      isFirst = false;
      throw retryLater('PANDA_FULL', 'full');
    };
    const outcomes = await Array.fromAsync(p.frontend.putAll([item('a', bytes(20_000)), item('a', bytes(9, 5))]));
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, true]);
    expect(Buffer.compare(await p.frontend.read(NS, 'a', 99), bytes(9, 5))).toBe(0);
  });
});
