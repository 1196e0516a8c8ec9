// A record is stored, some row names it, and before the put is done somebody deletes what was there and GC takes the row: the record's slot is dead
// by then, and whatever else needs the block gets a new record.
import { expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { deadFromRow, isDead, NO_DEAD } from '../../lib/panda/rows/bucket-row.ts';
import { wipe } from '../repair/drives.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const NS = 'default';

/** Before the first transaction like that, `meanwhile` happens. */
class OvertakenPanda extends MemoryPanda {
  isLikeThat: (writes: readonly Write[]) => boolean = () => false;
  meanwhile: () => Promise<void> = async () => {};

  override async transact(writes: readonly Write[]): Promise<void> {
    if (this.isLikeThat(writes)) {
      this.isLikeThat = () => false;
      await this.meanwhile();
    }
    return super.transact(writes);
  }
}

const touches = (writes: readonly Write[], table: string): boolean =>
  writes.some(({ kind, partition }) => kind !== 'check' && partition.startsWith(`${table}/`));

async function deletes(p: Process, keys: readonly string[]): Promise<void> {
  for (const key of keys) await p.frontend.delete(NS, key);
  await collectGarbage(p.components);
}

/** No row names a slot that is dead: compaction would leave the record behind. */
function expectNoneDead(world: World): void {
  const rows = world.panda.snapshot();
  const deads = new Map(
    rows.filter(({ partition }) => partition.startsWith('dead/')).map((row) => [row.sort, deadFromRow(row)]),
  );
  const blocks = rows.filter(({ partition }) => partition.startsWith('block/')).map(blockFromRow);
  expect(deads.size).toBeGreaterThan(0);
  expect(blocks.filter(({ bucket, slot }) => isDead(deads.get(bucket) ?? NO_DEAD, slot))).toEqual([]);
}

it('of objects of one content that are indexed one after the other', async () => {
  const panda = new OvertakenPanda();
  const world = new World(5, TINY, 20, panda);
  const [p, other] = [world.start(), world.start()];
  const body = new SeededRandomness(5).bytes(500);
  await p.frontend.put({ namespace: NS, key: 'taken', body: new Uint8Array(9) });
  let transactions = 0;
  panda.isLikeThat = (writes) => touches(writes, 'object') && ++transactions === 2;
  panda.meanwhile = () => deletes(other, ['a', 'b']);
  // What keeps one of them out keeps them from being one transaction.
  const items = ['a', 'b', 'c', 'taken'].map((key) => ({ namespace: NS, key, body, ifVersion: 'absent' as const }));
  const outcomes = [];
  for await (const { key, ok } of p.frontend.putAll(items)) outcomes.push([key, ok]);
  expect(outcomes).toEqual([
    ['a', true],
    ['b', true],
    ['c', true],
    ['taken', false],
  ]);
  await expect(other.frontend.head(NS, 'a')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  expect(Buffer.compare(await other.frontend.read(NS, 'c', 9000), body)).toBe(0);
  expectNoneDead(world);
  await expectSound(other);
});

it('of a lost record that is put again', async () => {
  const panda = new OvertakenPanda();
  const world = new World(6, TINY, 20, panda);
  const body = new SeededRandomness(6).bytes(500);
  await world.start().frontend.put({ namespace: NS, key: 'before', body });
  for (const drive of world.drives.keys()) await wipe(world, drive);
  const [p, other] = [world.start(), world.start()];
  let isRenewed = false;
  panda.isLikeThat = (writes) => {
    if (touches(writes, 'object')) return isRenewed;
    isRenewed ||= touches(writes, 'block') && touches(writes, 'dead');
    return false;
  };
  panda.meanwhile = () => deletes(other, ['before']);
  await p.frontend.put({ namespace: NS, key: 'after', body });
  await expect(other.frontend.head(NS, 'before')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  expect(Buffer.compare(await other.frontend.read(NS, 'after', 9000), body)).toBe(0);
  expectNoneDead(world);
});
