// The journal function on memory bodies: batches of a stream in two shards, in their order, again after whatever dies
// under them, and beside each other. What the drives give back at the end is the table.
import { describe, expect, it } from 'vitest';
import { newJournal } from '../../functions/journal/handler.ts';
import { shipBatch } from '../../lib/engine/journal/stage-batch.ts';
import { CountingPlan, scriptedPlan } from '../../lib/foundation/faults.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import type { MemoryShelf } from '../journal/memory-shelf.ts';
import { dies } from '../journal/world.ts';
import { context } from './events.ts';
import { DRIVES, JournalStage, KEKS } from './journal-stage.ts';

describe('the journal function', () => {
  it('ships a first snapshot, then batches, and the key versions beside them', async () => {
    const stage = new JournalStage(1);
    await stage.begin();
    for (let i = 0; i < 40; i++) await stage.write();
    await stage.deliverAll();
    await stage.expectBack();
    await stage.expectBack([0, 1, 2]);
    const names = stage.shelves.flatMap(({ objects }) => [...objects.keys()]);
    expect(names.filter((name) => name === '0/keys-00000001').length).toBe(DRIVES);
    await stage.keys(2, KEKS);
    await stage.deliverAll();
    const later = stage.shelves.flatMap(({ objects }) => [...objects.keys()].filter((name) => name.includes('keys')));
    expect([...new Set(later)]).toEqual(['0/keys-00000002']);
    await stage.expectBack([3, 4, 5]);
  });

  it('has a new key version beside the segments before the first of them is under it, whichever shard comes first', async () => {
    const stage = new JournalStage(7);
    await stage.begin();
    const { components } = stage.world.start();
    const keks = new MemoryKekStore(components);
    const keptAtPut: string[] = [];
    for (const shelf of stage.shelves) {
      const put = shelf.put.bind(shelf);
      shelf.put = (epoch, name, pieces) => {
        const kept = [...shelf.objects.keys()].filter((key) => key.startsWith('0/keys-'));
        if (!name.startsWith('keys-')) keptAtPut.push(kept.join());
        return put(epoch, name, pieces);
      };
    }
    const ship = async (n: number): Promise<string[]> => {
      keptAtPut.length = 0;
      const changed = [{ partition: 'p/0', sort: 'k', attributes: { n } }];
      await shipBatch({ ...components, keks }, (bucket) => stage.shelfAt(bucket), changed, n * 1000);
      return [...new Set(keptAtPut)];
    };
    expect(await ship(1)).toEqual(['0/keys-00000001']);
    // Wrapped, and in the row of the table; the batch with that row is of a shard that is behind.
    await keks.rotate();
    await stage.keys(2, KEKS);
    expect(await ship(2)).toEqual(['0/keys-00000002']);
    expect(await ship(3)).toEqual(['0/keys-00000002']);
  });

  it.each(['before', 'after'] as const)('that dies %s any call is delivered its batch again', async (mode) => {
    let deaths = 0;
    for (let at = 1; ; at++) {
      const stage = new JournalStage(2);
      await stage.begin();
      if (at % 2 === 0) await stage.deliverAll();
      for (let i = 0; i < 6; i++) await stage.write();
      stage.world.clock.advance(3_600_000);
      const isDead = await dies(() => stage.deliver(0, new CountingPlan(at, mode)));
      await stage.deliver(1);
      await stage.deliverAll();
      await stage.expectBack();
      if (!isDead) break;
      deaths += 1;
      expect(at).toBeLessThan(300);
    }
    expect(deaths).toBeGreaterThan(10);
  });

  it('beside others, with drives and a table that fail now and then', async () => {
    for (let seed = 10; seed < 25; seed++) {
      const stage = new JournalStage(seed);
      await stage.begin();
      const rate = 4 + stage.random.below(40);
      const plan = scriptedPlan(() => (stage.random.below(rate) === 0 ? 'before-error' : 'none'));
      for (let i = 0; i < 30; i++) {
        for (let n = stage.random.below(4); n >= 0; n--) await stage.write();
        stage.world.clock.advance(stage.random.below(600_000));
        await Promise.allSettled([stage.deliver(0, plan), stage.deliver(1, plan)]);
      }
      await stage.deliverAll();
      await stage.expectBack([seed % DRIVES, (seed + 2) % DRIVES]);
    }
  });

  it('writes a snapshot when it is told to, before there is anything and after', async () => {
    const stage = new JournalStage(4);
    await stage.begin();
    expect(await stage.snapshot()).toEqual({ snapshot: { sequence: 1 } });
    for (let i = 0; i < 20; i++) await stage.write();
    await stage.deliverAll();
    const before = await stage.expectBack();
    expect(before.way.length).toBeGreaterThan(1);
    expect(await stage.snapshot()).toEqual({ snapshot: { sequence: before.point.sequence + 1 } });
    const after = await stage.expectBack();
    expect(after.way.map(({ level }) => level)).toEqual(['snapshot']);
  });

  it('scans the table for a snapshot when it is told to, which mends what the stream lost', async () => {
    const stage = new JournalStage(6);
    await stage.begin();
    for (let i = 0; i < 30; i++) await stage.write();
    await stage.deliverAll();
    await stage.expectBack();
    for (let i = 0; i < 12; i++) await stage.write();
    for (const shard of [0, 1]) stage.forgetNext(shard);
    await stage.write();
    await stage.deliverAll();
    await expect(stage.expectBack()).rejects.toThrow();
    // Merged out of what was shipped it lacks the same.
    await stage.snapshot();
    await expect(stage.expectBack()).rejects.toThrow();
    await stage.snapshot(true);
    await stage.expectBack();
    for (let i = 0; i < 5; i++) await stage.write();
    await stage.deliverAll();
    await stage.expectBack();
  });

  it('refuses an event that is none', async () => {
    const stage = new JournalStage(3);
    const open = async () => ({
      store: stage.world.start().volumes,
      stream: new MemoryStream(stage.world.clock, 3),
      metrics: { put: async () => {} },
    });
    const handler = newJournal(open, () => stage.shelves[0] as MemoryShelf);
    await expect(handler({ Records: [{ eventName: 'INSERT' }] }, context())).rejects.toMatchObject({
      name: 'PocketfulInvalid',
    });
  });
});
