// How much a put or a delete of many does at once, how often it tries, and that whoever waits says so.
import { describe, expect, it } from 'vitest';
import { PutRoom } from '../../lib/frontend/bulk/put-room.ts';
import { BODIES_AT_ONCE, DELETE_ATTEMPTS_MAX } from '../../lib/limits/frontend.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import type { BulkWriter } from '../../lib/volume/write/bulk-stream.ts';
import { TINY, World } from '../store/harness.ts';

const NS = 'default';

/** Whatever can go on without anything from outside has. */
const settled = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
};

it('bodies of a put that are open at once are so many and no more', async () => {
  const p = new World(7).start();
  let opened = 0;
  let release = (): void => {};
  const first = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* body(i: number): AsyncGenerator<Uint8Array> {
    opened += 1;
    if (i === 0) await first;
    yield Buffer.from(`body ${i}`);
  }
  const items = Array.from({ length: 3 * BODIES_AT_ONCE }, (_, i) => ({ namespace: NS, key: `k${i}`, body: body(i) }));
  const outcomes = p.frontend.putAll(items)[Symbol.asyncIterator]();
  const next = outcomes.next();
  await settled();
  expect(opened).toBe(BODIES_AT_ONCE);
  release();
  expect((await next).value).toMatchObject({ ok: true });
  let rest = 0;
  while (!(await outcomes.next()).done) rest += 1;
  expect({ rest, opened }).toEqual({ rest: items.length - 1, opened: items.length });
});

/** Somebody puts the object anew before every transaction that deletes it. */
class ContestedPanda extends MemoryPanda {
  meanwhile: (() => Promise<unknown>) | undefined;
  deletes = 0;

  override async transact(writes: readonly Write[]): Promise<void> {
    if (writes.some(({ kind, partition }) => kind === 'delete' && partition.startsWith('object/'))) {
      this.deletes += 1;
      if (this.deletes > 20) throw new Error('it never ends');
      await this.meanwhile?.();
    }
    return super.transact(writes);
  }
}

describe('a delete of what others put anew again and again', () => {
  it.each([true, false])('is tried so often, and once if it names a version (%s)', async (isNamed) => {
    const panda = new ContestedPanda();
    const world = new World(5, TINY, 20, panda);
    const [p, other] = [world.start(), world.start()];
    const put = () => other.frontend.put({ namespace: NS, key: 'a', body: Buffer.from(`${panda.deletes}`) });
    await put();
    const { version } = await p.frontend.head(NS, 'a');
    panda.meanwhile = put;
    const outcomes = [];
    const item = { namespace: NS, key: 'a', ...(isNamed ? { ifVersion: version } : {}) };
    for await (const outcome of p.frontend.deleteAll([item])) outcomes.push(outcome);
    expect(outcomes).toMatchObject([{ ok: false, error: { code: 'VERSION_MISMATCH' } }]);
    expect(panda.deletes).toBe(isNamed ? 1 : DELETE_ATTEMPTS_MAX);
    expect(await other.frontend.head(NS, 'a')).toMatchObject({ key: 'a' });
  });
});

describe('whoever reads for a put', () => {
  /** Only what a put says of itself: how many of its readers wait. */
  function counted() {
    const seen = { waits: 0, went: 0 };
    const waits = () => {
      seen.waits += 1;
      return (): void => {
        seen.went += 1;
      };
    };
    const reader = { waits, end: () => {} };
    const writer = {
      batchBytesMax: 1,
      segmentBytesMax: 1,
      heldBytesMin: () => 0,
      stream: () => ({ reader: () => reader }),
    };
    return { seen, room: new PutRoom(TINY, async () => {}, writer as unknown as BulkWriter) };
  }

  it('says that it waits for an earlier batch, and that it goes on, however that ends', async () => {
    const { seen, room } = counted();
    await room.after(undefined);
    expect(seen).toEqual({ waits: 0, went: 0 });
    await room.after(Promise.resolve());
    expect(seen).toEqual({ waits: 1, went: 1 });
    const error = new Error('it failed');
    await expect(room.after(Promise.reject(error))).rejects.toBe(error);
    expect(seen).toEqual({ waits: 2, went: 2 });
  });
});
