// Which objects are small and which are long, how many go into one group, and how much room is asked for before they do.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { KekRing } from '../../../lib/frontend/kek-ring.ts';
import type { PutItem } from '../../../lib/frontend/put-item.ts';
import { PutObjects } from '../../../lib/frontend/put-objects.ts';
import { RECORD_SLACK_BYTES } from '../../../lib/limits/frontend.ts';
import { bulkWriterOf } from '../../../lib/live-coder/bulk-coder.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Write } from '../../../lib/panda/panda.ts';
import { groupFromRow } from '../../../lib/panda/rows/group-row.ts';
import { appendBytesMax } from '../../../lib/volume/write/append.ts';
import { TINY, World } from '../../store/harness.ts';

const NS = 'n';
const BLOCK = TINY.blockBytesMax;
const bytes = (count: number, seed = 1): Uint8Array => new SeededRandomness(seed).bytes(count);

class GroupedPanda extends MemoryPanda {
  readonly groups: number[] = [];

  override async transact(writes: readonly Write[]): Promise<void> {
    await super.transact(writes);
    for (const write of writes)
      if (write.kind === 'put' && write.partition.startsWith('group/')) {
        const { partition, sort, attributes } = write;
        const group = groupFromRow({ partition, sort, attributes });
        if (group.kind === 'append') this.groups.push(group.slots.length);
      }
  }
}

function putting(settings = TINY) {
  const panda = new GroupedPanda();
  const p = new World(13, settings, 20, panda).start();
  const asked: number[] = [];
  const put = async (items: readonly Partial<PutItem>[]) => {
    const puts = new PutObjects(p.volumes, new KekRing(p.components), async (of) => void asked.push(of));
    const all = items.map((item) => ({ namespace: NS, key: 'a', body: bytes(5), ...item }));
    for await (const outcome of puts.run(all)) expect(outcome).toMatchObject({ ok: true });
  };
  return { panda, p, asked, put };
}

describe('an object of several blocks', () => {
  const settings = { ...TINY, bucketBytes: 48 * 1024 };
  const most = Math.floor(appendBytesMax(settings) / 4 / (BLOCK + RECORD_SLACK_BYTES));

  it('is small up to a quarter of an append, with what records are longer', async () => {
    const { p, put } = putting(settings);
    const rest = appendBytesMax(settings) / 4 - most * (BLOCK + RECORD_SLACK_BYTES) - RECORD_SLACK_BYTES;
    await put([{ key: 'small', body: bytes(most * BLOCK + rest) }]);
    await put([{ key: 'long', body: bytes(most * BLOCK + rest + 1, 2) }]);
    expect([most, rest]).toEqual([10, 576]);
    expect(await p.frontend.head(NS, 'small')).toMatchObject({ blocks: { length: most + 1 }, segments: undefined });
    expect(await p.frontend.head(NS, 'long')).toMatchObject({ blocks: undefined, segments: 1 });
  });

  it('is small in any case if it is one block', async () => {
    const { p, put } = putting();
    await put([{ key: 'one', body: bytes(BLOCK) }]);
    await put([{ key: 'more', body: bytes(BLOCK + 1, 2) }]);
    expect((await p.frontend.head(NS, 'one')).blocks).toHaveLength(1);
    expect((await p.frontend.head(NS, 'more')).segments).toBe(1);
  });
});

describe('small objects of one put', () => {
  it('go together as many as an append takes, and ask for as much room', async () => {
    const { panda, asked, put } = putting();
    const each = 1000 + RECORD_SLACK_BYTES;
    const together = Math.floor(appendBytesMax(TINY) / each);
    expect(together).toBe(3);
    await put(Array.from({ length: 7 }, (_, i) => ({ key: `k${i}`, body: bytes(1000, i) })));
    expect(panda.groups).toEqual([3, 3, 1]);
    expect(asked).toEqual([3 * each, 3 * each, each]);
  });

  it('of one name go one after the other', async () => {
    const { panda, put } = putting();
    await put([{ key: 'a' }, { key: 'b', body: bytes(6) }, { key: 'a', body: bytes(7) }]);
    expect(panda.groups).toEqual([2, 1]);
  });
});

it('a long object asks for as much room as it is said to have, or for none', async () => {
  const { asked, put } = putting();
  await put([{ key: 'a', body: bytes(3 * BLOCK), sizeBytes: 3 * BLOCK }]);
  await put([{ key: 'b', body: bytes(4 * BLOCK, 2) }]);
  expect(asked).toEqual([3 * BLOCK, 0]);
});

it('little that could have gone into a large group asks for as much room as its records take', async () => {
  const { p } = putting();
  const asked: number[] = [];
  const room = async (of: number) => void asked.push(of);
  const puts = new PutObjects(p.volumes, new KekRing(p.components), room, bulkWriterOf(p.volumes));
  const items = [1, 2].map((n) => ({ namespace: NS, key: `${n}`, body: bytes(500, n) }));
  const outcomes = await Array.fromAsync(puts.run(items));
  const stored = outcomes.reduce((sum, one) => sum + (one.ok ? one.newBytes : 0), 0);
  expect(stored).toBeGreaterThan(1000);
  expect(asked).toEqual([stored]);
});
